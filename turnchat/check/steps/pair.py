"""A server and a client that talk with each other, and a person at each of the terminals.

The client connects to the checker, which connects to the server and passes each byte on unchanged,
both streams' ends and resets included. So the report can show what the two have said.
"""

from socket import socket
from typing import TYPE_CHECKING

from turnchat.check.case import CLIENT, SERVER
from turnchat.check.peer import Peer
from turnchat.check.report import Fallen, Kind
from turnchat.check.steps.program import START_TIMEOUT
from turnchat.check.steps.step import Step
from turnchat.check.steps.terminal import ENTER
from turnchat.check.subject import Subject, words_for

if TYPE_CHECKING:
    from turnchat.check.play import Play

ON_ITS_WAY = 0.5  # seconds from a program's exit, in which what it sent may still arrive


class Relay:
    """The way between the two programs.

    server_side, client_side: the checker's ends towards the two, None until both are connected.
    """

    def __init__(self, play: "Play") -> None:
        """Listen for the client, and change play.port to the port that it is to connect to."""
        self.server_side: Peer | None = None
        self.client_side: Peer | None = None
        self._play, self._server_port = play, play.port
        self._is_end_passed: set[Peer] = set()
        play.open_door(on_accept=self._on_accept)

    def _on_accept(self, connected: socket) -> None:
        if self.client_side is None:
            self._play.shut_door()  # it is for one client
            self.client_side = self._play.add_peer(connected, 1, self._pass_on)
            self._play.call(self._server_port, self._on_connect)

    def _on_connect(self, connected: socket) -> None:
        self.server_side = self._play.add_peer(connected, 0, self._pass_on)
        self._pass_on()

    def _pass_on(self) -> None:
        if self.client_side and self.server_side:
            self._pass(self.client_side, self.server_side)
            self._pass(self.server_side, self.client_side)
        self._play.wake()

    def _pass(self, source: Peer, target: Peer) -> None:
        if target.error or not target.is_open:
            return
        data, source.taken = source.rest, len(source.received)
        if data:
            target.send(data)
        if source.error:
            target.reset()
        elif source.has_ended and source not in self._is_end_passed:
            self._is_end_passed.add(source)
            target.end_stream()


class Joined(Step):
    """Wait until the client is connected with the server, through the relay."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(START_TIMEOUT)
        self._relay = relay

    def look(self, play: "Play") -> bool:
        del play
        return self._relay.server_side is not None

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

    def __init__(self, program: Subject, text: str) -> None:
        super().__init__()
        self._program, self._text, self._name = program, text, ""

    def start(self, play: "Play") -> None:
        self._name = name_of(play, self._program)
        self._on_its_way = play.loop.timer("on its way", play.wake)
        self._has_waited = False

    def look(self, play: "Play") -> bool:
        if self._program.screen.shows(self._text):
            self._on_its_way.cancel()
            return True
        ended = [program for program in play.programs if program.status is not None]
        if ended and not self._has_waited:
            self._has_waited = True
            self._on_its_way.start(ON_ITS_WAY)
        elif ended and not self._on_its_way.is_active:
            assert ended[0].status is not None
            how = f"the {name_of(play, ended[0])} ended {words_for(ended[0].status)}"
            reason = f"{how} while the checker waited for {self.waiting()}"
            raise self.fallen(Kind.DIED, reason, *self._evidence())
        return False

    def waiting(self) -> str:
        return f"the text {self._text!r} on the {self._name}'s screen"

    def late(self, play: "Play") -> Fallen:
        late = super().late(play).shortfall
        return self.fallen(Kind.HANGS, late.reason, *self._evidence())

    def _evidence(self) -> tuple[bytes, bytes]:
        return self._text.encode(), self._program.screen.text.encode()


class EndsAt(Step):
    """Wait until one of the two programs has ended by itself, with status 0.

    may_go_on: it may also run on, but if it ends in this time, then with 0.
    """

    needs_program = False

    def __init__(
        self, program: Subject, seconds: float | None = None, *, may_go_on: bool = False
    ) -> None:
        super().__init__(seconds)
        self._program, self._name = program, ""
        self.is_done_by_time = may_go_on

    def start(self, play: "Play") -> None:
        self._name = name_of(play, self._program)

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
    """Wait until one of the two programs has ended its stream, in good order: its side's peer."""

    needs_program = False

    def __init__(self, side: Peer, name: str) -> None:
        super().__init__()
        self._side, self._name = side, name

    def look(self, play: "Play") -> bool:
        del play
        if self._side.error:
            raise self.fallen(Kind.WRONG, f"the {self._name} reset the connection")
        return self._side.has_ended

    def waiting(self) -> str:
        return f"the end of the {self._name}'s stream"


def name_of(play: "Play", program: Subject) -> str:
    """Return the role of one of the two, which are started in this order."""
    return (SERVER, CLIENT)[play.programs.index(program)]
