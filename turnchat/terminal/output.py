"""Lines on their way out, to a stream that may not take them.

A terminal can be stopped with Ctrl-S, and a pipe may never be read; no conversation waits for
either. A line is written at once if the stream takes it, or collected for the next flush(). If the
stream takes none, lines wait in a queue, and the loop watches for room. The queue has a bound. Past
it the oldest status lines are dropped first, and messages only when there is no status line left. A
line with their number stands for them. An owner that can hold messages back, by not taking a turn,
does so while `is_writable` is false.

An output can be paused: then lines wait although there is room. So a prompt stays undisturbed. A
Display (display.py) does without: it draws its prompt again below each new line.
"""

from collections import deque
from collections.abc import Callable
from select import PIPE_BUF
from typing import NamedTuple

from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import Stream
from turnchat.text import counted, safe

LIMIT = 1 << 20  # bytes of memory for lines that wait
REFUSED = 0.1  # seconds to the next write, when the selector refuses the stream
COLLECTED = PIPE_BUF // 2  # bytes; with one more line they still fit into one write
LAG = LIMIT >> 4  # bytes of them: some 300 lines, for which 20 kB/s is a second


class Style(NamedTuple):
    """The look of a line: an SGR control sequence (ECMA-48). Status lines may be dropped."""

    sgr: str
    is_status: bool


MESSAGE = Style("\x1b[36m", is_status=False)
STATUS = Style("\x1b[2m", is_status=True)
ERROR = Style("\x1b[31m", is_status=True)
SAID = Style("\x1b[32m", is_status=False)


# The bytes of CPython's objects, and of the entry in a queue. sys.getsizeof() would count
# a copy in UTF-8 as well, which a string may get later: the sum would not be steady.
TUPLE = 88
ASCII, OTHER = 56, 80  # a string without characters; one of ASCII has a byte for each
WIDEST = 4  # bytes of a character in another string


class OutputLine(NamedTuple):
    """One line to show: `start` is ours, `text` may be a stranger's."""

    style: Style
    start: str
    text: str

    @property
    def size(self) -> int:
        """The bytes of memory that it takes in a queue, at most."""
        return TUPLE + _memory(self.start) + _memory(self.text)


def plainly(line: OutputLine) -> str:
    """Render a line for a script."""
    return f"{line.start}{safe(line.text)}\n"


class OutputQueue:
    """Lines that wait, oldest first, in at most `limit` bytes of memory.

    size: the bytes that they take. of_messages: those of them that are not of status lines.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.size = 0
        self.of_messages = 0
        self._limit = limit
        self._lines: deque[OutputLine] = deque()
        self._dropped = 0

    def __bool__(self) -> bool:
        return bool(self._lines or self._dropped)

    def put(self, line: OutputLine) -> None:
        """Append a line. Past the limit, drop others."""
        self._lines.append(line)
        self._count(line, 1)
        if self.size > self._limit:
            self._make_room()

    def take(self) -> OutputLine:
        """Remove and return the oldest line; before it, once, a line for those dropped."""
        if self._dropped:
            dropped, self._dropped = counted(self._dropped, "line"), 0
            return OutputLine(STATUS, "* ", f"{dropped} dropped here: the reader was too slow")
        line = self._lines.popleft()
        self._count(line, -1)
        return line

    def _make_room(self) -> None:
        """Drop until half of the limit is free, so that one pass over the lines serves for many."""
        before = len(self._lines)
        lines, self._lines = self._lines, deque()
        for line in lines:
            if line.style.is_status and self.size > self._limit // 2:
                self._count(line, -1)
            else:
                self._lines.append(line)
        while self.size > self._limit:
            self._count(self._lines.popleft(), -1)
        self._dropped += before - len(self._lines)

    def _count(self, line: OutputLine, sign: int) -> None:
        self.size += sign * line.size
        if not line.style.is_status:
            self.of_messages += sign * line.size


class Output:
    """A stream, and the lines that wait for it.

    on_writable: called when a full stream has made `is_writable` or `is_drained` true again.
    on_error: called once, in the next round, when the stream has failed. Later lines are lost.
    """

    def __init__(
        self, loop: EventLoop, stream: Stream, name: str, render: Callable[[OutputLine], str]
    ) -> None:
        """`render` makes a line into the text to write, newline included."""
        self.on_writable: Callback | None = None
        self.on_error: Callable[[OSError], object] | None = None
        self._loop = loop
        self._stream = stream
        self._render = render
        self._queue = OutputQueue()
        self._unsent = b""  # of lines that have left the queue
        self._is_paused = False
        self._is_draining = False
        self._when_drained: dict[Callback, None] = {}  # in the order of the calls
        self._error: OSError | None = None
        self._watcher = loop.watcher(stream, name)
        self._soon = loop.timer(name, self._report_error)
        self._again = loop.timer(name, self._write_on)

    @property
    def is_writable(self) -> bool:
        """True if messages may still be put: half of the limit is left for those under way.

        Status lines do not count: their stream may be stopped for ever, and must stop no message.
        """
        return self._queue.of_messages <= LIMIT // 2

    @property
    def is_drained(self) -> bool:
        """True if nothing waits."""
        return not self._unsent and not self._queue

    @property
    def is_lagging(self) -> bool:
        """True if so much waits that a reader has to wait for the newest line."""
        return self._queue.size > LAG

    def put(self, line: OutputLine) -> None:
        """Write `line`, now or as soon as the stream takes it."""
        if not self._error:
            self._queue.put(line)
            self.flush()

    def collect(self, line: OutputLine) -> None:
        """Write `line` as put() does, but with others: at the next flush(), or when it is time."""
        if self._error:
            return
        # After a flush() more is left only if lines wait.
        if self._is_paused or len(self._unsent) > COLLECTED:
            self._queue.put(line)
        else:
            self._unsent += encoded(self._render(line))
            if len(self._unsent) > COLLECTED:
                self.flush()

    def call_when_drained(self, callback: Callback) -> None:
        """Call back, once, when nothing waits any more. A second call changes nothing."""
        self._when_drained[callback] = None

    def pause(self, prompt: str) -> None:
        """Write `prompt`, and then nothing until resume(). Only while `is_drained`."""
        self._is_paused = True
        self._write(prompt)

    def resume(self, end: str = "") -> None:
        """Write `end`, which ends the prompt's row, and then the lines that wait."""
        self._is_paused = False
        self._write(end)

    def drain(self, seconds: float | None) -> None:
        """Run the loop, with all its callbacks, until nothing waits or `seconds` have passed."""
        self.flush()
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
        """Give up the lines that still wait, and close the stream."""
        self._watcher.unregister()
        self._soon.cancel()
        self._again.cancel()
        self._stream.close()

    def _write(self, text: str) -> None:
        self._unsent += encoded(text)
        self.flush()

    def flush(self) -> None:
        """Write until the stream takes no more.

        A pipe takes up to PIPE_BUF bytes wholly or not at all (pipe(7)), and a line has fewer. So
        each write has as many whole lines as that, and two outputs into the same pipe do not tear
        each other's lines apart.
        """
        if self._error:
            return
        while data := self._next():
            try:
                taken = self._stream.write(data)
            except OSError as error:
                self._fail(error)
                return
            self._unsent = self._unsent[taken:]
            if not taken:
                break
        try:
            self._watcher.when_writable(self._write_on if self._unsent else None)
        except OSError:  # epoll_ctl(2): ENOSPC, ENOMEM
            self._again.start(REFUSED)
        if self.is_drained:
            callbacks, self._when_drained = self._when_drained, {}
            for callback in callbacks:
                callback()  # it may put a line
            if self._is_draining and self.is_drained:
                self._loop.stop()

    def _next(self) -> bytes:
        """Return what to write next; nothing if there is nothing to write now."""
        while self._queue and not self._is_paused and len(self._unsent) < PIPE_BUF:
            self._unsent += encoded(self._render(self._queue.take()))
        if len(self._unsent) <= PIPE_BUF:
            return self._unsent
        end = self._unsent.rfind(b"\n", 0, PIPE_BUF) + 1
        return self._unsent[:end] if end else self._unsent  # a longer line alone

    def _write_on(self) -> None:
        was_writable = self.is_writable
        self.flush()
        if self.on_writable and (self.is_drained or (self.is_writable and not was_writable)):
            self.on_writable()

    def _fail(self, error: OSError) -> None:
        """Give up. The caller of put() is at work, so the report waits for the next round."""
        self._error = error
        self._queue = OutputQueue()
        self._unsent = b""
        self._watcher.unregister()
        self._soon.start(0)

    def _report_error(self) -> None:
        if self._error and self.on_error:
            self.on_error(self._error)
        if self._is_draining:
            self._loop.stop()


def _memory(text: str) -> int:
    return ASCII + len(text) if text.isascii() else OTHER + WIDEST * len(text)


def encoded(text: str) -> bytes:
    """Return the bytes of a text. Paths may hold bytes that are not UTF-8: lone surrogates."""
    return text.encode(errors="backslashreplace")
