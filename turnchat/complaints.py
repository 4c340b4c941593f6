"""What a program writes to its standard error, line by line to the log.

Theory of operation. It is read all the time, in the peer's turn as well; but a little at a time,
with a pause after each read. A program that complains without end is thus held back by its own
pipe, and costs others nothing. Long lines are cut, and of very many short ones some are left out.
"""

from turnchat.lines import Line, LineSplitter
from turnchat.loop import EventLoop, Failed
from turnchat.news import News
from turnchat.stream import Stream
from turnchat.text import counted

READ_SIZE = 1 << 12  # octets
PAUSE = 0.05  # seconds
LAST_READS = 16  # as much as a pipe holds
MOST_LINES = 40  # of each read
MOST_OCTETS = 512  # of each line


class Complaints:
    """Reads `stream`, and passes on what comes as news with `name` in front."""

    def __init__(
        self, loop: EventLoop, stream: Stream, name: str, news: News, failed: Failed
    ) -> None:
        """`failed` takes any exception."""
        self._stream = stream
        self._name = name
        self._news = news
        self._failed = failed
        self._splitter = LineSplitter()
        self._watch = loop.watch(stream, f"{name}: stderr", self._give_up)
        self._pause = loop.deadline(f"{name}: stderr", self._read_on, self._give_up)
        self._read_on()

    def finish(self) -> None:
        """The program has exited: read what is left, and then no more, whoever holds the pipe."""
        for _ in range(LAST_READS):
            self._readable()
        self._log(self._splitter.finish())
        self._pause.cancel()
        self._watch.forget()

    def _read_on(self) -> None:
        self._watch.want(reader=self._readable)

    def _readable(self) -> None:
        octets = self._stream.read(READ_SIZE)
        if octets is None:
            return
        self._watch.forget()
        if not octets:
            self._log(self._splitter.finish())
            return
        self._pause.set(PAUSE)
        lines = self._splitter.feed(octets)
        for line in lines[:MOST_LINES]:
            self._log(line)
        if left := len(lines[MOST_LINES:]):
            self._news.status(f"{self._name}: [{counted(left, 'line')} left out]")

    def _log(self, line: Line | None) -> None:
        if line:
            cut = f" [{line.size} octets]" if line.size > MOST_OCTETS else ""
            text = line.text[:MOST_OCTETS].decode(errors="backslashreplace")
            self._news.status(f"{self._name}: {text}{cut}")

    def _give_up(self, error: Exception) -> None:
        """What cannot be read stays readable, and would fail in each round."""
        self._watch.forget()
        self._failed(error)
