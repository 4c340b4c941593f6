"""A server and a client that talk with each other, and a person at each of the terminals.

The client connects to the checker, which connects to the server and passes each byte on unchanged,
both streams' ends and resets included. So the report can show what the two have said.
"""

from socket import socket
from typing import TYPE_CHECKING

from turnchat.check.case import CLIENT, SERVER, Role
from turnchat.check.report import Awaited, Kind
from turnchat.check.sockets.peer import Peer
from turnchat.check.steps.program import START_TIMEOUT
from turnchat.check.steps.step import Evidence, Step
from turnchat.check.steps.terminal import ENTER
from turnchat.check.subject import Subject, words_for

if TYPE_CHECKING:
    from turnchat.check.play import Play

SIDES = (SERVER, CLIENT)  # in the order in which they are started


class Relay:
    """The way between the two programs. sides: the checker's ends of it, by the role beyond."""

    def __init__(self, play: "Play") -> None:
        """Listen for the client, and change play.port to the port that it is to connect to."""
        self.sides: dict[Role, Peer] = {}
        self._play, self._server_port = play, play.port
        self._ends_passed: set[Peer] = set()
        play.listen(on_accept=self._on_accept)

    @property
    def is_joined(self) -> bool:
        return len(self.sides) == len(SIDES)

    def _on_accept(self, connected: socket) -> None:
        if CLIENT not in self.sides:
            self._play.stop_listening()  # it is for one client
            self._add(CLIENT, connected)
            self._play.connect(self._server_port, lambda made: self._add(SERVER, made))

    def _add(self, role: Role, connected: socket) -> None:
        peer = self._play.add_peer(connected, SIDES.index(role), self._pass_on)
        self.sides[role] = peer
        self._pass_on()

    def _pass_on(self) -> None:
        if self.is_joined:
            self._pass(self.sides[CLIENT], self.sides[SERVER])
            self._pass(self.sides[SERVER], self.sides[CLIENT])
        self._play.wake()

    def _pass(self, source: Peer, target: Peer) -> None:
        if target.error or not target.is_open:
            return
        data, source.taken = source.rest, len(source.received)
        if data:
            target.send(data)
        if source.error:
            target.reset()
        elif source.has_ended and source not in self._ends_passed:
            self._ends_passed.add(source)
            target.end_stream()


class Joined(Step):
    """Wait until the client is connected with the server, through the relay."""

    awaits = Awaited.CONNECTION

    def __init__(self, relay: Relay) -> None:
        super().__init__(START_TIMEOUT)
        self._relay = relay

    def look(self, play: "Play") -> bool:
        del play
        return self._relay.is_joined

    def waiting(self) -> str:
        return "the client's connection with the server"


class TypeAt(Step):
    """Type a line, and Enter, at one of the two terminals."""

    needs_program = False

    def __init__(self, program: Subject, line: str) -> None:
        super().__init__()
        self._program, self._keys = program, line.encode() + ENTER

    def start(self, play: "Play") -> None:
        del play
        self._program.type(self._keys)


class ShowsAt(Step):
    """Wait until a text stands on one of the two screens. It falls short if a program has ended."""

    needs_program = False
    awaits = Awaited.SCREEN

    def __init__(self, program: Subject, text: str) -> None:
        super().__init__()
        self._program, self._text, self._name = program, text, ""

    def start(self, play: "Play") -> None:
        self._name = play.name_of(self._program)

    def look(self, play: "Play") -> bool:
        if self._program.screen.shows(self._text):
            return True
        for program in play.programs:
            if program.status is not None and self.has_settled(play):
                how = f"the {play.name_of(program)} ended {words_for(program.status)}"
                reason = f"{how} while the checker waited for {self.waiting()}"
                raise self.fallen(Kind.DIED, reason, *self.evidence(play))
        return False

    def waiting(self) -> str:
        return f"the text {self._text!r} on the {self._name}'s screen"

    def evidence(self, play: "Play") -> Evidence:
        del play
        return self._text.encode(), self._program.screen.text.encode()


class EndsAt(Step):
    """Wait until one of the two programs has ended by itself, with status 0.

    may_go_on: it may also run on, but if it ends in this time, then with 0.
    """

    needs_program = False
    awaits = Awaited.EXIT

    def __init__(
        self, program: Subject, seconds: float | None = None, *, may_go_on: bool = False
    ) -> None:
        super().__init__(seconds)
        self._program, self._name = program, ""
        self.is_done_by_time = may_go_on

    def start(self, play: "Play") -> None:
        self._name = play.name_of(self._program)

    def look(self, play: "Play") -> bool:
        del play
        status = self._program.status
        if status:
            raise self.fallen(
                Kind.DIED, f"the {self._name} ended {words_for(status)} and not {words_for(0)}"
            )
        return status == 0 or self.is_done

    def waiting(self) -> str:
        return f"the end of the {self._name}"


class HasClosed(Step):
    """Wait until one of the two programs has ended its stream, in good order."""

    needs_program = False
    awaits = Awaited.STREAM_END

    def __init__(self, relay: Relay, role: Role) -> None:
        super().__init__()
        self._side, self._name = relay.sides[role], role

    def look(self, play: "Play") -> bool:
        del play
        if self._side.error:
            raise self.fallen(Kind.WRONG, f"the {self._name} reset the connection")
        return self._side.has_ended

    def waiting(self) -> str:
        return f"the end of the {self._name}'s stream"
