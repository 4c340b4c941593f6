"""The file format of a recording: the calls of a loop and their results, one JSON object a line.

The first line names the version. Each later line is one event: its time, the call, the file and
the result. fields.py has the fields of each call with their types and ranges, and FORMAT.md
explains them. A recording may come from anywhere, so a reader trusts nothing: it refuses a line
that is no event, and gives its number, the field and the expected value. Time and memory grow with
the size of the file alone. Only the last line may be torn, because the process that wrote it may
have been killed.
"""

import heapq
import json
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from turnchat.trace.fields import CALLS, FIELDS, OPTIONAL, RESULTS, is_text

VERSION = 1
MAGIC = "turnchat-recording"

Event = dict[str, Any]

TEXT_LIMIT = 255  # characters; names are shown at each of their calls, so they must be short
LINE_LIMIT = 8 << 20  # bytes; a line may be JSON that takes thirty times its size in memory
RECORDING_LIMIT = 256 << 20  # bytes; a pipe may have no end
REASON_LIMIT = 200  # characters of an error

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


def in_order(recordings: Sequence[Recording]) -> Iterator[tuple[int, int, Event]]:
    """Merge the events of recordings by time: the index of the recording, the line, the event.

    At the same time they come in the order of their recordings. The events of each recording stay
    in their order, even if its clock goes backwards.
    """
    sides = (
        [(side, line, event) for line, event in recording.events]
        for side, recording in enumerate(recordings)
    )
    return heapq.merge(*sides, key=lambda one: float(one[2]["t"]))


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
    if not is_text(program):
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
            given = found[name]
            if isinstance(given, str) and name != "octets":
                text = _shortened(given)
                given = texts.setdefault(text, text)
            elif name == "source":
                given = {"first": given["first"], "text": _readable(given["text"])}
            event[name] = given
        elif name not in OPTIONAL and ("error" not in found or name not in RESULTS):
            raise BadRecording(number, f"{call} has no {name!r}")
    return event


def _shortened(value: str) -> str:
    r"""Return text that can be shown: at most TEXT_LIMIT characters.

    The name of a file need not be UTF-8. Such a byte is recorded as PEP 383 has it, U+DC80 to
    U+DCFF, and shown as \xff.
    """
    value = _readable(value)
    return value if len(value) <= TEXT_LIMIT else f"{value[: TEXT_LIMIT - 1]}…"


def _readable(value: str) -> str:
    """Return text whose bytes that are not UTF-8 are escaped."""
    if value.isascii():
        return value
    return value.encode(errors="surrogateescape").decode(errors="backslashreplace")


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
