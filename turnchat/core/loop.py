"""The event loop: one thread asks the kernel which files are ready, and calls those who wait.

Theory of operation. A round has three steps: sleep in select() until a watched file is ready or
the next deadline is due; call the reader and the writer of each ready file; call what is due. That
is all, and everything turnchat does happens in a callback of the second or third step.

Watches are level-triggered: what a callback leaves unread is reported again in the next round, so
each does a bounded amount of work and returns. A callback may close and forget any other file,
also one that is ready in this round: a forgotten Watch has nobody left to call, and a new file
under the old descriptor number has a Watch of its own.

Deadlines lie in a heap, but are moved without it: pushing one back only stores the new time, and
the heap finds out when the old time comes. So each message can renew its deadline for nothing.
"""

import heapq
import time
from collections.abc import Callable
from itertools import count
from math import inf
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, DefaultSelector
from typing import Protocol

Callback = Callable[[], object]  # what it returns is of no interest
ErrorHandler = Callable[[Exception], None]

FOREVER = 1e9  # seconds; a deadline for inf would be none, and would have to be cancelled
LONGEST_SLEEP = 86_400.0  # seconds; epoll_wait(2) takes milliseconds in an int, some 24 days


class HasFileno(Protocol):
    """Anything the selector can watch."""

    def fileno(self) -> int: ...


def reraise(error: Exception) -> None:
    """The default for `failed`: a callback without which the program makes no sense has failed."""
    raise error


class Watcher:
    """One file's place in the interest set. Its owner forgets it before closing the file.

    Made by EventLoop.watch(). The mask for the selector follows from which callbacks there are.

    reader, writer: whom the loop calls when the file is readable, writable. failed: who takes what
    they raise.
    """

    __slots__ = ("_file", "_mask", "_selector", "name", "on_error", "reader", "writer")

    def __init__(
        self, selector: BaseSelector, file: HasFileno, name: str, on_error: ErrorHandler
    ) -> None:
        self.name = name
        self._file = file
        self._selector = selector
        self._mask = 0
        self.on_error = on_error
        self.reader: Callback | None = None
        self.writer: Callback | None = None

    def __repr__(self) -> str:
        return f"<Watch {self.name}>"

    def set_callbacks(self, reader: Callback | None = None, writer: Callback | None = None) -> None:
        """Call `reader` when the file is readable, `writer` when it is writable, from now on.

        With neither, the file is not watched at all: a selector has no mask for that, and nothing
        is heard of a hang-up meanwhile. A hang-up or an error wakes whichever callback there is.

        Raises PermissionError (EPERM) for what epoll refuses: regular files and /dev/null.
        """
        before = self._mask
        mask = (EVENT_READ if reader else 0) | (EVENT_WRITE if writer else 0)
        if mask and not before:
            self._selector.register(self._file, mask, self)
        elif before and not mask:
            self._selector.unregister(self._file)
        elif mask != before:
            self._selector.modify(self._file, mask, self)
        self._mask, self.reader, self.writer = mask, reader, writer

    def unregister(self) -> None:
        """Watch the file no longer. What this round has already seen of it goes to nobody."""
        self.set_callbacks()


class Timer:
    """A time by which something should have happened, and the callback for when it has not.

    Made by EventLoop.timer(), then set and cancelled as often as one likes. It has at most one
    valid entry in the loop's heap, for a time no later than its own:

        set(10)     due in 10 s: an entry for then
        set(60)     due in 60 s: the entry stays; when its time comes, it is put in anew for 60
        cancel()    not due: the entry stays, and is thrown away when its time comes
        set(5)      due in 5 s: that is before the entry, so a new one replaces it
    """

    __slots__ = ("_callback", "_loop", "_on_error", "due", "name", "queued")

    def __init__(
        self, loop: "EventLoop", name: str, callback: Callback, on_error: ErrorHandler
    ) -> None:
        self.name = name
        self.due = inf  # when to call back
        self.queued = inf  # for when its entry is
        self._loop = loop
        self._callback = callback
        self._on_error = on_error

    def __repr__(self) -> str:
        return f"<Deadline {self.name}>"

    @property
    def is_active(self) -> bool:
        """Whether it will call back."""
        return self.due < inf

    def start(self, seconds: float) -> None:
        """Call back once, `seconds` after the present round began, whatever was set before.

        set(0) calls at the end of this round, or of the next if a deadline's callback says it.
        """
        if self.due == inf and self.queued < inf:
            self._loop.idle_entries -= 1
        self.due = due = self._loop.now + seconds
        if due < self.queued:
            self._loop.queue(self)

    def cancel(self) -> None:
        """Call back no longer. It may be set again."""
        if self.due < inf:
            self.due = inf
            if self.queued < inf:
                self._loop.idle_entries += 1
                self._loop.prune()

    def expire(self) -> None:
        """It is due: call back."""
        self.due = inf
        try:
            self._callback()
        except Exception as error:  # noqa: BLE001 - of one file's owner, and handed to it
            self._on_error(error)


class EventLoop:
    """Watched files, deadlines, and the loop that serves them.

    now: the time at which the present round woke up, in seconds of the clock. What becomes due
    while it serves is for the next round, which does not sleep then.

    The selector and the clock can be handed in; close() closes the selector.
    """

    def __init__(
        self,
        selector: BaseSelector | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._selector = DefaultSelector() if selector is None else selector
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = count()  # breaks ties, first set first called
        self.idle_entries = 0  # entries of deadlines that are not set, or have an earlier one
        self._stopped = False
        self.now = clock()

    def watcher(self, file: HasFileno, name: str, on_error: ErrorHandler = reraise) -> Watcher:
        """A watch on `file`, without interest yet. It stays the caller's to close.

        name: what messages call it. failed: takes any exception of its callbacks, so that
        one connection's mistake ends that connection; by default it goes up through run().
        """
        return Watcher(self._selector, file, name, on_error)

    def timer(self, name: str, callback: Callback, on_error: ErrorHandler = reraise) -> Timer:
        """A deadline, not set yet. The parameters are watch()'s."""
        return Timer(self, name, callback, on_error)

    def run(self) -> None:
        """Serve until stop(); at once if it has been called already. Can be run again."""
        while not self._stopped:
            self.run_once()
        self._stopped = False

    def stop(self) -> None:
        """Let run() return at the end of the present round."""
        self._stopped = True

    def run_once(self) -> None:
        """One round: sleep, serve the ready files, then what is due."""
        ready = self._selector.select(self._timeout())
        self.now = self._clock()
        for key, events in ready:
            watcher: Watcher = key.data
            try:  # readiness is a hint: the callback may still find nothing
                if events & EVENT_READ and watcher.reader:
                    watcher.reader()
                if events & EVENT_WRITE and watcher.writer:
                    watcher.writer()
            except Exception as error:  # noqa: BLE001 - of one file's owner, and handed to it
                watcher.on_error(error)
        if self._heap and self._heap[0][0] <= self.now:
            self._expire()

    def close(self) -> None:
        """Close the selector. The files are their owners' to close."""
        self._selector.close()

    def queue(self, timer: Timer) -> None:
        """Put in an entry for when `deadline` is due; one for a later time is void by that."""
        if timer.queued < inf:
            self.idle_entries += 1
        timer.queued = timer.due
        heapq.heappush(self._heap, (timer.due, next(self._sequence), timer))
        self.prune()

    def prune(self) -> None:
        """Throw idle entries away when they are half of the heap.

        An entry keeps its owner in memory. Short conversations with deadlines of minutes would
        otherwise leave as many dead connections behind as there are living ones, many times over.
        """
        if self.idle_entries <= len(self._heap) // 2:
            return
        self.idle_entries = 0
        entries = []
        for entry in self._heap:
            when, _, timer = entry
            if not timer.is_active:
                timer.queued = inf
            elif when == timer.queued:
                entries.append(entry)
        heapq.heapify(entries)
        self._heap = entries

    def _timeout(self) -> float | None:
        """How long select() may sleep, in seconds: None is for ever, negative not at all."""
        return min(self._heap[0][0] - self._clock(), LONGEST_SLEEP) if self._heap else None

    def _expire(self) -> None:
        """Call what was due when the round began, and put in anew what was pushed back."""
        now = self.now
        looked_at = []
        while self._heap and self._heap[0][0] <= now:
            when, _, timer = heapq.heappop(self._heap)
            if when != timer.queued:
                self.idle_entries -= 1  # it was replaced by an earlier one
                continue
            timer.queued = inf
            if timer.is_active:
                looked_at.append(timer)
            else:
                self.idle_entries -= 1
        for timer in looked_at:
            if timer.due <= now:
                timer.expire()
            elif timer.due < timer.queued:
                self.queue(timer)
