"""The event loop: waits for ready files and runs their callbacks.

A round: sleep in select() until a watched file is ready or a timer is due; run the callback of
each ready file; run the timers that are due.

Watching is level-triggered: bytes that a callback leaves unread are reported again, so each does a
bounded amount of work and returns. A callback may unregister and close any file, also one that is
ready in this round: its Watcher then has no callback left.
"""

import heapq
import time
from collections.abc import Callable
from math import inf
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from typing import TYPE_CHECKING

from turnchat.core.selector import Selector

if TYPE_CHECKING:
    from _typeshed import HasFileno

Callback = Callable[[], object]  # its result is ignored
ErrorHandler = Callable[[Exception], None]

FOREVER = 1e9  # seconds; a timer for inf would never be active
LONGEST_SLEEP = 86_400.0  # seconds; epoll_wait(2) takes milliseconds in an int, some 24 days


def reraise(error: Exception) -> None:
    """Let the error go up through run(): the default for callbacks that must not fail."""
    raise error


class Watcher:
    """One file's place in the interest set. It waits for one thing, to read or to write.

    callback: None while it does not wait. Its owner unregisters it before closing the file. epoll
    refuses regular files and /dev/null: both when_ methods raise PermissionError for them.

    A layered stream ends with bytes of its own, as TLS does. Its watcher says so, and overrides
    _watch(), which all three methods go through.
    """

    is_layered = False
    __slots__ = ("_event", "_file", "_selector", "callback", "name", "on_error")

    def __init__(
        self, selector: BaseSelector, file: "HasFileno", name: str, on_error: ErrorHandler
    ) -> None:
        self.name = name
        self.on_error = on_error
        self._selector, self._file, self._event = selector, file, 0
        self.callback: Callback | None = None

    def when_readable(self, callback: Callback | None) -> None:
        """Run the callback each time the file is readable or has hung up; None: do not wait."""
        self._watch(EVENT_READ if callback else 0, callback)

    def when_writable(self, callback: Callback | None) -> None:
        """Run the callback each time the file is writable or has hung up; None: do not wait."""
        self._watch(EVENT_WRITE if callback else 0, callback)

    def unregister(self) -> None:
        """Stop waiting. An event that this round has already seen is dropped."""
        self._watch(0, None)

    def _watch(self, event: int, callback: Callback | None) -> None:
        before, self._event, self.callback = self._event, 0, None  # if it fails
        if event and not before:
            self._selector.register(self._file, event, self)
        elif before and not event:
            self._selector.unregister(self._file)
        elif event != before:
            self._selector.modify(self._file, event, self)
        self._event, self.callback = event, callback


class Timer:
    """A callback at a time to come, which each message postpones at next to no cost.

        start(10)   makes an entry in the loop's heap
        start(60)   leaves it; when its time comes, a new one is made for 60 s
        cancel()    leaves it; when its time comes, it is dropped
        start(5)    is before the entry, so a new one replaces it

    when: the time of the callback, inf if it is not active. scheduled: that of its valid entry.
    """

    __slots__ = ("_callback", "_loop", "_on_error", "name", "scheduled", "when")

    def __init__(
        self, loop: "EventLoop", name: str, callback: Callback, on_error: ErrorHandler
    ) -> None:
        self.name = name
        self.when = self.scheduled = inf
        self._loop, self._callback, self._on_error = loop, callback, on_error

    @property
    def is_active(self) -> bool:
        return self.when < inf

    def start(self, seconds: float) -> None:
        """Run it once, `seconds` after this round began. 0: its end; for timers, the next's."""
        if self.when == inf:
            self._loop.active_timers += 1
        self.when = self._loop.now + seconds
        if self.when < self.scheduled:
            self._loop.schedule(self)

    def cancel(self) -> None:
        if self.when < inf:
            self.when = inf
            self._loop.active_timers -= 1
            self._loop.compact()

    def expire(self) -> None:
        """Run the callback now, and not again."""
        self.cancel()
        try:
            self._callback()
        except Exception as error:  # noqa: BLE001 - of one file's owner, and handed to it
            self._on_error(error)


class EventLoop:
    """Watched files, timers, and the loop that serves them."""

    def __init__(
        self, selector: BaseSelector | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.active_timers = 0  # those that will run
        self.now = clock()  # when the present round woke up, in seconds
        self._selector = Selector() if selector is None else selector
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._entries_made = 0  # also breaks ties: first started, first run
        self._stopped = False

    def watcher(self, file: "HasFileno", name: str, on_error: ErrorHandler = reraise) -> Watcher:
        """Return a watcher of `file`; `on_error` takes the exceptions of its callbacks."""
        return Watcher(self._selector, file, name, on_error)

    def timer(self, name: str, callback: Callback, on_error: ErrorHandler = reraise) -> Timer:
        """Return a timer that is not started yet; `on_error` takes its exceptions."""
        return Timer(self, name, callback, on_error)

    def run(self) -> None:
        """Run rounds until stop(); none if it has been called already. May be run again."""
        while not self._stopped:
            self.run_once()
        self._stopped = False

    def stop(self) -> None:
        """Let run() return at the end of the present round."""
        self._stopped = True

    def run_once(self) -> None:
        """Run one round: sleep, serve the ready files, run the timers that are due."""
        timeout = min(self._heap[0][0] - self._clock(), LONGEST_SLEEP) if self._heap else None
        ready = self._selector.select(timeout)
        self.now = self._clock()
        for key, _ in ready:
            watcher: Watcher = key.data
            try:  # readiness is a hint: the callback may still find nothing
                if watcher.callback:
                    watcher.callback()
            except Exception as error:  # noqa: BLE001 - of one file's owner, and handed to it
                watcher.on_error(error)
        self._run_timers()

    def close(self) -> None:
        self._selector.close()

    @property
    def next_timer(self) -> Timer | None:
        """The timer that bounds the next sleep; None if there is none, or its entry is stale."""
        when, _, timer = self._heap[0] if self._heap else (inf, 0, None)
        return timer if timer and timer.is_active and timer.scheduled == when else None

    def statistics(self) -> dict[str, int]:
        return {"entries": len(self._heap), "entries_made": self._entries_made}

    def schedule(self, timer: Timer) -> None:
        """Make an entry for the timer's time; its former entry, for a later time, becomes stale."""
        timer.scheduled = timer.when
        self._entries_made += 1
        heapq.heappush(self._heap, (timer.when, self._entries_made, timer))
        self.compact()

    def compact(self) -> None:
        """Drop stale entries when they outnumber the active timers: each keeps its owner alive."""
        if len(self._heap) <= 2 * self.active_timers + 2:
            return
        for _, _, timer in self._heap:
            if not timer.is_active:
                timer.scheduled = inf
        self._heap = [entry for entry in self._heap if entry[0] == entry[2].scheduled]
        heapq.heapify(self._heap)

    def _run_timers(self) -> None:
        newest = self._entries_made  # a callback's own start(0) is for the next round
        while self._heap and self._heap[0][0] <= self.now and self._heap[0][1] <= newest:
            when, _, timer = heapq.heappop(self._heap)
            if when == timer.scheduled:  # else an earlier entry has replaced it
                timer.scheduled = inf
                if timer.when <= self.now:
                    timer.expire()
                elif timer.is_active:
                    self.schedule(timer)
