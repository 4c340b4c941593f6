"""Whether a recording is whole and consistent, and where it is not.

Theory of operation. What the recorder writes follows rules: time goes on, a file is used between
its opening and its closing, what is ready was registered for that, a call gives no more than it
was asked for, and what a short send() left is what is sent next. Turns alternate in the octets, or
a fault says that they do not. A recording that breaks a rule was not made by a recorder, or was
changed, and what is shown of it may not be what happened.
"""

from collections.abc import Iterator
from typing import NamedTuple

from turnchat.trace.recording import Event, Recording
from turnchat.trace.retelling import File, Retelling

AFTER_CLOSE = ("name", "modify", "unregister")  # a mistake of the loop, but it can happen


class Problem(NamedTuple):
    """A rule that is broken, and in which line of the recording."""

    line: int
    what: str


def check(recording: Recording) -> Iterator[Problem]:
    """What is wrong with a recording, in its order."""
    retelling = Retelling()
    time = 0.0
    line = 1
    for line, event in recording.events:
        if event["t"] < time:
            yield Problem(line, f"time goes backwards, from {time} to {event['t']}")
        time = event["t"]
        unknown = [number for number in _files_of(event) if number not in retelling.files]
        if event["call"] == "open":
            if event["file"] in retelling.files:
                yield Problem(line, f"file {event['file']} is opened twice")
        elif unknown:
            yield Problem(line, f"file {unknown[0]} was never opened")
            return  # what follows would be about it
        before = retelling.files.get(event.get("file", 0))
        problems = list(_broken(event, retelling, before))
        retelling.feed(event)
        yield from (Problem(line, what) for what in problems)
    if recording.is_cut_off:
        yield Problem(line + 1, "the recording is cut off here")


def _files_of(event: Event) -> list[int]:
    files = [event["file"]] if "file" in event else []
    if event["call"] == "ready":
        files += [number for number, _ in event["files"]]
    if event["call"] == "accept" and "new" in event:
        files.append(event["new"])
    return files


def _broken(event: Event, retelling: Retelling, file: File | None) -> Iterator[str]:
    """The rules that an event breaks, before it is retold."""
    call = event["call"]
    if file and file.is_closed and "error" not in event and call not in AFTER_CLOSE:
        yield f"{call} on {file.name}, which is closed"
    match call:
        case "ready":
            for number, mask in event["files"]:
                registered = retelling.files[number].mask
                if registered is None or not set(mask) <= set(registered):
                    yield f"{retelling.files[number].name} is ready for {mask!r}, not asked for"
        case "register" if file and file.mask is not None:
            yield f"{file.name} is registered twice"
        case "modify" | "unregister" if file and file.mask is None and "error" not in event:
            yield f"{call} on {file.name}, which is not registered"
        case "dispatch" if file and file not in retelling.ready:
            yield f"{file.name} is served, and was not ready"
        case "recv" | "read" if len(event.get("octets", "")) > event["size"]:
            yield f"{call} gave {len(event['octets'])} octets and was asked for {event['size']}"
        case "send" | "write" if event.get("sent", 0) > len(event.get("octets", "")):
            yield f"{call} took {event['sent']} of {len(event['octets'])} octets"
        case "send" if file and file.unsent and event.get("octets", file.unsent) != file.unsent:
            yield f"what a short send() to {file.name} left is not what is sent next"
