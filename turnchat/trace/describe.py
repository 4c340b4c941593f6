"""Events in words: the call as strace shows it, what it means now, and what it means at all.

How a round slept is told of the round as a whole: select() and its return are two events.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from turnchat.core.conversation import LAST, OURS, OVER, THEIRS, Turn
from turnchat.core.frame import quote
from turnchat.text import counted, safe
from turnchat.trace.format import Event
from turnchat.trace.interpreter import File, Happening

SHOWN = 32  # octets of a call that are quoted at the most

OWNERS: dict[Turn, str] = {
    OURS: "our turn",
    THEIRS: "their turn",
    LAST: "our turn, the last one",
    OVER: "the conversation is over",
}
MASKS = {"r": "to read", "w": "to write", "rw": "to read and to write", "": "for nothing"}

# What a call means, for who sees it the first time.
SENTENCES = {
    "open": "The loop has a new file. It hears of it only when it is registered.",
    "name": "The file gets its name.",
    "register": "The file joins the interest set: select() will tell when it is ready for this.",
    "modify": "The file stays in the interest set, but something else is waited for.",
    "unregister": "The file leaves the interest set: select() does not look at it any more.",
    "select": "The thread sleeps in the kernel until a registered file is ready or the time is up.",
    "ready": "select() returns those that are ready. It says that a call will not block, no more.",
    "dispatch": "The loop calls whoever waits for this file.",
    "deadline": "The time is up: the loop calls whoever has set this deadline.",
    "signal": "A signal has come. Its handler wrote its number into a socket that the loop reads.",
    "accept": "The first who waits in the backlog gets a socket of its own.",
    "accept EAGAIN": "Nobody waits in the backlog any more. The listener goes on being watched.",
    "connect": "The connection is there at once.",
    "connect EINPROGRESS": "The kernel goes on with it: the socket is writable when it is decided.",
    "connected": "The kernel tells how it went: the connection is there.",
    "recv": "recv() takes what is there, at most so many octets. It may be less than a frame.",
    "recv end": "No octets: the peer has ended its stream, and nothing more will ever come.",
    "recv EAGAIN": "Nothing was there after all. Readiness is a hint, so this is no error.",
    "send": "The kernel has taken all of it. That it is on its way does not mean that it is there.",
    "send short": "The kernel's buffer took a part. The rest waits until the socket is writable.",
    "send EAGAIN": "The kernel's buffer is full. All of it waits until the socket is writable.",
    "read": "The keyboard or a program has something for us.",
    "read end": "The end: nothing more will be typed or printed.",
    "read EAGAIN": "Nothing is there now; select() will tell when that changes.",
    "write": "The screen or a program has taken it.",
    "write EAGAIN": "Nobody reads there now. What is to be shown waits.",
    "shutdown": "We send no more, and say so; what the peer still sends is read.",
    "close": "The descriptor is free; the next file may get its number.",
    "end": "The recording ends here.",
}
FAILED = "The call has failed; errno(3) says what this error means."


def sentence(event: Event) -> str:
    """What such a call means at all."""
    return SENTENCES.get(f"{event['call']}{_outcome(event)}") or (
        FAILED if "error" in event else SENTENCES[event["call"]]
    )


def call(event: Event) -> tuple[str, str, str]:
    """A call, its arguments and its result."""
    name = event["call"]
    arguments = ""
    result: str = event.get("error", "")
    match name:
        case "select":
            seconds = event["timeout"]
            arguments = "for ever" if seconds is None else f"{max(0.0, round(seconds, 3)):g} s"
        case "register" | "modify":
            arguments = MASKS[event["events"]]
        case "recv" | "read":
            arguments = str(event["size"])
            if not result:
                result = _counted_octets(event["octets"])
        case "send" | "write":
            arguments = _quoted(event.get("octets", ""))
            if not result:
                result = f"{event['sent']} of {counted(len(event['octets']), 'octet')} taken"
        case "accept":
            result = result or f"from {event['peer'] or 'a unix socket'}"
        case "connect":
            arguments = event.get("peer", "")
        case "deadline" | "signal" | "name":
            arguments = event["name"]
    return name, arguments, result


def meaning(event: Event, file: File | None, happenings: list[Happening]) -> str:
    """What it has brought about just now."""
    if happenings:
        return ", ".join(_told(one) for one in happenings) + _whose(file)
    match event["call"]:
        case "recv" if file and file.is_conversation and "error" not in event:
            if file.turn is OVER:
                return OWNERS[OVER]
            return f"frame: {file.progress}{_whose(file)}"
        case "send" if file and file.unsent:
            return f"{counted(len(file.unsent), 'octet')} still to be sent"
        case "select" if event["deadline"]:
            return f"until the deadline of {event['deadline']} at the latest"
    return ""


def sleep(told: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str:
    """How long select() slept, how long it might have, and what ended it.

    told, files: a round of a story, and the files of that story.
    """
    if not told["number"]:
        return "Before the loop's first select()."
    names = list(dict.fromkeys(files[number]["name"] for number, _ in told["ready"]))
    are = "is" if len(names) == 1 else "are"
    end = f"{_listed(names)} {are} ready" if names else "no file is ready"
    timeout, deadline = told["timeout"], told["deadline"]
    if timeout is not None and timeout <= 0:
        due = "" if deadline is None else f": the deadline of {deadline} is due"
        return f"did not sleep{due}; {end}"
    most = ", for as long as it takes" if timeout is None else f" of at most {_span(timeout)}"
    until = "" if deadline is None else f", until the deadline of {deadline}"
    return f"slept {_span(told['woke'] - told['t'])}{most}{until}; {end}"


def _outcome(event: Event) -> str:
    if "error" in event:
        return f" {event['error']}"
    if event["call"] in ("recv", "read") and not event["octets"]:
        return " end"
    if event["call"] == "send" and event["sent"] < len(event["octets"]):
        return " short"
    return ""


def _told(happening: Happening) -> str:
    who = "we say" if happening.is_ours else "the peer says"
    match happening.kind:
        case "fault":
            what = "we break" if happening.is_ours else "the peer breaks"
            return f"{what} the protocol {happening.text}"
        case "end":
            return "the peer sends no more"
        case _:
            text = safe(happening.text)
            return f"{who} “{text[:SHOWN]}{'…' * (len(text) > SHOWN)}”"


def _whose(file: File | None) -> str:
    return f", {OWNERS[file.turn]}" if file and file.is_conversation else ""


def _listed(names: Sequence[str]) -> str:
    """Names in a row: "one", "one, two and three"; of more than four, the first three."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _span(seconds: float) -> str:
    """A length of time with three digits and the unit that fits."""
    micro = round(seconds * 1e6)
    if micro < 1000:
        return f"{micro} µs"
    if micro < 1_000_000:
        return f"{float(f'{micro / 1000:.3g}'):g} ms"
    return f"{float(f'{seconds:.3g}'):g} s"


def _counted_octets(octets: str) -> str:
    if not octets:
        return "the end"
    return f"{counted(len(octets), 'octet')} {_quoted(octets)}"


def _quoted(octets: str) -> str:
    """Octets in double quotes, escaped, and cut short."""
    shown = quote(octets[:SHOWN].encode("latin-1"), SHOWN)[1:-1].replace('"', '\\"')
    return f'"{shown}"' + ("..." if len(octets) > SHOWN else "")
