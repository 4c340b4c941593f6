"""The interface of all steps."""

from typing import TYPE_CHECKING, Any

from turnchat.check.report import Fallen, Kind, Shortfall

if TYPE_CHECKING:
    from turnchat.check.play import Play

INTERVAL = 0.005  # seconds


class Step:
    """One thing that a script does or waits for: this one does nothing.

    seconds: the time for it, None for the task's. needs_program: if the program ends meanwhile, the
    step falls short at once. is_done_by_time: it passes when its time is up.
    """

    needs_program = True
    is_done_by_time = False

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.result: Any = None
        self.is_done = False

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
        """Return the shortfall of a step whose time is up."""
        seconds = play.task.timeout if self.seconds is None else self.seconds
        return self.fallen(Kind.HANGS, f"{self.waiting()} did not come within {seconds:g} s")

    def fallen(
        self,
        kind: Kind,
        reason: str,
        expected: bytes | None = None,
        received: bytes | None = None,
    ) -> Fallen:
        return Fallen(Shortfall(kind, reason, self.waiting(), expected, received))


class Polling(Step):
    """A step that waits for something of which no event tells: it is looked at every INTERVAL."""

    def start(self, play: "Play") -> None:
        def on_time() -> None:
            play.wake()
            self._timer.start(INTERVAL)

        self._timer = play.loop.timer("look again", on_time)
        self._timer.start(INTERVAL)

    def look(self, play: "Play") -> bool:
        if self.is_done or self.has_come(play):
            self._timer.cancel()
            return True
        return False

    def has_come(self, play: "Play") -> bool:
        """Return True if what it waits for is there. Raises Fallen."""
        raise NotImplementedError
