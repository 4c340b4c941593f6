"""Mistakes in the recordings of a timeline, each at the step that shows it."""

from collections.abc import Iterator, Sequence

from turnchat.replay.lint import Finding, find_all
from turnchat.trace.format import Recording

FINDING_LIMIT = 100  # of a recording; their words are longer than the events that they are about


class Findings:
    """The mistakes in one recording, or in both, and their steps."""

    def __init__(self, recordings: Sequence[Recording], *, notes_only: bool) -> None:
        self._waiting: list[dict[int, list[Finding]]] = [{} for _ in recordings]  # by line
        self._shown: list[tuple[int, int, Finding]] = []
        for side, recording in enumerate(recordings):
            for found in find_all(recording.events):
                if not (notes_only and found.is_ours):
                    self._waiting[side].setdefault(found.line, []).append(found)

    def add(self, side: int, line: int, step: int) -> None:
        """Take in that an event is shown as a step."""
        room = FINDING_LIMIT - len(self._shown)
        self._shown += [(side, step, one) for one in self._waiting[side].get(line, ())[:room]]

    def shown(self) -> Iterator[tuple[int, int, Finding]]:
        """Yield the side, the step and the mistake, in the order of the steps."""
        yield from self._shown
