"""The interface of all steps."""

import time
from typing import TYPE_CHECKING, Any

from turnchat.check.diagnosis import state
from turnchat.check.report import Awaited, Fallen, Kind, Shortfall
from turnchat.core.loop import Timer

if TYPE_CHECKING:
    from turnchat.check.play import Play

GRACE = 0.5  # seconds from the first sign of a program's end to the last, see Step.has_settled()
INTERVAL = 0.005  # seconds from one look to the next, at least
SHARE = 0.1  # of a processor, which looks may take

Evidence = tuple[bytes | None, bytes | None]


class Step:
    """One thing that a script does or waits for: this one does nothing.

    seconds: the time for it, None for the task's. needs_program: if the program ends meanwhile, the
    step falls short at once. is_done_by_time: it passes when its time is up. late_kind: the kind of
    its shortfall if it does not. awaits: the kind of what it waits for. extension: the seconds that
    it has got beyond its time, since others had the processor.
    """

    needs_program = True
    is_done_by_time = False
    late_kind = Kind.HANGS
    awaits: Awaited | None = None

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.result: Any = None
        self.is_done = False
        self.extension = 0.0
        self._grace: Timer | None = None

    def start(self, play: "Play") -> None:
        """Do it, or begin to wait. Raises Fallen, NotApplicable."""

    def look(self, play: "Play") -> bool:  # noqa: ARG002 - others need it
        """Return True if it is done. Raises Fallen."""
        return not self.is_done_by_time or self.is_done

    def finish(self, play: "Play") -> None:
        """Judge what was seen in the time, if is_done_by_time. Raises Fallen, NotApplicable."""

    def waiting(self) -> str:
        """Return the words for what it waits for."""
        return type(self).__name__.lower()

    def late(self, play: "Play") -> Fallen:
        """Return the shortfall of a step whose time is up, and note what the program is at."""
        for words in state.notes(play):
            play.note(words)
        seconds = play.task.timeout if self.seconds is None else self.seconds
        reason = f"{self.waiting()} did not come within {seconds:g} s"
        if self.extension:
            reason += f", and {self.extension:.1f} s more since the system was busy"
        return self.fallen(self.late_kind, reason, *self.evidence(play))

    def evidence(self, play: "Play") -> Evidence:  # noqa: ARG002 - others need it
        """Return what it expects and what has come, if it compares bytes or text."""
        return None, None

    def has_settled(self, play: "Play") -> bool:
        """Return True if GRACE has passed since the first call, at the first sign of an end.

        An exit and the end of a stream are seen one after the other, in any order. What a program
        sent before its exit counts, and one that dies is told from one that hangs up and goes on.
        """
        if self._grace is None:
            self._grace = play.loop.timer("grace", play.wake)
            self._grace.start(GRACE)
        return not self._grace.is_active

    def fallen(
        self,
        kind: Kind,
        reason: str,
        expected: bytes | None = None,
        received: bytes | None = None,
    ) -> Fallen:
        return Fallen(Shortfall(kind, reason, self.waiting(), expected, received, self.awaits))


class Polling(Step):
    """A step that waits for something of which no event tells, so it looks again and again.

    No event tells that another process listens, accepts, reads, or closes a file of its own. (Of
    its exit and of all that it sends or shows, one does.) Each look reads tables of the kernel that
    are as long as the system is busy. So the pause is longer if a look takes longer: a checker that
    waits must not take the processor from the program that it waits for.
    """

    def start(self, play: "Play") -> None:
        self._pause = play.loop.timer("look again", play.wake)

    def look(self, play: "Play") -> bool:
        if self.is_done or self._pause.is_active:
            return self.is_done
        before = time.process_time()
        has_come = self.has_come(play)
        self._pause.start(max(INTERVAL, (time.process_time() - before) / SHARE))
        return has_come

    def has_come(self, play: "Play") -> bool:
        """Return True if what it waits for is there. Raises Fallen."""
        raise NotImplementedError
