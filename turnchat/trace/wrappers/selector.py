"""A selector that emits registrations, sleeps and ready files.

select() returns a list; the one returned here emits `dispatch` for each file while the loop goes
through it. So callbacks are seen without the loop's help.
"""

from collections.abc import Iterator, Mapping
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import TYPE_CHECKING, Any

from turnchat.trace.events import EventLog, blocking
from turnchat.trace.format import Event
from turnchat.trace.wrappers.caller import WRAPPER_FILES, caller

if TYPE_CHECKING:
    from turnchat.core.loop import EventLoop

WRAPPER_FILES.add(__file__)

MASKS = {EVENT_READ: "r", EVENT_WRITE: "w", EVENT_READ | EVENT_WRITE: "rw"}


class RecordingSelector(BaseSelector):
    """Emit changes of the interest set, each sleep, and the files that ended it.

    loop: the loop that uses it, if that is turnchat's. Its next timer is named with each sleep.
    """

    def __init__(self, log: EventLog, real: BaseSelector) -> None:
        self._log = log
        self.loop: EventLoop | None = None
        self._real = real
        self._numbers: dict[int, int] = {}  # of registered files, by descriptor

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj, is_new=True)
        self._log.rename_file(number, _name_of(data))
        event: Event = {
            "t": None,
            "call": "register",
            "file": number,
            "events": MASKS.get(events, ""),
        }
        event |= caller() | blocking(getattr(fileobj, "real", fileobj))
        key = self._log.attempt(event, self._real.register, fileobj, events, data)
        self._log.emit(event)
        self._numbers[key.fd] = number
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj)
        self._log.rename_file(number, _name_of(data))
        event: Event = {
            "t": None,
            "call": "modify",
            "file": number,
            "events": MASKS.get(events, ""),
        }
        event |= caller()
        key = self._log.attempt(event, self._real.modify, fileobj, events, data)
        self._log.emit(event)
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        number = self._number_of(fileobj)
        event = {"t": None, "call": "unregister", "file": number, **caller()}
        key = self._log.attempt(event, self._real.unregister, fileobj)
        self._log.emit(event)
        del self._numbers[key.fd]
        if getattr(fileobj, "recorded_as", None) is None:
            # Its close() is not seen. Registered again, it gets another number.
            self._log.emit({"t": None, "call": "close", "file": number, **caller()})
            self._log.forget_file(number)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        timer = self.loop.next_timer if self.loop else None
        name = timer.name if timer else None
        if self.loop and not timer and timeout is not None:
            name = ""  # it was cancelled, and bounds the sleep all the same
        event: Event = {"t": None, "call": "select", "timeout": timeout, "deadline": name}
        event |= caller(of_loop=True)
        self._log.emit(event)
        ready = self._real.select(timeout)
        numbers = {key.fd: self._numbers[key.fd] for key, _ in ready}
        files = [[numbers[key.fd], MASKS.get(events, "")] for key, events in ready]
        self._log.emit({"t": None, "call": "ready", "files": files})
        return Ready(self._log, ready, numbers)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._real.get_map()

    def _number_of(self, file: Any, *, is_new: bool = False) -> int:
        """Return a file's number: from its wrapper, its registration, or newly given.

        Raises KeyError for a file that is not registered, as the real selector does.
        """
        known: int | None = getattr(file, "recorded_as", None)
        if known is not None:
            return known
        if is_new:
            return self._log.register_file("other")
        return self._numbers[self._real.get_key(file).fd]


class Ready(list[tuple[SelectorKey, int]]):
    """Ready files. Iteration emits `dispatch` for each of them before it is served."""

    def __init__(
        self, log: EventLog, ready: list[tuple[SelectorKey, int]], numbers: Mapping[int, int]
    ) -> None:
        super().__init__(ready)
        self._log = log
        self._below = ready
        self._numbers = numbers  # kept: a callback may unregister a file that is ready, too

    def __iter__(self) -> Iterator[tuple[SelectorKey, int]]:
        below = iter(self._below)  # a selector below may be a wrapper that looks on, too
        for pair in super().__iter__():
            next(below, None)
            file = self._numbers[pair[0].fd]
            self._log.emit({"t": None, "call": "dispatch", "file": file})
            yield pair
        next(below, None)


def _name_of(data: object) -> str:
    """Return the name of a file: that of its data, or the data if it is a string."""
    name = getattr(data, "name", data)
    return name if isinstance(name, str) else ""
