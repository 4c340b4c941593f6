"""The file format of a recording: the calls of a loop and their results, one JSON object a line.

The first line names the version. Each later line is one event: its time, the call, the file and
the result. CALLS names the fields of each call, and FORMAT.md explains them. A reader trusts
nothing: it refuses a line that is no event, and gives its number. Only the last line may be torn,
because the process that wrote it may have been killed.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

VERSION = 1
MAGIC = "turnchat-recording"

Event = dict[str, Any]

Kind = type | tuple[type, ...]

FILE: dict[str, Kind] = {"file": int}
OPTIONAL: dict[str, Kind] = {"error": str, "by": str, "file": int, "octets": str}
CALLS: dict[str, dict[str, Kind]] = {
    "open": FILE | {"kind": str, "name": str},
    "name": FILE | {"name": str},
    "register": FILE | {"events": str},
    "modify": FILE | {"events": str},
    "unregister": FILE,
    "select": {"timeout": (int, float, type(None)), "deadline": (str, type(None))},
    "ready": {"files": list},
    "dispatch": FILE,
    "deadline": {"name": str},
    "signal": {"name": str},
    "accept": FILE | {"new": int, "peer": str, "local": str},
    "connect": FILE | {"peer": str, "local": str},
    "connected": FILE,
    "recv": FILE | {"size": int, "octets": str},
    "send": FILE | {"octets": str, "sent": int},
    "read": FILE | {"size": int, "octets": str},
    "write": FILE | {"octets": str, "sent": int},
    "shutdown": FILE,
    "close": FILE,
    "end": {},
}
RESULTS = {"new", "peer", "local", "octets", "sent"}  # a call that failed may lack these
MASKS = {"", "r", "w", "rw"}
VALUES = {"kind": {"listener", "connection", "stream", "other"}, "events": MASKS}
REASON_LIMIT = 200  # characters of an error
TIME_LIMIT = 1e12  # seconds


class BadRecording(ValueError):
    """A file is not a recording, or has a line that cannot be understood. Gives its number."""

    def __init__(self, line: int, reason: str) -> None:
        shown = reason if len(reason) <= REASON_LIMIT else f"{reason[:REASON_LIMIT]}..."
        super().__init__(f"line {line}: {shown}")
        self.line = line


class Recording(NamedTuple):
    """The content of a file.

    program: the one whose loop it was. has_bodies: True if the text of messages is in it. events:
    each with the number of its line. is_cut_off: True if the last line is torn or `end` is missing.
    """

    program: str
    has_bodies: bool
    events: list[tuple[int, Event]]
    is_cut_off: bool


def head(program: str, *, bodies: bool) -> Event:
    """Return the first line of a recording, as an object."""
    return {MAGIC: VERSION, "program": program, "bodies": bodies}


def line_of(event: Event) -> str:
    """Return an event as a line."""
    return json.dumps(event, separators=(",", ":")) + "\n"


def read(file: Iterable[str]) -> Recording:
    """Read a recording. Raises BadRecording."""
    lines = _numbered(file)
    _, first = next(lines, (1, None))
    if first is None:
        raise BadRecording(1, "this is no recording: it is empty")
    if not isinstance(first, dict) or MAGIC not in first:
        raise BadRecording(1, f'this is no recording: it does not begin with {{"{MAGIC}": ...}}')
    if first[MAGIC] != VERSION:
        raise BadRecording(1, f"version {first[MAGIC]!r} is not known here, {VERSION} is")
    _check_text(1, first)
    opened: set[int] = set()
    events = []
    is_torn = False
    for number, found in lines:
        if found is TORN:
            is_torn = True
            break
        event = _checked(number, found)
        _check_files(number, event, opened)
        events.append((number, event))
    is_whole = bool(events) and events[-1][1]["call"] == "end"
    program, has_bodies = str(first.get("program", "")), bool(first.get("bodies", True))
    return Recording(program, has_bodies, events, is_torn or not is_whole)


TORN = object()  # a last line without its end


def _numbered(file: Iterable[str]) -> Iterator[tuple[int, Any]]:
    number = 0
    try:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                yield number, TORN
                return
            yield number, json.loads(line, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise BadRecording(number + 1, "this is not text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise BadRecording(number, f"this is not JSON: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def _checked(number: int, event: Any) -> Event:
    """Return `event` if it is one, else raise BadRecording."""
    if not isinstance(event, dict):
        raise BadRecording(number, "an event is an object, {...}")
    if "call" not in event:
        raise BadRecording(number, "an event has a call")
    call = event["call"]
    fields = CALLS.get(call) if isinstance(call, str) else None
    if fields is None:
        raise BadRecording(number, f"the call {call!r} is not known")
    for name, kind in [("t", (int, float)), *fields.items()]:
        if name in event:
            if not _fits(name, event[name], kind):
                raise BadRecording(number, f"{name!r} of {call} is {event[name]!r}")
        elif "error" not in event or name not in RESULTS:
            raise BadRecording(number, f"{call} has no {name!r}")
    for name, kind in OPTIONAL.items():
        if name in event and not _fits(name, event[name], kind):
            raise BadRecording(number, f"{name!r} of {call} is {event[name]!r}")
    if any(byte > "\xff" for byte in event.get("octets", "")):
        raise BadRecording(number, "a byte is a character up to U+00FF")
    _check_text(number, event)
    return event


def _fits(name: str, value: Any, kind: Kind) -> bool:
    fits = isinstance(value, kind) and not isinstance(value, bool)
    match name:
        case "t" | "timeout":
            return fits and (value is None or abs(value) < TIME_LIMIT)
        case "file" | "new" | "size" | "sent":
            return fits and bool(value >= 0)
        case "error":
            return fits and bool(value)
        case "kind" | "events":
            return fits and value in VALUES[name]
        case "files":
            return fits and all(_is_ready(pair) for pair in value)
        case _:
            return fits


def _is_ready(pair: Any) -> bool:
    match pair:
        case [int() as file, str() as mask]:
            return not isinstance(file, bool) and mask in MASKS
        case _:
            return False


def _check_text(number: int, event: Event) -> None:
    """Refuse half a character of UTF-16: JSON can express it, and UTF-8 cannot."""
    for name, value in event.items():
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            raise BadRecording(number, f"{name!r} is no text: {value!r}") from None


def _check_files(number: int, event: Event, opened: set[int]) -> None:
    """Refuse a file that is used before it is opened, or opened twice."""
    files = [event[name] for name in ("file", "new") if name in event]
    if event["call"] == "open":
        if event["file"] in opened:
            raise BadRecording(number, f"file {event['file']} is opened twice")
        opened.add(event["file"])
    if event["call"] == "ready":
        files += [file for file, _ in event["files"]]
    for file in files:
        if file not in opened:
            raise BadRecording(number, f"file {file} was never opened")
