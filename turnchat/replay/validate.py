"""Whether a recording is whole and consistent, and where it is not.

Theory of operation. What the recorder writes follows rules: time goes on, a file is used between
its opening and its closing, what is ready was registered for that, and a call gives no more than
it was asked for. A recording that breaks a rule was not made by a recorder, or was changed, and
what is shown of it may not be what happened. Whether the loop has made mistakes is another
question: lints.py.
"""

from collections.abc import Iterator
from typing import NamedTuple

from turnchat.trace.format import Event, Recording
from turnchat.trace.interpreter import File, Retelling

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
        file = retelling.files.get(event.get("file", 0))
        for what in _broken(event, retelling, file):
            yield Problem(line, what)
        retelling.feed(event)
    if recording.is_cut_off:
        yield Problem(line + 1, "the recording is cut off here")


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
        case "register" if file and file.mask is not None and "error" not in event:
            yield f"{file.name} is registered twice"
        case "modify" | "unregister" if file and file.mask is None and "error" not in event:
            yield f"{call} on {file.name}, which is not registered"
        case "dispatch" if file and file not in retelling.ready:
            yield f"{file.name} is served, and was not ready"
        case "recv" | "read" if len(event.get("octets", "")) > event["size"]:
            yield f"{call} gave {len(event['octets'])} octets and was asked for {event['size']}"
        case "send" | "write" if event.get("sent", 0) > len(event.get("octets", "")):
            yield f"{call} took {event['sent']} of {len(event['octets'])} octets"
