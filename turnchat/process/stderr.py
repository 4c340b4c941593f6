"""What a program writes to its standard error, line by line to the log.

Theory of operation. It is read all the time, in the peer's turn as well; but a little at a time,
with a pause after each read. A program that complains without end is thus held back by its own
pipe, and costs others nothing. Long lines are cut, and of very many short ones some are left out.
"""

from turnchat.chat.news import News
from turnchat.core.lines import Line, LineSplitter
from turnchat.core.loop import ErrorHandler, EventLoop
from turnchat.process.stdio import Stream
from turnchat.text import counted

READ_SIZE = 1 << 12  # bytes
PAUSE = 0.05  # seconds
LAST_READS = 16  # as much as a pipe holds
MOST_LINES = 40  # of each read
MOST_OCTETS = 512  # of each line


class StderrReader:
    """Reads `stream`, and passes on what comes as news with `name` in front."""

    def __init__(
        self, loop: EventLoop, stream: Stream, name: str, news: News, on_error: ErrorHandler
    ) -> None:
        """`failed` takes any exception."""
        self._stream = stream
        self._name = name
        self._news = news
        self._on_error = on_error
        self._splitter = LineSplitter()
        self._watcher = loop.watcher(stream, f"{name}: stderr", self._give_up)
        self._pause = loop.timer(f"{name}: stderr", self._read_on, self._give_up)
        self._read_on()

    def finish(self) -> None:
        """The program has exited: read what is left, and then no more, whoever holds the pipe."""
        for _ in range(LAST_READS):
            self._readable()
        self._log(self._splitter.finish())
        self._pause.cancel()
        self._watcher.unregister()

    def _read_on(self) -> None:
        self._watcher.set_callbacks(reader=self._readable)

    def _readable(self) -> None:
        data = self._stream.read(READ_SIZE)
        if data is None:
            return
        self._watcher.unregister()
        if not data:
            self._log(self._splitter.finish())
            return
        self._pause.start(PAUSE)
        lines = self._splitter.feed(data)
        for line in lines[:MOST_LINES]:
            self._log(line)
        if left := len(lines[MOST_LINES:]):
            self._news.status(f"{self._name}: [{counted(left, 'line')} left out]")

    def _log(self, line: Line | None) -> None:
        if line:
            cut = f" [{line.size} bytes]" if line.size > MOST_OCTETS else ""
            text = line.text[:MOST_OCTETS].decode(errors="backslashreplace")
            self._news.status(f"{self._name}: {text}{cut}")

    def _give_up(self, error: Exception) -> None:
        """What cannot be read stays readable, and would fail in each round."""
        self._watcher.unregister()
        self._on_error(error)
