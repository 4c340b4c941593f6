"""All that a script may use: the program, its peers, chance, a clock, and notes.

The steps (steps/) do their work with it, and run.py lets a script play, step by step.
"""

import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from socket import socket
from time import monotonic
from typing import Any

from turnchat.check.case import Role
from turnchat.check.processes import queued_of
from turnchat.check.processes.load import Load, busy_of_all, starved, usable_processors
from turnchat.check.report import Event, EventType
from turnchat.check.sockets.connecting import Acceptor, Connector, MakeSocket, with_little_room
from turnchat.check.sockets.peer import Peer
from turnchat.check.sockets.ports import listening_socket
from turnchat.check.subject import Subject, with_utf8
from turnchat.check.suite import Task
from turnchat.core.loop import Callback
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher

HOST = "127.0.0.1"
MOST_EVENTS = 5000  # of a case; a program that writes without end makes many

OnConnected = Callable[[socket], Any]


class Play:
    """The stage of one script.

    wake: looks at the present step again, at the end of the round. met: the number of peers that a
    step has taken (steps.Meet).
    """

    def __init__(
        self,
        name: str,
        task: Task,
        backend: Backend,
        free_port: Callable[[], int],
        wake: Callback,
    ) -> None:
        """`name`: of the case. `backend`: makes the loop, and whatever it watches."""
        self.task, self.role, self.profile = task, task.role, task.profile
        self.wake = wake
        self.random = random.Random(f"{task.seed} {name}")
        self.events: list[Event] = []
        self.programs: list[Subject] = []
        self.peers: list[Peer] = []
        self.met = 0
        self._backend = backend
        self._acceptor: Acceptor | None = None
        self._connectors: list[Connector] = []
        self._began = monotonic()
        with ExitStack() as stack:
            self.loop = backend.loop()
            stack.callback(self.loop.close)
            self.signals = backend.signals(self.loop)
            stack.callback(self.signals.close)
            self._children = ChildWatcher(self.loop, self.signals)
            self.port = task.port or free_port()
            stack.callback(self.stop_listening)
            if self.role is Role.CLIENT:
                self.listen()
            self._opened = stack.pop_all()

    @property
    def program(self) -> Subject:
        """The program that is checked, or that was started last."""
        return self.programs[-1]

    @property
    def peer(self) -> Peer:
        """The connection that was made last. A script meets the program first."""
        return self.peers[-1]

    @property
    def elapsed(self) -> float:
        return monotonic() - self._began

    def load(self) -> Load:
        """Return the work of the programs and of the system up to now."""
        usages = [usage for program in self.programs if (usage := program.usage())]
        return Load(
            self.elapsed,
            sum(usage.cpu for usage in usages),
            sum(usage.queued for usage in usages),
            queued_of(os.getpid()),
            busy_of_all(),
        )

    def starved(self, since: Load) -> float:
        """Return the seconds in which the programs or the checker could not run: others did.

        A busy system must not make a program late. Where the system does not tell, they are 0.
        """
        return starved(since, self.load(), usable_processors())

    def name_of(self, program: Subject) -> str:
        """Return the word for a program: its role if there are two."""
        return program.role or "program"

    def start(self, role: Role | None = None) -> Subject:
        """Start the program, on a terminal of its own. Raises OSError."""
        words = self.task.commands[role or self.role]
        typed = (self.task.typed or {}).get(role or self.role, " ".join(words))
        environment = self.task.environment
        number = len(self.programs)

        def note(event_type: EventType, data: bytes, text: str) -> None:
            self._note(event_type, data, program=number, note=text)

        subject = Subject(
            self.loop,
            self._children,
            [self._filled(word) for word in words],
            environment=with_utf8(os.environ) if environment is None else environment,
            folder=self.task.folder,
            name=f"terminal of the {role}" if role else "terminal of the program",
            wrap=self._backend.terminal,
            note=note,
            on_change=self.wake,
            prefix=self.task.prefix,
            typed=self._filled(typed),
            memory=self.task.memory,
            role=role,
        )
        self.programs.append(subject)
        return subject

    def listen(self, on_accept: OnConnected | None = None) -> None:
        """Listen for a client that is checked; its connection becomes a peer."""
        listening = self._backend.listening(listening_socket(self.task.port or 0))
        self._acceptor = Acceptor(self.loop, listening, on_accept or self.add_peer)
        self.port = self._acceptor.port

    def stop_listening(self) -> None:
        """Listen no more: a client that connects now is refused."""
        if self._acceptor:
            self._acceptor.close()
            self._acceptor = None

    def connect(
        self, port: int | None = None, on_connect: OnConnected | None = None, *,
        has_little_room: bool = False,
    ) -> Connector:  # fmt: skip
        """Connect to the program as soon as it listens; the connection becomes a peer."""
        make_socket: MakeSocket = self._backend.make_socket
        if has_little_room:
            make_socket = with_little_room(self._backend.make_socket)
        connector = Connector(
            self.loop, make_socket, port or self.port, on_connect or self.add_peer
        )
        self._connectors.append(connector)
        return connector

    def add_peer(
        self, connected: socket, program: int = 0, on_change: Callback | None = None
    ) -> Peer:
        """Take a connected, non-blocking socket as a peer of a program."""

        def note(event_type: EventType, data: bytes, number: int) -> None:
            self._note(event_type, data, peer=number, program=program)
            (on_change or self.wake)()

        peer = Peer(self.loop, connected, len(self.peers) + 1, note)
        self.peers.append(peer)
        self._note(EventType.CONNECTED, peer=peer.number, program=program)
        self.wake()
        return peer

    def note(self, text: str) -> None:
        """Put a word of the script among the events."""
        self._note(EventType.NOTE, note=text)

    def close(self) -> None:
        """End whatever was started, the programs first. An error keeps nothing else open."""
        with self._opened as stack:
            for peer in self.peers:
                stack.callback(peer.reset)
            for connector in self._connectors:
                stack.callback(connector.close)
            for program in self.programs:
                stack.callback(program.kill)

    def _filled(self, text: str) -> str:
        return text.replace("{host}", HOST).replace("{port}", str(self.port))

    def _note(
        self,
        event_type: EventType,
        data: bytes = b"",
        *,
        peer: int = 0,
        program: int = 0,
        note: str = "",
    ) -> None:
        if len(self.events) > MOST_EVENTS:
            return
        if len(self.events) == MOST_EVENTS:
            event_type, data, note = EventType.NOTE, b"", "no more events are kept"
        self.events.append(Event(round(self.elapsed, 4), event_type, data, peer, program, note))
