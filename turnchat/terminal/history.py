"""The lines of this session, to be had again.

They stay in memory: a conversation is private, and leaves no file behind. A walk goes over a copy,
with the line that is half typed as its newest. A line that is changed on the way keeps its change
until the walk ends, and the history itself stays as it was sent.
"""

from collections import deque


class History:
    """At most `limit` lines, the oldest first.

    Walking: back() and forward() take the line as it stands in the editor and return another for
    it, or None at the end of the history. add() and stop() end the walk.
    """

    def __init__(self, limit: int = 200) -> None:
        self.lines: deque[str] = deque(maxlen=limit)
        self._walk: list[str] = []
        self._place = 0  # in the walk

    @property
    def is_walking(self) -> bool:
        """True if the editor shows one of the lines; False if it is back at the newest."""
        return self._place < len(self._walk) - 1

    def add(self, line: str) -> None:
        """Add the newest line, unless it is empty or the same as the one before."""
        self.stop()
        if line and (not self.lines or line != self.lines[-1]):
            self.lines.append(line)

    def back(self, text: str) -> str | None:
        """Return the line before `text`. The first step begins a walk."""
        if not self.is_walking:
            self._walk, self._place = [*self.lines, text], len(self.lines)
        return self._go(self._place - 1, text)

    def forward(self, text: str) -> str | None:
        """Return the line after `text`; at last the one that was half typed."""
        return self._go(self._place + 1, text)

    def stop(self) -> None:
        """End the walk, and forget the line that was half typed."""
        self._walk, self._place = [], 0

    def search(self, pattern: str, before: int | None = None) -> int | None:
        """Return the index of the newest line, older than that at `before`, with `pattern` in it.

        None if there is none.
        """
        count = len(self.lines)
        newest = count if before is None else min(before, count)
        return next((i for i in reversed(range(newest)) if pattern in self.lines[i]), None)

    def _go(self, place: int, text: str) -> str | None:
        if not 0 <= place < len(self._walk):
            return None
        self._walk[self._place] = text
        self._place = place
        return self._walk[place]
