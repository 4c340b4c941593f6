"""The interest set by hand: what stands between `selectors` and the kernel.

The kernel keeps the set, by descriptor (epoll(7)), so a round costs what is ready, not what is
watched. Kept here are only the keys that select() returns. It is level-triggered: a file that was
reported and not served is reported again, behind the others that are ready.

The standard library's selector takes two events for a file, and translates each answer; it asks for
as many as there are files. Without that a turn takes 9 % fewer instructions.
"""

import select
from collections.abc import Mapping
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, DefaultSelector, SelectorKey
from types import MappingProxyType
from typing import Any

# Events of a round, after which timers have their turn. If all of 10,000 files came at once, their
# keys and watchers would have left the processor's caches before the callbacks: that took 8 % more.
READY_LIMIT = 256


class EpollSelector(BaseSelector):
    """An interest set with the interface of the standard library's, in which a file has one event.

    When epoll reports a file, its event has happened, or it has hung up or failed, as the next call
    on it will tell. So there is nothing to translate. modify() is inherited: out, and in again.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._keys: dict[Any, SelectorKey] = {}  # by file: a closed one has no descriptor
        self._answers: dict[int, tuple[SelectorKey, int]] = {}  # by descriptor, for select()

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        if events not in (EVENT_READ, EVENT_WRITE):
            raise ValueError(f"{events!r} is neither EVENT_READ nor EVENT_WRITE")
        descriptor = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        if descriptor in self._answers:
            raise KeyError(f"{fileobj!r} is registered already")
        mask = select.EPOLLIN if events == EVENT_READ else select.EPOLLOUT
        self._epoll.register(descriptor, mask)
        key = self._keys[fileobj] = SelectorKey(fileobj, descriptor, events, data)
        self._answers[descriptor] = key, events
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        key = self._keys.pop(fileobj)
        del self._answers[key.fd]
        try:  # noqa: SIM105 - suppress() would cost a visitor 3 % more
            self._epoll.unregister(key.fd)
        except OSError:  # it was closed before, so the kernel has dropped it
            pass
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        # poll() takes what is below 0 for ever, and rounds up: no sleep is too short.
        seconds = None if timeout is None else max(0.0, timeout)
        ready, answers = self._epoll.poll(seconds, READY_LIMIT), self._answers
        # Closed while a duplicate lives, a file is reported for ever: it is not ours any more.
        return [answers[descriptor] for descriptor, _ in ready if descriptor in answers]

    def close(self) -> None:
        self._epoll.close()
        self._keys.clear()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return MappingProxyType(self._keys)


Selector: type[BaseSelector] = EpollSelector if hasattr(select, "epoll") else DefaultSelector
