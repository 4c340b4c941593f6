"""The processes of conversations: a queue of those to start, and the list of those that run.

A start blocks: for a fraction of a millisecond here, and the new process then wants its share of
the processors. So there is one start in a round of the loop, and so many in a second, at even
distances. Where descriptors, memory or processes have run out, the queue waits and tries again.
"""

import errno
from math import inf
from typing import Protocol

from turnchat.core.loop import Callback, EventLoop
from turnchat.logger import Logger
from turnchat.process.child import GRACE, ChildProcess, ChildWatcher
from turnchat.process.signals import Signals
from turnchat.text import counted, reason

RETRY = 1.0  # seconds
SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC}


class Startable(Protocol):
    """Waits for its process."""

    def start(self) -> None:
        """Start the process. Raises OSError, and leaves nothing behind then."""

    def on_start_failed(self, error: Exception) -> None:
        """Do without: the process cannot be started, now or later."""


class Processes:
    """Starts processes, the longest waiting first, and waits for each to exit.

    children: those that run. watcher: hears of their exits. on_child_end: runs after each.
    """

    def __init__(
        self,
        loop: EventLoop,
        signals: Signals,
        logger: Logger,
        *,
        starts: int,
        most: float = inf,
    ) -> None:
        """Take the bounds: starts in a second, and the most processes at a time."""
        self.children: set[ChildProcess] = set()
        self.watcher = ChildWatcher(loop, signals)
        self.on_child_end: Callback | None = None
        self._loop = loop
        self._logger = logger
        self._distance = 1 / starts
        self._most = most
        self._queue: dict[Startable, None] = {}  # in the order in which they came
        self._earliest = 0.0  # time of the next start
        self._is_short = False  # of descriptors, say; the log has that
        self._next = loop.timer("next start", self._start_next)
        self._is_draining = False

    def statistics(self) -> dict[str, int]:
        """Count those that wait, and those that run."""
        return {"waiting": len(self._queue), "running": len(self.children)}

    def enqueue(self, startable: Startable) -> None:
        """Start it in its turn, at the end of this round at the earliest."""
        self._queue[startable] = None
        if not self._next.is_active:
            self._schedule()

    def withdraw(self, startable: Startable) -> None:
        """Start it no more, if it still waits."""
        self._queue.pop(startable, None)

    def remove(self, child: ChildProcess) -> None:
        """Forget a process that has ended. It has left room, and descriptors."""
        self.children.discard(child)
        if self._queue:
            self._schedule()
        if self.on_child_end:
            self.on_child_end()
        if self._is_draining and not self.children:
            self._loop.stop()

    def drain(self) -> None:
        """Run the loop until the last process has ended. Each is on its way to its end."""
        if self.children:
            self._is_draining = True
            limit = self._loop.timer("last processes", self._loop.stop)
            limit.start(3 * GRACE)
            while self.children and limit.is_active:
                self._loop.run()
            limit.cancel()

    def close(self) -> None:
        """Kill the processes that are left."""
        ChildProcess.kill_all(self.children)

    def _schedule(self) -> None:
        self._next.start(max(0.0, self._earliest - self._loop.now))

    def _start_next(self) -> None:
        startable = next(iter(self._queue), None)
        if startable is None or len(self.children) >= self._most:
            return  # remove() goes on when there is room
        self._earliest = self._loop.now + self._distance
        try:
            startable.start()
        except OSError as error:
            if error.errno in SHORTAGES:
                self._log_shortage(error)
                self._next.start(max(RETRY, self._distance))
                return
            startable.on_start_failed(error)
        except Exception as error:  # noqa: BLE001 - a defect, which ends one conversation
            startable.on_start_failed(error)
        else:
            self._is_short = False
        self.withdraw(startable)
        if self._queue:
            self._schedule()

    def _log_shortage(self, error: OSError) -> None:
        """Log once, until a start has worked, that none does."""
        if not self._is_short:
            self._is_short = True
            waiting = counted(len(self._queue), "conversation")
            self._logger.error("programs have to wait (%s): %s", waiting, reason(error))
