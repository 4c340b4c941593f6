"""A child's standard error: each line goes to the log.

It is read all the time, also in the peer's turn. In each second a bounded number of bytes is read,
and a bounded number of lines is logged; the others are counted, and the log has the count. So a
child that prints without end is held back by its own pipe, and others do not pay for it.
"""

from contextlib import suppress

from turnchat.core.lines import Line, LineSplitter
from turnchat.core.loop import ErrorHandler, EventLoop
from turnchat.logger import Logger
from turnchat.process.stdio import Stream
from turnchat.text import counted, reason

READ_SIZE = 1 << 12  # bytes
PAUSE = 0.05  # seconds from a read to the next
PERIOD = 1.0  # seconds
MOST_READ = 1 << 14  # bytes, in a period
MOST_LINES = 100  # in a period, and at the end
MOST_BYTES = 512  # of each line
LAST_READ = 1 << 16  # bytes; as much as a pipe holds


class StderrReader:
    """Reads `stream` and logs its lines, with `name` in front of each."""

    def __init__(
        self,
        loop: EventLoop,
        stream: Stream,
        name: str,
        logger: Logger,
        on_error: ErrorHandler,
    ) -> None:
        self._loop = loop
        self._stream = stream
        self._name = name
        self._logger = logger
        self._on_error = on_error
        self._splitter = LineSplitter()
        self._watcher = loop.watcher(stream, f"{name}: stderr", self._fail)
        self._pause = loop.timer(f"{name}: stderr", self._read_on, self._fail)
        self._ends = loop.now  # of the period
        self._bytes_left, self._lines_left, self._left_out = MOST_READ, MOST_LINES, 0
        self._read_on()

    def finish(self) -> None:
        """Log the rest, since the child has exited: its last lines if there are too many.

        Then stop, even if the pipe is still open.
        """
        self.stop()
        data = b""
        with suppress(OSError):  # EIO, ENOMEM: the rest is lost, and the child has gone
            while len(data) < LAST_READ and (more := self._stream.read(LAST_READ)):
                data += more
        late = data.rsplit(b"\n", MOST_LINES + 1)
        if len(late) > MOST_LINES + 1:  # the first part is left out
            self._splitter.discard()
            self._left_out += late[0].count(b"\n") + 1
            data = b"\n".join(late[1:])
        self._log_left_out()
        for line in self._splitter.feed(data):
            self._log(line)
        self._log(self._splitter.finish())

    def stop(self) -> None:
        """Read no more."""
        self._pause.cancel()
        self._watcher.unregister()

    def _renew_period(self) -> None:
        if self._loop.now >= self._ends:
            self._log_left_out()
            self._ends = self._loop.now + PERIOD
            self._bytes_left, self._lines_left = MOST_READ, MOST_LINES

    def _read_on(self) -> None:
        self._renew_period()
        try:
            self._watcher.when_readable(self._read)
        except OSError:  # epoll_ctl(2): ENOSPC, ENOMEM
            self._pause.start(PERIOD)

    def _read(self) -> None:
        self._renew_period()
        if not self._bytes_left:  # as good as renewed, for a clock that is coarse
            self._bytes_left = READ_SIZE
        data = self._stream.read(min(READ_SIZE, self._bytes_left))
        if data is None:
            return
        self._watcher.unregister()
        if not data:
            self._log_left_out()
            self._log(self._splitter.finish())
            return
        self._bytes_left -= len(data)
        self._take(data)
        if self._bytes_left and not self._left_out:
            self._pause.start(PAUSE)
        else:
            self._pause.start(max(PAUSE, self._ends - self._loop.now))

    def _take(self, data: bytes) -> None:
        """Log the lines that `data` completes; those that are too many are only counted."""
        *ends, rest = data.split(b"\n", self._lines_left)
        for line in self._splitter.feed(b"".join(end + b"\n" for end in ends)):
            self._log(line)
        self._lines_left -= len(ends)
        if number := rest.count(b"\n"):
            self._left_out += number
            self._splitter.discard()
            rest = rest[rest.rfind(b"\n") + 1 :]
        self._splitter.feed(rest)

    def _log_left_out(self) -> None:
        if self._left_out:
            self._logger.info("%s: [%s left out]", self._name, counted(self._left_out, "line"))
            self._left_out = 0

    def _log(self, line: Line | None) -> None:
        if line:
            cut = f" [{line.size} bytes]" if line.size > MOST_BYTES else ""
            text = line.text[:MOST_BYTES].decode(errors="backslashreplace")
            self._logger.info("%s: %s%s", self._name, text, cut)

    def _fail(self, error: Exception) -> None:
        """Stop watching: a file that cannot be read stays readable, and would fail each round."""
        self._watcher.unregister()
        if isinstance(error, OSError):
            self._logger.error("%s: standard error cannot be read: %s", self._name, reason(error))
        else:
            self._on_error(error)
