"""Lines on their way out, to a stream that may not take them.

Theory of operation. A terminal can be stopped with Ctrl-S, and nobody need ever read a pipe; no
conversation may wait for either. So a line is written at once if the stream takes it, and waits
here if not, while the loop watches for room. What waits has a bound. Past it the oldest status
lines go first: they are news, and old. A message goes only when there is no status line left, and
whoever can hold back messages (by not taking a turn) does so while `has_room` says no. How many
lines were dropped is said in their place.
"""

from collections import deque
from collections.abc import Callable

from turnchat.loop import Callback, EventLoop
from turnchat.stream import Stream
from turnchat.text import counted

LIMIT = 1 << 20  # octets that may wait
AT_ONCE = 1 << 16  # octets put into one write


class Backlog:
    """Lines that wait, oldest first; at most `limit` octets of them.

    size: how many octets wait. of_messages: how many of these are not of status lines.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.size = 0
        self.of_messages = 0
        self._limit = limit
        self._lines: deque[tuple[bytes, bool]] = deque()
        self._dropped = 0

    def __bool__(self) -> bool:
        return bool(self._lines or self._dropped)

    def put(self, line: bytes, is_status: bool) -> None:
        """Let `line` wait as the last one."""
        self._lines.append((line, is_status))
        self._count(line, is_status, 1)
        if self.size > self._limit:
            self._make_room()

    def take(self) -> tuple[bytes, bool]:
        """The line that has waited longest; before it, once, how many were dropped."""
        if self._dropped:
            note = f"* {counted(self._dropped, 'line')} dropped here: nobody was reading\n"
            self._dropped = 0
            return note.encode(), True
        line, is_status = self._lines.popleft()
        self._count(line, is_status, -1)
        return line, is_status

    def _make_room(self) -> None:
        """Drop until half of the bound is free: so one pass over the lines serves for many."""
        before = len(self._lines)
        lines, self._lines = self._lines, deque()
        for line, is_status in lines:
            if is_status and self.size > self._limit // 2:
                self._count(line, is_status, -1)
            else:
                self._lines.append((line, is_status))
        while self.size > self._limit:
            self._count(*self._lines.popleft(), -1)
        self._dropped += before - len(self._lines)

    def _count(self, line: bytes, is_status: bool, sign: int) -> None:
        self.size += sign * len(line)
        if not is_status:
            self.of_messages += sign * len(line)


class Output:
    """One way out: a stream, and the lines that wait for it.

    broken: why nothing can be written any more, once that is so; what is put then is thrown away.
    on_room: called when `has_room` is true again. on_broken: called in the round after it broke.
    """

    def __init__(self, loop: EventLoop, stream: Stream, name: str) -> None:
        self.broken: OSError | None = None
        self.on_room: Callback = lambda: None
        self.on_broken: Callable[[OSError], None] = lambda _error: None
        self._loop = loop
        self._stream = stream
        self._backlog = Backlog()
        self._unsent = b""  # taken from the backlog, and not yet by the stream
        self._watch = loop.watch(stream, name)
        self._soon = loop.deadline(name, self._tell_broken)
        self._emptied: Callback | None = None

    @property
    def has_room(self) -> bool:
        """Whether messages may still be put: half of the bound is left for those under way.

        Status lines do not count. Their stream may be stopped for ever, and no conversation waits.
        """
        return self._backlog.of_messages <= LIMIT // 2

    def put(self, line: bytes, is_status: bool) -> None:
        """Write `line`, now or as soon as the stream takes it."""
        if self.broken:
            return
        self._backlog.put(line, is_status)
        if not self._unsent:
            self._flush()

    def drain(self, seconds: float | None) -> None:
        """Run the loop until all is written, or `seconds` have passed, or it is stopped."""
        if not self._unsent:
            return
        deadline = self._loop.deadline("last lines", self._loop.stop)
        if seconds is not None:
            deadline.set(seconds)
        self._emptied = self._loop.stop
        self._loop.run()
        deadline.cancel()

    def close(self) -> None:
        """Give up what still waits."""
        self._watch.forget()
        self._soon.cancel()
        self._stream.close()

    def _flush(self) -> None:
        had_room = self.has_room
        while self._unsent or self._backlog:
            if not self._unsent:
                self._unsent = self._next_piece()
            try:
                taken = self._stream.write(self._unsent)
            except OSError as error:
                self._break(error)
                return
            self._unsent = self._unsent[taken:]
            if not taken:
                self._watch.want(writer=self._flush)
                break
        else:
            self._watch.want()
            if self._emptied:
                self._emptied()
        if self.has_room and not had_room:
            self.on_room()

    def _next_piece(self) -> bytes:
        piece = bytearray()
        while self._backlog and len(piece) < AT_ONCE:
            piece += self._backlog.take()[0]
        return bytes(piece)

    def _break(self, error: OSError) -> None:
        """Give up. Whoever put the line is at work, and hears of it in the next round."""
        self.broken = error
        self._backlog = Backlog()
        self._unsent = b""
        self._watch.forget()
        self._soon.set(0)

    def _tell_broken(self) -> None:
        if self.broken:
            self.on_broken(self.broken)
        if self._emptied:
            self._emptied()
