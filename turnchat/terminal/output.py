"""Lines on their way out, to a stream that may not take them.

Theory of operation. A terminal can be stopped with Ctrl-S, and nobody need ever read a pipe; no
conversation may wait for either. So a line is written at once if the stream takes it, and waits in
the backlog if not, while the loop watches for room. The backlog has a bound. Past it the oldest
status lines go first: they are news, and old. A message goes only when there is no status line
left, and whoever can hold messages back, by not taking a turn, does so while `has_room` says no.
How many lines were dropped is said in front of those that were not.

An output can be held: then lines wait although there is room. So a prompt stays undisturbed.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import Stream
from turnchat.text import counted

LIMIT = 1 << 20  # characters that may wait, before they are escaped and encoded


class Style(NamedTuple):
    """How a line is shown. style: ECMA-48 control sequence (SGR). is_status: whether it is news."""

    style: str
    is_status: bool


MESSAGE = Style("\x1b[36m", is_status=False)
STATUS = Style("\x1b[2m", is_status=True)
ERROR = Style("\x1b[31m", is_status=True)
SAID = Style("\x1b[32m", is_status=False)


class OutputLine(NamedTuple):
    """One line to be shown: `start` is ours, `text` may be anybody's."""

    style: Style
    start: str
    text: str

    @property
    def size(self) -> int:
        """How many characters it has."""
        return len(self.start) + len(self.text)


class OutputQueue:
    """Lines that wait, oldest first; at most `limit` characters of them.

    size: how many characters wait. of_messages: how many of these are not of status lines.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.size = 0
        self.of_messages = 0
        self._limit = limit
        self._rows: deque[OutputLine] = deque()
        self._dropped = 0

    def __bool__(self) -> bool:
        return bool(self._rows or self._dropped)

    def put(self, row: OutputLine) -> None:
        """Let `row` wait as the last one."""
        self._rows.append(row)
        self._count(row, 1)
        if self.size > self._limit:
            self._make_room()

    def take(self) -> OutputLine:
        """The row that has waited longest; before it, once, how many were dropped."""
        if self._dropped:
            dropped, self._dropped = counted(self._dropped, "line"), 0
            return OutputLine(STATUS, "* ", f"{dropped} dropped here: nobody was reading")
        row = self._rows.popleft()
        self._count(row, -1)
        return row

    def _make_room(self) -> None:
        """Drop until half of the bound is free: so one pass over the lines serves for many."""
        before = len(self._rows)
        rows, self._rows = self._rows, deque()
        for row in rows:
            if row.style.is_status and self.size > self._limit // 2:
                self._count(row, -1)
            else:
                self._rows.append(row)
        while self.size > self._limit:
            self._count(self._rows.popleft(), -1)
        self._dropped += before - len(self._rows)

    def _count(self, row: OutputLine, sign: int) -> None:
        self.size += sign * row.size
        if not row.style.is_status:
            self.of_messages += sign * row.size


class Output:
    """One way out: a stream, and the rows that wait for it.

    on_room: called when a stream that was full has made `has_room` or `is_clear` true. on_broken:
    called, in the next round, when nothing can be written any more; what is put then is lost.
    """

    def __init__(
        self, loop: EventLoop, stream: Stream, name: str, render: Callable[[OutputLine], str]
    ) -> None:
        """`render` makes of a row the text that is written, with its end."""
        self.on_room: Callback = nothing
        self.on_broken: Callable[[OSError], object] = nothing
        self._loop = loop
        self._stream = stream
        self._render = render
        self._queue = OutputQueue()
        self._unsent = b""  # no longer in the backlog, and not yet in the stream
        self._is_paused = False
        self._error: OSError | None = None
        self._watcher = loop.watcher(stream, name)
        self._soon = loop.timer(name, self._tell_broken)
        self._is_draining = False

    @property
    def is_writable(self) -> bool:
        """Whether messages may still be put: half of the bound is left for those under way.

        Status lines do not count. Their stream may be stopped for ever, and no conversation waits.
        """
        return self._queue.of_messages <= LIMIT // 2

    @property
    def is_drained(self) -> bool:
        """Whether nothing waits."""
        return not self._unsent and not self._queue

    def put(self, row: OutputLine) -> None:
        """Write `row`, now or as soon as may be."""
        if not self._error:
            self._queue.put(row)
            self._flush()

    def pause(self, prompt: str) -> None:
        """Write `prompt`, and then nothing until resume(). Only while it is clear."""
        self._is_paused = True
        self._write(prompt)

    def resume(self, end: str = "") -> None:
        """Write `end`, which ends the prompt's row, and then what was held back."""
        self._is_paused = False
        self._write(end)

    def drain(self, seconds: float | None) -> None:
        """Run the loop, and all that it serves, until nothing waits, or `seconds` have passed."""
        if self.is_drained:
            return
        timer = self._loop.timer("last lines", self._loop.stop)
        if seconds is not None:
            timer.start(seconds)
        self._is_draining = True
        self._loop.run()
        self._is_draining = False
        timer.cancel()

    def close(self) -> None:
        """Give up what still waits."""
        self._watcher.unregister()
        self._soon.cancel()
        self._stream.close()

    def _write(self, text: str) -> None:
        if not self._error:
            self._unsent += _encoded(text)
            self._flush()

    def _flush(self) -> None:
        """Write what the stream takes, a row at a time.

        A pipe takes up to PIPE_BUF bytes wholly or not at all (pipe(7)), and a row has less: so
        two outputs that lead into the same pipe do not tear each other's lines apart.
        """
        while self._unsent or (self._queue and not self._is_paused):
            if not self._unsent:
                self._unsent = _encoded(self._render(self._queue.take()))
            try:
                taken = self._stream.write(self._unsent)
            except OSError as error:
                self._break(error)
                return
            self._unsent = self._unsent[taken:]
            if not taken:
                break
        self._watcher.set_callbacks(writer=self._writable if self._unsent else None)

    def _writable(self) -> None:
        had_room = self.is_writable
        self._flush()
        if self.is_drained or (self.is_writable and not had_room):
            self.on_room()
        if self.is_drained and self._is_draining:
            self._loop.stop()

    def _break(self, error: OSError) -> None:
        """Give up. Whoever put the row is at work, and hears of it in the next round."""
        self._error = error
        self._queue = OutputQueue()
        self._unsent = b""
        self._watcher.unregister()
        self._soon.start(0)

    def _tell_broken(self) -> None:
        if self._error:
            self.on_broken(self._error)
        if self._is_draining:
            self._loop.stop()


def nothing(*_: object) -> None:
    """What is called where nobody wants to be."""


def _encoded(text: str) -> bytes:
    # A path on the command line may hold bytes that are not UTF-8: lone surrogates, in Python.
    return text.encode(errors="backslashreplace")
