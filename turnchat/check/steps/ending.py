"""Steps for the end of a conversation: a program leaves it, and ends or goes on.

A server may serve one client and exit, or go on and serve the next: both are right. So Ends is the
next client, too. A program that does neither hangs, or spins: its use of the processor tells.
"""

from typing import TYPE_CHECKING

from turnchat.check.case import SERVER
from turnchat.check.peer import Caller, Peer
from turnchat.check.report import Fallen, Kind
from turnchat.check.steps.measure import BUSY
from turnchat.check.steps.program import START_TIMEOUT
from turnchat.check.steps.step import Step
from turnchat.check.steps.wire import Closes, frame
from turnchat.check.subject import words_for

if TYPE_CHECKING:
    from turnchat.check.play import Play

NEXT = "the-next-client-says-this"


class Stopwatch:
    """The work of the program from now on, with its wait for a processor on a busy system."""

    def __init__(self, play: "Play") -> None:
        self._play, self._began = play, play.elapsed
        self._before = play.program.usage()

    def spinning(self) -> str | None:
        """Return the words for a program that is at work all the time, or None."""
        now, seconds = self._play.program.usage(), self._play.elapsed - self._began
        if now is None or self._before is None:
            return None
        used, queued = now.cpu - self._before.cpu, now.queued - self._before.queued
        if used + queued <= BUSY * seconds:
            return None
        return f"the program spins: it used {used:.1f} s of processor time in {seconds:.1f} s"


class Leaves(Closes):
    """Wait until the program has ended its stream, or reset the connection, and says no more.

    believed: text that stands on the screen only if the program took bad bytes for a message.
    """

    def __init__(
        self, peer: Peer | None = None, seconds: float | None = None, *, believed: str = ""
    ) -> None:
        super().__init__(peer, seconds, by_reset=True)
        self._believed = believed

    def start(self, play: "Play") -> None:
        super().start(play)
        self._stopwatch = Stopwatch(play)

    def late(self, play: "Play") -> Fallen:
        spinning = self._stopwatch.spinning()
        if spinning:
            return self.fallen(Kind.SPINS, spinning)
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

    def __init__(self, status: int | None = None, seconds: float | None = None) -> None:
        super().__init__(seconds)
        self._status = status
        self._caller: Caller | None = None

    def start(self, play: "Play") -> None:
        self._number, self._is_said = len(play.peers), False
        self._stopwatch = Stopwatch(play)
        if play.role is SERVER:
            self.seconds = START_TIMEOUT if self.seconds is None else self.seconds
            self._caller = play.call()

    def look(self, play: "Play") -> bool:
        program = play.program
        if len(play.peers) > self._number and not self._is_said:
            self._is_said = True
            self.result = play.peers[self._number]
            self.result.send(frame(NEXT))
        if self._is_said and program.screen.shows(NEXT):
            return True
        if program.status is None or not program.has_output_ended:
            return False
        self._give_up()
        self._judge(program.status)
        return True

    def waiting(self) -> str:
        if self._caller:
            return "the end of the program, or its service for the next client,"
        return "the end of the program"

    def late(self, play: "Play") -> Fallen:
        self._give_up()
        spinning = self._stopwatch.spinning()
        return self.fallen(Kind.SPINS, spinning) if spinning else super().late(play)

    def _give_up(self) -> None:
        self.result = None
        if self._caller:
            self._caller.close()

    def _judge(self, status: int) -> None:
        if status < 0:
            raise self.fallen(Kind.DIED, f"the program ended {words_for(status)}")
        if self._status is not None and status != self._status:
            reason = f"the program ended {words_for(status)} and not {words_for(self._status)}"
            raise self.fallen(Kind.DIED, reason)
