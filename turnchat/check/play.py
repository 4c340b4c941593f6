"""One run of one case, in one event loop: the program, the person at its terminal, and its peer.

The script yields steps. A step that is done at once lets the script go on in the same round. One
that waits is looked at again whenever something has happened: bytes on the socket or the screen, an
end, a timer. Nothing sleeps and nothing is polled, so a case takes as long as the program does.
"""

import os
import random
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

from turnchat.check.case import Case, Level, Role
from turnchat.check.peer import Caller, Door, Peer, listening_socket
from turnchat.check.report import (  # fmt: skip
    CaseResult,
    Event,
    Fallen,
    Kind,
    NotApplicable,
    Shortfall,
    Verdict,
    What,
)
from turnchat.check.subject import Subject, with_utf8, words_for
from turnchat.check.suite import Task
from turnchat.core.loop import Callback
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher

if TYPE_CHECKING:
    from turnchat.check.steps import Step

HOST = "127.0.0.1"
AFTERMATH = 0.5  # seconds from a program's exit to the end of its streams
MOST_EVENTS = 5000  # of a case; a program that writes without end makes many
INTERRUPTED = "it was interrupted"
LAST_LINES = 6  # of the screen, in the words about a program that died


class Play:
    """The stage of a script: what it may look at, and the way in which it is driven."""

    def __init__(self, case: Case, task: Task, backend: Backend, free_port: Callable[[], int]):
        self.task, self.role, self.profile = task, task.role, task.profile
        self.loop = backend.loop()
        self.random = random.Random(f"{task.seed} {case.id}")
        self.events: list[Event] = []
        self.programs: list[Subject] = []
        self.peers: list[Peer] = []
        self.met = 0  # of the peers: those that a step has taken (steps.Meet)
        self.result: CaseResult | None = None
        self._case, self._backend = case, backend
        self._signals = backend.signals(self.loop)
        self._children = ChildWatcher(self.loop, self._signals)
        self._door: Door | None = None
        self._callers: list[Caller] = []
        self._began = monotonic()
        self._script = case.script(self)
        self._step: Step | None = None
        self._soon = self.loop.timer("script", self._advance, self._on_error)
        self._deadline = self.loop.timer("deadline", self._on_deadline, self._on_error)
        self._aftermath = self.loop.timer("aftermath", self._on_aftermath)
        self._is_aftermath_over = False
        over = f"the case took over {case.bound:g} s"
        self._limit = self.loop.timer("limit", lambda: self._finish(Verdict.ERROR, over))
        for number in signal.SIGINT, signal.SIGTERM:
            self._signals.on(number, self.interrupt)
        self.port = task.port or free_port()
        if self.role is Role.CLIENT:
            self.open_door()

    # For scripts and steps

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

    def start(self, role: Role | None = None, port: int | None = None) -> Subject:
        """Start the program, on a terminal of its own."""
        words = self.task.commands[role or self.role]
        number_of_port = str(port or self.port)

        def filled(text: str) -> str:
            return text.replace("{host}", HOST).replace("{port}", number_of_port)

        command = list(map(filled, words))
        typed = filled((self.task.typed or {}).get(role or self.role, " ".join(words)))
        number = len(self.programs)
        self._is_aftermath_over = False
        self._aftermath.cancel()

        def note(what: What, data: bytes, text: str) -> None:
            self._note(what, data, program=number, note=text)

        environment = self.task.environment
        subject = Subject(
            self.loop,
            self._children,
            command,
            environment=with_utf8(os.environ) if environment is None else environment,
            folder=self.task.folder,
            name=f"terminal of the {role}" if role else "terminal of the program",
            wrap=self._backend.terminal,
            note=note,
            on_change=self._on_change,
            prefix=self.task.prefix,
            typed=typed,
        )
        self.programs.append(subject)
        return subject

    def open_door(
        self, port: int | None = None, on_accept: Callable[[socket], Any] | None = None
    ) -> Door:
        """Listen for a client that is checked; its connection becomes a peer."""
        listening = self._backend.listening(listening_socket(port or self.task.port or 0))
        self._door = Door(self.loop, listening, on_accept or self.add_peer)
        self.port = self._door.port
        return self._door

    def shut_door(self) -> None:
        """Listen no more: a client that connects now is refused."""
        if self._door:
            self._door.close()
            self._door = None

    def add_peer(self, connected: Any, program: int = 0, on_change: Callback | None = None) -> Peer:
        """Take a connected, non-blocking socket as a peer of a program."""

        def note(what: What, data: bytes, number: int) -> None:
            self._note(what, data, peer=number, program=program)
            (on_change or self.wake)()

        peer = Peer(self.loop, connected, len(self.peers) + 1, note)
        self.peers.append(peer)
        self._note(What.CONNECTED, peer=peer.number, program=program)
        self.wake()
        return peer

    def call(
        self, port: int | None = None, on_connect: Callable[[socket], Any] | None = None
    ) -> Caller:
        """Connect to the program as soon as it listens; the connection becomes a peer."""
        caller = Caller(
            self.loop, self._backend.make_socket, port or self.port, on_connect or self.add_peer
        )
        self._callers.append(caller)
        return caller

    def note(self, text: str) -> None:
        """Put a word of the script among the events."""
        self._note(What.NOTE, note=text)

    def wake(self) -> None:
        """Look at the present step again, at the end of the round."""
        if self.result is None:
            self._soon.start(0)

    # The run

    def run(self) -> CaseResult:
        """Run the script to its end. Whatever was started is ended."""
        self._limit.start(self._case.bound + self.task.timeout)
        self.wake()
        try:
            while self.result is None:
                self.loop.run_once()
        finally:
            self.close()
        return self.result

    def interrupt(self) -> None:
        """End the run now: for signals, and for a runner that is gone."""
        self._finish(Verdict.ERROR, INTERRUPTED)

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        for caller in self._callers:
            caller.close()
        for peer in self.peers:
            peer.reset()
        self.shut_door()
        self._signals.close()
        self.loop.close()

    def _advance(self) -> None:
        try:
            if self._step is None and self.result is None:  # an interrupt may come first
                self._begin(next(self._script))
            while self._step and self.result is None:
                if not self._step.look(self):
                    self._check_alive(self._step)
                    return
                result, self._step = self._step.result, None
                self._begin(self._script.send(result))
        except StopIteration:
            self._finish(Verdict.PASS)

    def _begin(self, step: "Step") -> None:
        self._step = step
        self._deadline.start(self.task.timeout if step.seconds is None else step.seconds)
        step.start(self)

    def _check_alive(self, step: "Step") -> None:
        """Raise Fallen if the program that the step waits for has died, or fills its screen."""
        if not self.programs:
            return
        program = self.program
        if program.is_flooding:  # it is no longer read, so it can do nothing that a step waits for
            raise step.fallen(Kind.WRONG, "the program writes to its screen without end")
        if any(peer.is_flooding for peer in self.peers):
            raise step.fallen(Kind.WRONG, "the program sends without end")
        if not step.needs_program:
            return
        is_over = program.has_output_ended and all(peer.is_over for peer in self.peers)
        if program.status is not None and (is_over or self._is_aftermath_over):
            last = "; ".join(program.screen.text.splitlines()[-LAST_LINES:])
            how = words_for(program.status)
            reason = f"the program ended {how} while the checker waited for {step.waiting()}"
            raise step.fallen(Kind.DIED, f"{reason}; its last lines: {last}" if last else reason)

    def _on_change(self) -> None:
        """Look at the step again. What a program that has exited sent is still on its way."""
        has_exited = self.programs and self.program.status is not None
        if has_exited and not self._is_aftermath_over and not self._aftermath.is_active:
            self._aftermath.start(AFTERMATH)
        self.wake()

    def _on_aftermath(self) -> None:
        self._is_aftermath_over = True
        self.wake()

    def _on_deadline(self) -> None:
        step = self._step
        if step and self.result is None:
            if step.is_done_by_time:
                step.finish(self)
                step.is_done = True
                self.wake()
            else:
                raise step.late(self)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, Fallen):
            is_must = self._case.level is Level.MUST
            verdict = Verdict.FAIL if is_must else Verdict.WARN
            self._finish(verdict, error.shortfall.reason, error.shortfall)
        elif isinstance(error, NotApplicable):
            self._finish(Verdict.SKIP, str(error))
        else:
            lines = traceback.format_exception(error)
            self._finish(Verdict.ERROR, "".join(lines[-2:]).strip())

    def _finish(
        self, verdict: Verdict, reason: str = "", shortfall: Shortfall | None = None
    ) -> None:
        with suppress(Exception):
            self._script.close()
        case = self._case
        self.result = CaseResult(
            case.id, case.level, verdict, case.rule, case.section, case.hint,
            seconds=self.elapsed, reason=reason, shortfall=shortfall, events=tuple(self.events),
            screens=[program.screen.text.splitlines() for program in self.programs],
            recording=self.task.record,
        )  # fmt: skip

    def _note(
        self, what: What, data: bytes = b"", *, peer: int = 0, program: int = 0, note: str = ""
    ) -> None:
        if len(self.events) > MOST_EVENTS:
            return
        if len(self.events) == MOST_EVENTS:
            what, data, note = What.NOTE, b"", "no more events are kept"
        self.events.append(Event(round(self.elapsed, 4), what, data, peer, program, note))
