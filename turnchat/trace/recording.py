"""A recording: what a loop called, and what came of it, one JSON object on each line.

Theory of operation. The first line says what follows, and in which version. Each later line is one
event: when it happened, which call it was, on which file, and its result. CALLS names the fields
of each; FORMAT.md explains them. A reader takes nothing on trust: a line that is no event is
refused by its number. Only the last line may be torn, since whoever wrote it may have been killed.
"""

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

VERSION = 1
MAGIC = "turnchat-recording"

Event = dict[str, Any]

Kind = type | tuple[type, ...]

FILE: dict[str, Kind] = {"file": int}
OPTIONAL: dict[str, Kind] = {"error": str, "by": str}
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
KINDS = ("listener", "connection", "stream", "other")


class BadRecording(ValueError):
    """A file is not a recording, or not one that can be understood. Says in which line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
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


def read(file: IO[str]) -> Recording:
    """Read a recording. Raises BadRecording."""
    lines = _numbered(file)
    _, first = next(lines, (1, None))
    if not isinstance(first, dict) or MAGIC not in first:
        raise BadRecording(1, f"this is no recording: it does not begin with {{{MAGIC!r}: ...}}")
    if first[MAGIC] != VERSION:
        raise BadRecording(1, f"version {first[MAGIC]!r} is not known here, {VERSION} is")
    events = []
    torn = False
    for number, found in lines:
        if isinstance(found, Torn):
            torn = True
            break
        events.append((number, _checked(number, found)))
    is_whole = bool(events) and events[-1][1]["call"] == "end"
    return Recording(
        str(first.get("program", "")), bool(first.get("bodies", True)), events, torn or not is_whole
    )


class Torn(str):
    """A last line without its end."""


def _numbered(file: Iterable[str]) -> Iterator[tuple[int, Any]]:
    number = 0
    try:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                yield number, Torn(line)
                return
            yield number, json.loads(line)
    except UnicodeDecodeError as error:
        raise BadRecording(number + 1, "this is not text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise BadRecording(number, f"this is not JSON: {error}") from error


def _checked(number: int, event: Any) -> Event:
    """`event`, if it is one."""
    if not isinstance(event, dict):
        raise BadRecording(number, "an event is an object, {...}")
    call = event.get("call")
    fields = CALLS.get(call) if isinstance(call, str) else None
    if fields is None:
        raise BadRecording(number, f"the call {call!r} is not known")
    for name, kind in [("t", (int, float)), *fields.items()]:
        if name not in event:
            if "error" in event and name not in FILE:
                continue  # a call that failed has no result
            raise BadRecording(number, f"{call} has no {name!r}")
        if not isinstance(event[name], kind) or isinstance(event[name], bool):
            raise BadRecording(number, f"{name!r} of {call} is {event[name]!r}")
    for name, optional in OPTIONAL.items():
        if not isinstance(event.get(name, ""), optional):
            raise BadRecording(number, f"{name!r} of {call} is {event[name]!r}")
    if call == "ready":
        _check_ready(number, event["files"])
    if "octets" in event and not event["octets"].isascii() and max(event["octets"]) > "\xff":
        raise BadRecording(number, "an octet is a character up to U+00FF")
    return event


def _check_ready(number: int, files: list[Any]) -> None:
    for one in files:
        match one:
            case [int(), "r" | "w" | "rw"]:
                pass
            case _:
                raise BadRecording(number, f"a ready file is [number, mask], not {one!r}")
