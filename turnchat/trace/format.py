"""A recording: what a loop called, and what came of it, one JSON object on each line.

Theory of operation. The first line says what follows, and in which version. Each later line is one
event: when it happened, which call it was, on which file, and its result. CALLS names the fields
of each; FORMAT.md explains them. A reader takes nothing on trust: a line that is no event is
refused by its number. Only the last line may be torn, since whoever wrote it may have been killed.
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
RESULTS = {"new", "peer", "local", "octets", "sent"}  # which a call that failed may lack
MASKS = {"", "r", "w", "rw"}
WORDS = {"kind": {"listener", "connection", "stream", "other"}, "events": MASKS}
SHOWN = 200  # characters of what is wrong
LONGEST = 1e12  # seconds


class BadRecording(ValueError):
    """A file is not a recording, or not one that can be understood. Says in which line."""

    def __init__(self, line: int, reason: str) -> None:
        shown = reason if len(reason) <= SHOWN else f"{reason[:SHOWN]}..."
        super().__init__(f"line {line}: {shown}")
        self.line = line


class Recording(NamedTuple):
    """What was read of a file.

    program: whose loop it was. has_bodies: whether the messages are in it. events: each with the
    number of its line. is_cut_off: whether the last line is torn or the end is missing.
    """

    program: str
    has_bodies: bool
    events: list[tuple[int, Event]]
    is_cut_off: bool


def head(program: str, *, bodies: bool) -> Event:
    """The first line of a recording."""
    return {MAGIC: VERSION, "program": program, "bodies": bodies}


def line_of(event: Event) -> str:
    """An event as a line."""
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
    """`event`, if it is one."""
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
    if any(octet > "\xff" for octet in event.get("octets", "")):
        raise BadRecording(number, "an octet is a character up to U+00FF")
    _check_text(number, event)
    return event


def _fits(name: str, value: Any, kind: Kind) -> bool:
    fits = isinstance(value, kind) and not isinstance(value, bool)
    match name:
        case "t" | "timeout":
            return fits and (value is None or abs(value) < LONGEST)
        case "file" | "new" | "size" | "sent":
            return fits and bool(value >= 0)
        case "error":
            return fits and bool(value)
        case "kind" | "events":
            return fits and value in WORDS[name]
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
    """Half a character of UTF-16 is one in JSON, and nowhere else."""
    for name, value in event.items():
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            raise BadRecording(number, f"{name!r} is no text: {value!r}") from None


def _check_files(number: int, event: Event, opened: set[int]) -> None:
    """Every file is opened once, before it is used."""
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
