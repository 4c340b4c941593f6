"""Describe events in words: the call as strace shows it, its effect, and an explanation.

The sleep of a round is described for the round as a whole, because select() and its return are two
events.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from turnchat.core.conversation import LAST, OURS, OVER, THEIRS, Turn
from turnchat.core.frame import quote
from turnchat.text import counted, safe
from turnchat.trace.format import Event
from turnchat.trace.interpreter import ENDS, NOT_YET, File
from turnchat.trace.layers.effects import Effect

QUOTE_LIMIT = 32  # bytes of a call, or characters of a message
BLANKS = " " * 8  # so many and more are counted: a terminal is cleared with a row of them
PIECES = re.compile(rf" {{8,}}|(?:(?!{BLANKS}).){{1,{QUOTE_LIMIT + 1}}}", re.DOTALL)

TURNS: dict[Turn, str] = {
    OURS: "our turn",
    THEIRS: "their turn",
    LAST: "our turn, the last one",
    OVER: "the conversation is over",
}
MASKS = {"r": "to read", "w": "to write", "rw": "to read and to write", "": "for nothing"}

# The meaning of a call, for readers who see it for the first time.
EXPLANATIONS = {
    "open": "The loop has a new file. It can be watched once it is registered.",
    "name": "The file gets its name.",
    "register": "The file joins the interest set. select() returns when it is ready for this.",
    "register KeyError": "The selector has this descriptor already: it was never unregistered.",
    "modify": "The file stays in the interest set, but is now watched for something else.",
    "unregister": "The file leaves the interest set. select() does not watch it any more.",
    "select": "The thread sleeps until a registered file is ready or the time is up.",
    "ready": "select() returns the files that are ready: calls on them should not block.",
    "dispatch": "The loop runs the callback of this file.",
    "deadline": "The time is up. The loop runs the callback of this timer.",
    "signal": "A signal has come. Its number was written into a socket that the loop watches.",
    "accept": "The first connection in the kernel's queue gets a socket of its own.",
    "accept EAGAIN": "The kernel's queue of connections is empty. The listener stays registered.",
    "connect": "The connection is established at once.",
    "connect EINPROGRESS": "The kernel goes on connecting. The socket becomes writable at the end.",
    "connected": "The kernel reports the outcome: the connection is established.",
    "recv": "recv() takes the bytes that are there, up to a limit. A frame may come in parts.",
    "recv end": "No bytes: the peer has ended its stream. Nothing more will come.",
    "recv EAGAIN": "Nothing was there after all. Readiness is only a hint, so this is no error.",
    "send": "The kernel has taken all bytes. They may not have arrived yet.",
    "send short": "The kernel's buffer took a part. The rest waits until the socket is writable.",
    "send EAGAIN": "The kernel's buffer is full. All bytes wait until the socket is writable.",
    "recv records": "These are TLS records. One that is whole can be decrypted.",
    "send records": "The kernel has taken TLS records. Those of application data are encrypted.",
    "header": "The balancer in front tells the address of the real peer. This is no message.",
    "header end": "No bytes: the balancer has ended its stream.",
    "header EAGAIN": "The rest of the header has not come yet.",
    "tls": "TLS begins. From here on the bytes of this socket are records.",
    "handshake": "Both sides have the same keys, and have proved who they are as far as they must.",
    "handshake SSLWantReadError": "TLS needs bytes of the peer to go on. It may have some to send.",
    "decrypt": "The bytes of a record in the clear: these are part of the conversation.",
    "decrypt end": "close_notify: it is the peer itself that has ended its stream.",
    "decrypt SSLWantReadError": "No record is whole yet. recv() has to bring more of it.",
    "decrypt SSLZeroReturnError": "close_notify: the peer had ended its stream before.",
    "decrypt SSLEOFError": "The stream has ended without close_notify: it may have been cut.",
    "encrypt": "The bytes become a record in memory, which send() has to take to the kernel.",
    "unwrap": "close_notify has gone both ways: the end of the conversation is in good order.",
    "unwrap SSLWantReadError": "close_notify is to be sent. That of the peer has not come yet.",
    "read": "Input from the keyboard or from a program.",
    "read end": "The input has ended. Nothing more will come.",
    "read EAGAIN": "There is no input now. select() returns when there is.",
    "write": "The screen or a program has taken the output.",
    "write EAGAIN": "The reader has stalled, and its buffer is full. The output waits.",
    "shutdown": "This side sends nothing more. It still reads until the peer ends its stream, too.",
    "close": "The descriptor is free. The next file may get its number.",
    "end": "The recording ends here.",
}
FAILED = "The call has failed. errno(3) explains the error."
FAILED_TLS = "TLS has failed, and the connection with it. An alert may tell the peer."
TLS_CALLS = ("handshake", "decrypt", "encrypt", "unwrap")
LOW = ("header", "handshake", "records")  # effects below the conversation


def explanation(event: Event, file: File | None = None) -> str:
    """Explain calls of this kind."""
    outcome = _outcome(event)
    if file and file.tls and event["call"] in ("recv", "send") and not outcome:
        outcome = " records"
    failed = FAILED_TLS if event["call"] in TLS_CALLS else FAILED
    return EXPLANATIONS.get(f"{event['call']}{outcome}") or (
        failed if "error" in event else EXPLANATIONS[event["call"]]
    )


def call(event: Event, file: File | None = None) -> tuple[str, str, str]:
    """Return the name of a call, its arguments and its result. Of TLS records, no byte is shown."""
    name = event["call"]
    is_record = file is not None and file.tls is not None and name in ("recv", "send")
    arguments = ""
    result: str = event.get("error", "")
    match name:
        case "select":
            seconds = event["timeout"]
            arguments = "for ever" if seconds is None else f"{max(0.0, round(seconds, 3)):g} s"
        case "register" | "modify":
            arguments = MASKS[event["events"]]
        case "recv" | "read" | "header" | "decrypt":
            arguments = str(event["size"])
            if not result:
                result = _counted_bytes(event["octets"], is_record=is_record)
        case "send" | "write" | "encrypt":
            data = event.get("octets", "")
            arguments = counted(len(data), "byte") if is_record else _quoted(data)
            if not result:
                result = f"{event['sent']} of {counted(len(event['octets']), 'byte')} taken"
        case "accept":
            result = result or f"from {event['peer'] or 'a unix socket'}"
        case "connect":
            arguments = event.get("peer", "")
        case "tls":
            arguments = event["side"]
        case "handshake":
            result = result or "done"
        case "deadline":
            name, arguments = "timer", event["name"]
        case "signal" | "name":
            arguments = event["name"]
    return name, arguments, result


def effect(event: Event, file: File | None, effects: list[Effect]) -> str:
    """Describe the effect of a call: a message, a turn, a part of a frame."""
    name = event["call"]
    if effects:
        words = ", ".join(_clause(one) for one in effects)
        is_low = all(one.kind in LOW for one in effects)
        return words + (_unsent(name, file, ", ") if is_low else _turn_of(file))
    if name == "select" and event["deadline"] is not None:
        return f"until {_timer(event['deadline'])} at the latest"
    if name in TLS_CALLS and file and file.tls:
        if "error" in event:
            return _failure(event, file, file.tls.peer)
        if name == "unwrap":
            return "both sides have ended TLS"
    if name in ("recv", "decrypt") and file and file.is_conversation and "error" not in event:
        return TURNS[OVER] if file.turn is OVER else f"frame: {file.progress}{_turn_of(file)}"
    return _unsent(name, file)


def sleep(round_: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str:
    """Describe the sleep of a round: its length, its limit, and the reason for its end.

    round_, files: a round of a timeline, and the files of that timeline.
    """
    if not round_["number"]:
        return "Before the loop's first select()."
    names = list(dict.fromkeys(files[number]["name"] for number, _ in round_["ready"]))
    are = "is" if len(names) == 1 else "are"
    end = f"{_listed(names)} {are} ready" if names else "no file is ready"
    timeout, timer = round_["timeout"], round_["deadline"]
    if timeout is not None and timeout <= 0:
        due = "" if timer is None else f": {_timer(timer)} is due"
        return f"did not sleep{due}; {end}"
    most = ", with no limit" if timeout is None else f" of at most {_span(timeout)}"
    until = "" if timer is None else f", until {_timer(timer)}"
    slept = max(0.0, round_["woke"] - round_["t"])  # the clock of a recording may go backwards
    return f"slept {_span(slept)}{most}{until}; {end}"


def _timer(name: str) -> str:
    return f"the timer of {name}" if name else "a timer that was cancelled meanwhile"


def _unsent(name: str, file: File | None, joint: str = "") -> str:
    """Describe the rest of a send that is still to be made."""
    if name != "send" or not file or not file.unsent:
        return ""
    return f"{joint}{counted(len(file.unsent), 'byte')} still to be sent"


def _failure(event: Event, file: File, peer: str) -> str:
    """Describe a call of TLS that has failed, or has to be made again."""
    call = event["call"]
    if event["error"] == NOT_YET:
        waits = {"handshake": "the handshake waits for", "unwrap": "we end TLS, and wait for"}
        return f"{waits[call]} {peer}" if call in waits else ""
    if event["error"] in ENDS and file.is_conversation:
        return TURNS[file.turn]
    what = "the handshake fails" if call == "handshake" else "TLS fails"
    return f"{what}: {safe(event.get('reason') or event['error'])}"


def _outcome(event: Event) -> str:
    if "error" in event:
        return f" {event['error']}"
    if event["call"] in ("recv", "read", "header", "decrypt") and not event["octets"]:
        return " end"
    if event["call"] == "send" and event["sent"] < len(event["octets"]):
        return " short"
    return ""


def _clause(one: Effect) -> str:
    match one.kind:
        case "fault":
            subject = "we break" if one.is_ours else "the peer breaks"
            return f"{subject} the protocol {one.text}"
        case "end":
            return "the peer sends no more"
        case "records" | "header" | "handshake":
            return safe(one.text)
        case _:
            subject = "we say" if one.is_ours else "the peer says"
            text = safe(one.text)
            return f"{subject} “{text[:QUOTE_LIMIT]}{'…' * (len(text) > QUOTE_LIMIT)}”"


def _turn_of(file: File | None) -> str:
    return f", {TURNS[file.turn]}" if file and file.is_conversation else ""


def _listed(names: Sequence[str]) -> str:
    """Join names: "one", "one, two and three"; of more than four, show the first three."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _span(seconds: float) -> str:
    """Show a length of time with three digits and the unit that fits."""
    micro = round(seconds * 1e6)
    if micro < 1000:
        return f"{micro} µs"
    if micro < 1_000_000:
        return f"{float(f'{micro / 1000:.3g}'):g} ms"
    return f"{float(f'{seconds:.3g}'):g} s"


def _counted_bytes(data: str, *, is_record: bool) -> str:
    if not data:
        return "the end"
    size = counted(len(data), "byte")
    return size if is_record else f"{size} {_quoted(data)}"


def _quoted(data: str) -> str:
    """Quote bytes: escaped, and cut at QUOTE_LIMIT. Of many blanks in a row there is the number."""
    parts: list[str] = []
    left = QUOTE_LIMIT
    for piece in PIECES.finditer(data):
        text = piece[0]
        if text.startswith(BLANKS):
            parts.append(f"{len(text)} blanks")
            continue
        if left:
            parts.append(_escaped(text[:left]))
        if len(text) > left:
            parts[-1] += "..."
            break
        left -= len(text)
    return ", ".join(parts) or _escaped("")


def _escaped(data: str) -> str:
    shown = quote(data.encode("latin-1"), QUOTE_LIMIT)[1:-1].replace('"', '\\"')
    return f'"{shown}"'
