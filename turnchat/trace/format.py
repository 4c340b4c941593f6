"""The file format of a recording: the calls of a loop and their results, one JSON object a line.

The first line names the version. Each later line is one event: its time, the call, the file and
the result. CALLS names the fields of each call, FIELDS their types and ranges, and FORMAT.md
explains both. A recording may come from anywhere, so a reader trusts nothing: it refuses a line
that is no event, and gives its number, the field and the expected value. Time and memory grow with
the size of the file alone. Only the last line may be torn, because the process that wrote it may
have been killed.
"""

import json
import reprlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

VERSION = 1
MAGIC = "turnchat-recording"

Event = dict[str, Any]

NUMBER_LIMIT = 2**53 - 1  # the page and Perfetto keep numbers as IEEE 754 doubles
TIME_LIMIT = 1e12  # seconds
TEXT_LIMIT = 255  # characters; names are shown at each of their calls, so they must be short
LINE_LIMIT = 8 << 20  # bytes; a line may be JSON that takes thirty times its size in memory
RECORDING_LIMIT = 256 << 20  # bytes; a pipe may have no end
REASON_LIMIT = 200  # characters of an error

KINDS = ("listener", "connection", "stream", "other")
MASKS = ("", "r", "w", "rw")


class Field(NamedTuple):
    """A field of events. expected: its values in words. accepts: True for such a value."""

    expected: str
    accepts: Callable[[Any], bool]


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= NUMBER_LIMIT  # True is an int, too


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < TIME_LIMIT


def _is_text(value: Any) -> bool:
    """Refuse half a character of UTF-16: JSON can express it, and UTF-8 cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _is_pair(value: Any) -> bool:
    match value:
        case [file, str() as mask]:
            return _is_whole(file, 1) and mask in MASKS
        case _:
            return False


FILE = Field(f"a whole number from 1 to {NUMBER_LIMIT}", lambda value: _is_whole(value, 1))
COUNT = Field(f"a whole number from 0 to {NUMBER_LIMIT}", lambda value: _is_whole(value, 0))
TEXT = Field("text", _is_text)

FIELDS: dict[str, Field] = {
    "t": Field("a number between -1e12 and 1e12", _is_seconds),
    "by": TEXT,
    "error": Field("text that is not empty", lambda value: _is_text(value) and value != ""),
    "file": FILE,
    "new": FILE,
    "kind": Field(
        "`listener`, `connection`, `stream` or `other`",
        lambda value: isinstance(value, str) and value in KINDS,
    ),
    "name": TEXT,
    "peer": TEXT,
    "local": TEXT,
    "events": Field(
        "`r`, `w`, `rw` or empty", lambda value: isinstance(value, str) and value in MASKS
    ),
    "files": Field(
        "a list of pairs of a `file` and its `events`",
        lambda value: isinstance(value, list) and all(map(_is_pair, value)),
    ),
    "timeout": Field(
        "a number between -1e12 and 1e12, or `null`",
        lambda value: value is None or _is_seconds(value),
    ),
    "deadline": Field("text, or `null`", lambda value: value is None or _is_text(value)),
    "size": COUNT,
    "sent": COUNT,
    "octets": Field(
        "text of characters from U+0000 to U+00FF",
        lambda value: isinstance(value, str) and (value.isascii() or max(value) <= "\xff"),
    ),
}

CALLS: dict[str, tuple[str, ...]] = {
    "open": ("file", "kind", "name"),
    "name": ("file", "name"),
    "register": ("file", "events"),
    "modify": ("file", "events"),
    "unregister": ("file",),
    "select": ("timeout", "deadline"),
    "ready": ("files",),
    "dispatch": ("file",),
    "deadline": ("name",),
    "signal": ("name",),
    "accept": ("file", "new", "peer", "local"),
    "connect": ("file", "peer", "local"),
    "connected": ("file",),
    "recv": ("file", "size", "octets"),
    "read": ("file", "size", "octets"),
    "send": ("file", "octets", "sent"),
    "write": ("file", "octets", "sent"),
    "shutdown": ("file",),
    "close": ("file",),
    "end": (),
}
OPTIONAL = ("by", "error")  # of each call
RESULTS = ("new", "peer", "local", "octets", "sent")  # a call that failed may lack these

_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


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


def encode(events: list[Event]) -> str:
    """Return events as lines. The first may be a head; of all others `t` is the first field.

    One call encodes all, since json makes an encoder for each call. Quotes in text are escaped, so
    what is replaced stands only between two events.
    """
    return _ENCODER.encode(events)[1:-1].replace('},{"t":', '}\n{"t":') + "\n"


def lines_of(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file. Raises BadRecording if a line or the file is too long."""
    number = total = 0
    while data := file.readline(LINE_LIMIT + 1):
        number += 1
        total += len(data)
        if len(data) > LINE_LIMIT:
            raise BadRecording(number, f"a line has at most {LINE_LIMIT >> 20} MiB")
        if total > RECORDING_LIMIT:
            raise BadRecording(number, f"a recording has at most {RECORDING_LIMIT >> 20} MiB")
        is_torn = not data.endswith(b"\n")
        try:
            yield data.decode(errors="replace" if is_torn else "strict")
        except UnicodeDecodeError as error:
            raise BadRecording(number, "this is not text in UTF-8") from error


def read(lines: Iterable[str]) -> Recording:
    """Read a recording. Raises BadRecording."""
    found = _parsed(lines)
    program, has_bodies = _checked_head(next(found, (1, None))[1])
    opened: set[int] = set()
    texts: dict[str, str] = {}
    events = []
    is_torn = False
    for number, value in found:
        if value is TORN:
            is_torn = True
            break
        event = _checked(number, value, texts)
        _check_files(number, event, opened)
        events.append((number, event))
    is_whole = bool(events) and events[-1][1]["call"] == "end"
    return Recording(program, has_bodies, events, is_torn or not is_whole)


TORN = object()  # a last line without its end


def _parsed(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            yield number, TORN
            return
        try:
            value = json.loads(line, parse_constant=_refuse)
        except RecursionError:
            raise BadRecording(number, "this is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise BadRecording(number, f"this is not JSON: {error.msg}") from error
        except ValueError as error:  # of Python: an integer of thousands of digits
            reason = str(error).partition(";")[0]
            raise BadRecording(number, f"this is not JSON: {reason}") from error
        yield number, value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def _checked_head(first: Any) -> tuple[str, bool]:
    """Return the program and `bodies`. Raises BadRecording if `first` is no head."""
    if first is None:
        raise BadRecording(1, "this is no recording: it is empty")
    if not isinstance(first, dict) or MAGIC not in first:
        raise BadRecording(1, f'this is no recording: it does not begin with {{"{MAGIC}": ...}}')
    version, program, bodies = first[MAGIC], first.get("program", ""), first.get("bodies", True)
    if type(version) is not int or version != VERSION:
        raise BadRecording(1, f"version {_shown(version)} is not known here, {VERSION} is")
    if not _is_text(program):
        raise BadRecording(1, f"'program' is {_shown(program)}, expected: text")
    if type(bodies) is not bool:
        raise BadRecording(1, f"'bodies' is {_shown(bodies)}, expected: `true` or `false`")
    return _shortened(program), bodies


def _checked(number: int, found: Any, texts: dict[str, str]) -> Event:
    """Return the fields of an event that are known here. Raises BadRecording if it is none.

    texts: those of earlier events. Most of them come again and again, and are kept once.
    """
    if not isinstance(found, dict):
        raise BadRecording(number, "an event is an object, {...}")
    if "call" not in found:
        raise BadRecording(number, "an event has a call")
    call = found["call"]
    names = CALLS.get(call) if isinstance(call, str) else None
    if names is None:
        raise BadRecording(number, f"the call {_shown(call)} is not known")
    for name, field in FIELDS.items():
        if name in found and not field.accepts(found[name]):
            value = _shown(found[name])
            raise BadRecording(number, f"{name!r} of {call} is {value}, expected: {field.expected}")
    event: Event = {"call": texts.setdefault(call, call)}
    for name in ("t", *names, *OPTIONAL):
        if name in found:
            value = found[name]
            if isinstance(value, str) and name != "octets":
                value = _shortened(value)
                value = texts.setdefault(value, value)
            event[name] = value
        elif name not in OPTIONAL and ("error" not in found or name not in RESULTS):
            raise BadRecording(number, f"{call} has no {name!r}")
    return event


def _shortened(value: str) -> str:
    r"""Return text that can be shown: at most TEXT_LIMIT characters.

    The name of a file need not be UTF-8. Such a byte is recorded as PEP 383 has it, U+DC80 to
    U+DCFF, and shown as \xff.
    """
    if not value.isascii():
        value = value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return value if len(value) <= TEXT_LIMIT else f"{value[: TEXT_LIMIT - 1]}…"


def _shown(value: Any) -> str:
    """Return a value as an error shows it: a part of it, if it is long."""
    return reprlib.repr(value)


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
