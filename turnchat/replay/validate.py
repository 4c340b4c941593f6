"""Check that a recording is complete and consistent.

A recorder follows rules: time never goes backwards; a file is used between its opening and its
closing; a ready file was registered for that; and no call returns more than it was asked for. A
recording that breaks a rule was changed, or another program made it. Then it may show events that
never happened. Mistakes of the loop are another question: lint.py.
"""

from collections.abc import Iterator
from typing import NamedTuple

from turnchat.trace.format import Event, Recording
from turnchat.trace.interpreter import File, Interpreter

# These can happen to a closed file: it was closed in the round in which it is ready, or by mistake.
AFTER_CLOSE = ("dispatch", "name", "modify", "unregister")


class Problem(NamedTuple):
    """A broken rule, and the line of the recording that breaks it."""

    line: int
    text: str


def find_problems(recording: Recording) -> Iterator[Problem]:
    """Yield the broken rules of a recording, in its order."""
    interpreter = Interpreter()
    time = 0.0
    line = 1
    for line, event in recording.events:
        if event["t"] < time:
            yield Problem(line, f"time goes backwards, from {time} to {event['t']}")
        time = event["t"]
        file = interpreter.file_of(event)
        for text in _broken(event, interpreter, file):
            yield Problem(line, text)
        interpreter.feed(event)
    if recording.is_cut_off:
        yield Problem(line + 1, "the recording is cut off here")


def _broken(event: Event, interpreter: Interpreter, file: File | None) -> Iterator[str]:
    """Yield the rules that an event breaks. The interpreter must not have taken it in yet."""
    call = event["call"]
    if file and file.is_closed and "error" not in event and call not in AFTER_CLOSE:
        yield f"{call} on {file.name}, which is closed"
    match call:
        case "ready":
            for number, mask in event["files"]:
                registered = interpreter.files[number].mask
                if registered is None or not set(mask) <= set(registered):
                    yield f"{interpreter.files[number].name} is ready for {mask!r}, not asked for"
        case "register" if file and file.mask is not None and "error" not in event:
            yield f"{file.name} is registered twice"
        case "modify" | "unregister" if file and file.mask is None and "error" not in event:
            yield f"{call} on {file.name}, which is not registered"
        case "dispatch" if file and file not in interpreter.ready:
            yield f"{file.name} is served, and was not ready"
        case "header" if file and file.has_begun and "error" not in event:
            yield f"header on {file.name}, whose conversation has begun"
        case "tls" if file and file.tls and "error" not in event:
            yield f"tls on {file.name}, which has it already"
        case "handshake" | "decrypt" | "encrypt" | "unwrap" if file and _lacks_tls(file):
            yield f"{call} on {file.name}, which has no TLS"
    match call:
        case "recv" | "read" | "header" | "decrypt" if len(event.get("octets", "")) > event["size"]:
            yield f"{call} gave {len(event['octets'])} bytes and was asked for {event['size']}"
        case "send" | "write" | "encrypt" if event.get("sent", 0) > len(event.get("octets", "")):
            yield f"{call} took {event['sent']} of {len(event.get('octets', ''))} bytes"


def _lacks_tls(file: File) -> bool:
    """Return True if no TLS has begun. A connection of an earlier recording is of kind `other`."""
    return file.kind == "connection" and not file.tls
