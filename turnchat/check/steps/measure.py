"""Steps that measure: time passes, and the program must not do this or that in it."""

from typing import TYPE_CHECKING

from turnchat.check.processes.load import BUSY
from turnchat.check.report import Fallen, Kind, NotApplicable
from turnchat.check.steps.step import Polling, Step

if TYPE_CHECKING:
    from turnchat.check.play import Play
    from turnchat.check.processes import Usage

SURE = 0.2  # seconds in which the end of a program is known


class Pass(Step):
    """Let time pass."""

    needs_program = False
    is_done_by_time = True


class Rests(Step):
    """Let time pass in which the program must not be at work for more than BUSY of it.

    The time in which it waits for a processor counts, too: so a busy system hides no program that
    spins. And one that spins goes on: work that ends, such as that of a start, is no spinning. So
    a program that was busy is measured once more.
    """

    needs_program = False
    is_done_by_time = True

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._window = seconds
        self._is_settled = False

    def start(self, play: "Play") -> None:
        self._before = measured(play)
        self._once_more = play.loop.timer("once more", play.wake)

    def finish(self, play: "Play") -> None:
        if self._was_busy(play):
            self._once_more.start(self._window)
        else:
            self._is_settled = True

    def look(self, play: "Play") -> bool:
        if not self.is_done or self._is_settled or self._once_more.is_active:
            return self._is_settled
        if self._was_busy(play):
            reason = f"the program was at work for {self._busy:.2f} s of {self._window:g} s"
            reason += ", in which it had nothing to do"
            if self._busy > 2 * self._cpu:
                reason += f"; other programs left it {self._cpu:.2f} s of a processor"
            raise self.fallen(Kind.SPINS, reason)
        return True

    def waiting(self) -> str:
        return f"{self.seconds:g} s without work"

    def _was_busy(self, play: "Play") -> bool:
        """Return True if it was at work since the last time that this was called."""
        before, self._before = self._before, measured(play)
        self._cpu = self._before.cpu - before.cpu
        self._busy = self._cpu + self._before.queued - before.queued
        return self._busy > BUSY * self._window


class Shrinks(Polling):
    """Wait until the program has at most so many of something: a field of Usage."""

    needs_program = False

    def __init__(self, field: str, most: int, seconds: float | None = None) -> None:
        super().__init__(seconds)
        self._field, self._most = field, most
        self._number = 0

    def has_come(self, play: "Play") -> bool:
        self._number = getattr(measured(play), self._field)
        return self._number <= self._most

    def late(self, play: "Play") -> Fallen:
        del play
        has = "1 process" if (self._number, self._field) == (1, "processes") else None
        has = has or f"{self._number} {self._field}"
        reason = f"the program has {has}, and {self._most} would be the most"
        return self.fallen(Kind.WRONG, reason)

    def waiting(self) -> str:
        return f"at most {self._most} {self._field}"


class LeavesNothing(Shrinks):
    """Wait until the program has ended and left no process, or has at most as many as before.

    A program that ends is among them no more, a moment before its end is known: so it holds only if
    it still holds a little later.
    """

    def __init__(self, before: int) -> None:
        super().__init__("processes", before)
        self._holds_since: float | None = None

    def has_come(self, play: "Play") -> bool:
        if play.program.status is not None:
            self._most = 0
        if not super().has_come(play):
            self._holds_since = None
            return False
        if self._holds_since is None:
            self._holds_since = play.elapsed
        return play.elapsed - self._holds_since > SURE


def measured(play: "Play") -> "Usage":
    """Return what the program uses now. Raises NotApplicable where the system does not tell."""
    usage = play.program.usage()
    if usage is None:
        raise NotApplicable("this system does not tell what a process uses: it has no /proc")
    return usage
