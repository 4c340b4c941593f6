"""Steps for the end of a conversation: a program leaves it, and ends or goes on.

A server may serve one client and exit, or go on and serve the next: both are right. So Ends is the
next client, too.
"""

from typing import TYPE_CHECKING

from turnchat.check.case import CLIENT, SERVER
from turnchat.check.report import Awaited, Fallen, Kind
from turnchat.check.sockets.connecting import Connector
from turnchat.check.sockets.peer import Peer
from turnchat.check.steps.step import Step
from turnchat.check.steps.wire import Closes, frame
from turnchat.check.subject import words_for

if TYPE_CHECKING:
    from turnchat.check.play import Play

NEXT = "the-next-client-says-this"


class Leaves(Closes):
    """Wait until the program has ended its stream, or reset the connection, and says no more.

    believed: text that stands on the screen only if the program took bad bytes for a message.
    """

    def __init__(
        self, peer: Peer | None = None, seconds: float | None = None, *, believed: str = ""
    ) -> None:
        super().__init__(peer, seconds, by_reset=True)
        self._believed = believed

    def late(self, play: "Play") -> Fallen:
        if self._believed and play.program.screen.shows(self._believed):
            reason = f"the program took bad bytes for a message, and shows it: {self._believed!r}"
            return self.fallen(Kind.WRONG, reason, received=play.program.screen.text.encode())
        return super().late(play)


class Ends(Step):
    """Wait until the program exits; a server may also serve the next client.

    status: the one that it must exit with, None for any. Its result is the next client's
    connection, or None if the program has exited.
    """

    needs_program = False
    awaits = Awaited.EXIT

    def __init__(self, status: int | None = None, seconds: float | None = None) -> None:
        super().__init__(seconds)
        self._status = status
        self._connector: Connector | None = None

    def start(self, play: "Play") -> None:
        self._number, self._is_said = len(play.peers), False
        if play.role is SERVER:
            self._connector = play.connect()

    def look(self, play: "Play") -> bool:
        program = play.program
        if play.role is CLIENT and len(play.peers) > play.met:
            raise self.fallen(Kind.WRONG, "the program connected again, after the conversation")
        if len(play.peers) > self._number and not self._is_said:
            self._is_said = True
            self.result = play.peers[self._number]
            self.result.send(frame(NEXT))
        if self._is_said and program.screen.shows(NEXT):
            return True
        if program.status is None or not program.has_output_ended:
            return False
        self.result = None
        if self._connector:
            self._connector.close()
        self._judge(program.status)
        return True

    def waiting(self) -> str:
        if self._connector:
            return "the end of the program, or its service for the next client,"
        return "the end of the program"

    def _judge(self, status: int) -> None:
        if status < 0:
            raise self.fallen(Kind.DIED, f"the program ended {words_for(status)}")
        if self._status is not None and status != self._status:
            reason = f"the program ended {words_for(status)} and not {words_for(self._status)}"
            raise self.fallen(Kind.DIED, reason)
