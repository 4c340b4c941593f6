"""Programs that do not start, or do not serve a client: their error or their state says why."""

import re
from collections.abc import Callable

from turnchat.check.diagnosis import state
from turnchat.check.diagnosis.evidence import Evidence, frames_of, shown
from turnchat.check.report import Awaited, EventType, Kind
from turnchat.check.screen import without_sequences
from turnchat.core.conversation import BYEBYE
from turnchat.text import counted

IN_USE = re.compile(r"address already in use|EADDRINUSE", re.IGNORECASE)
REFUSED = re.compile(r"connection refused|ECONNREFUSED", re.IGNORECASE)
NO_SERVER = re.compile(
    r"\bno (?:such )?(?:server|connection|host)|\b(?:can(?:no|')t|could(?: not|n't)|unable to"
    r"|failed to|not) (?:be )?(?:connect|reach)|\bconnect(?:ion|ing)?\b.{0,20}\b(?:fail|error)",
    re.IGNORECASE,
)
TURNCHAT = re.compile(r"turnchat-(server|client)\b")
FAULT = re.compile(r"(?:client \d+|the server|\S+) broke the protocol at byte \d+[^\r\n(]*")
PORT = re.compile(r"(?i:\bport\W{0,3})(\d{4,5})\b(?!\.\d)|(?<=[\d*\]]:)(\d{4,5})\b")
SERVER_CASE, CLIENT_CASE = "start/listens", "start/connects"  # the first case of each role
SYNTAX = re.compile(r"^(SyntaxError|IndentationError|TabError): (.+)$", re.MULTILINE)
LINE = re.compile(r'^\s*File "([^"]+)", line (\d+)', re.MULTILINE)
MESSAGES: tuple[tuple[str, str], ...] = (
    (r"ModuleNotFoundError: No module named '?([\w.]+)", "A Python module is missing: {}."),
    (r"Error: Cannot find module '([^'\n]+)'", "A module of JavaScript is missing: {}."),
    (r"can't open file '([^'\n]+)'", "The file of the program is not there: {}."),
    (r"Could not find or load main class (\S+)", "The class is not there, or not compiled: {}."),
    (r"UnsupportedClassVersionError: (\S+)", "The class was compiled by a newer Java: {}."),
    (r"(\S{1,200}\.java:\d+): error:", "The Java source does not compile: {}."),
    (r"unrecognized arguments: (.+)", "The program takes other arguments: it refused {}."),
    (r"(?m)^[ \t]*usage: (.+)", "The program takes other arguments: {} is its usage."),
)
ARRAY_INDEX = "ArrayIndexOutOfBoundsException"
ARGUMENTS = re.compile(
    r"\bIndexError\b|ArrayIndexOutOfBoundsException"
    r"|invalid literal for int\(\) with base 10: '127\.0\.0\.1'"
)


def other_role(evidence: Evidence) -> str | None:
    """Name a server that is checked as a client, or a client that is checked as a server."""
    if evidence.has(EventType.CONNECTED):
        return None
    if evidence.result.id == CLIENT_CASE:
        if ports := evidence.noted(state.LISTENING):
            why = f"it listens on port {ports[-1]}, and connects to nothing"
        elif IN_USE.search(evidence.output):
            why = "it binds the port to which a client connects"
        else:
            return None
        return f"This looks like a server: {why}. Run `turnchat-check server` for it."
    if evidence.result.id == SERVER_CASE and REFUSED.search(evidence.output):
        return (
            "This looks like a client: it tried to connect, and was refused. Run"
            " `turnchat-check client` for it, with {host} and {port}."
        )
    return None


def in_use(evidence: Evidence) -> str | None:
    """Name a port that was still held by the connections of the program's former run."""
    if not IN_USE.search(evidence.output):
        return None
    if any("TIME_WAIT" in note for note in evidence.notes):
        return (
            "SO_REUSEADDR is not set: the port is in use for a minute after the first server has"
            " ended. Set the option before bind()."
        )
    return "The port is in use: the program binds it twice, or another one has it (ss -ltnp)."


def syntax(evidence: Evidence) -> str | None:
    """Name a syntax error, with its line."""
    found = SYNTAX.search(evidence.output)
    if not found or evidence.has(EventType.CONNECTED):
        return None
    lines = LINE.findall(evidence.output[: found.start()])
    place = f" in line {lines[-1][1]}" if lines else ""
    return f"The program has a syntax error: {found[2]}{place}."


def arguments(evidence: Evidence) -> str | None:
    """Name arguments that are not those which the program looks for."""
    found = ARGUMENTS.search(evidence.output)
    if evidence.has(EventType.CONNECTED) or not found or evidence.kind is not Kind.DIED:
        return None
    if found[0] == "IndexError" and "argv" not in evidence.output[: found.start()]:
        return None
    if found[0] == ARRAY_INDEX and ".main(" not in evidence.output[found.end() :]:
        return None
    return (
        "The program looks for other arguments than it was given: compare"
        + (evidence.remedy(python="sys.argv", java="args", c="argv", js="process.argv") or " them")
        + " with the command, its {host} and its {port}."
    )


def messages(evidence: Evidence) -> str | None:
    """Name what an interpreter could not find."""
    if evidence.has(EventType.CONNECTED) or evidence.kind is not Kind.DIED:
        return None
    for pattern, words in MESSAGES:
        if found := re.search(pattern, evidence.output):
            return words.format(found[1].strip()[:60])
    return None


def other_port(evidence: Evidence) -> str | None:
    """Name a port on the screen that is not the one that the program was given."""
    if evidence.has(EventType.CONNECTED) or evidence.awaits is not Awaited.CONNECTION:
        return None
    commands = [one.note for one in evidence.events if one.type is EventType.STARTED]
    given = set(re.findall(r"\d{4,5}", " ".join(commands)))
    ports = evidence.noted(state.LISTENING)
    shown = [*map(str, ports)] or [one or other for one, other in PORT.findall(evidence.output)]
    other = [number for number in shown if 1023 < int(number) < 65536 and number not in given]
    if given and other and not given & set(shown):
        verb = "listens on" if ports else "says"
        return (
            f"The port is not taken from the command line: the program {verb} {other[0]}."
            f"{_port(evidence)} Or run the checker with --port {other[0]}."
        )
    return None


def asks_first(evidence: Evidence) -> str | None:
    """Name a program that waits for a line before there is a connection."""
    is_start = not evidence.has(EventType.CONNECTED) and evidence.awaits is Awaited.CONNECTION
    if not is_start or not evidence.waits_at_keyboard or evidence.noted(state.LISTENING):
        return None
    return (
        "The program asks its person first: it waits for its keyboard, and neither listens nor is"
        " connected. Listen or connect first."
    )


def _finds_no_server(evidence: Evidence) -> bool:
    """Return True if a client says in its own words that it cannot connect, and ends."""
    is_first = evidence.result.id == CLIENT_CASE and evidence.kind is Kind.DIED
    return is_first and NO_SERVER.search(evidence.output) is not None


def refused(evidence: Evidence) -> str | None:
    """Name a client that connects to a place where nothing listens."""
    if (
        not (REFUSED.search(evidence.output) or _finds_no_server(evidence))
        or evidence.has(EventType.CONNECTED)
        or evidence.awaits is not Awaited.CONNECTION
    ):
        return None
    return (
        "The client connects to another port or host than it was given: it found no server, but"
        f" the checker listens where the command says.{_port(evidence)} Or run the checker with"
        " --port, and the port that stands in the code."
    )


def _port(evidence: Evidence) -> str:
    """Return the advice to read the port from the command line."""
    at = 1 if evidence.result.id == SERVER_CASE else 2
    return evidence.remedy(
        "Read it from the command line" + (":" if evidence.language else "."),
        python=f"`int(sys.argv[{at}])`.",
        java=f"`Integer.parseInt(args[{at - 1}])`.",
        js=f"`Number(process.argv[{at + 1}])`.",
        c=f"`atoi(argv[{at}])`.",
    )


def held_up(evidence: Evidence) -> str | None:
    """Name a server that waits for one client, and so serves no other."""
    gone = (EventType.CLOSED, EventType.RESET, EventType.HUNG_UP)
    left = {one.peer for one in evidence.events if one.type in gone}
    others = set(range(1, evidence.peers)) - left
    if not others or evidence.kind is not Kind.HANGS:
        return None
    if evidence.waits_in_recv_alone:
        return (
            "One client holds up all others: the program waits in recv() for one of"
            f" {evidence.peers}. Let select() say which sockets have something to read."
        )
    sent = evidence.stream(EventType.SENT, evidence.peers)
    if sent and evidence.noted(state.UNREAD) == [len(sent)]:
        return (
            f"A client is not served while others are there: nothing of the {len(sent)} bytes of"
            f" client {evidence.peers} was read. Accept each client at once, read from those that"
            " select() names, and do not wait in send(): a client may read nothing for long."
        )
    return None


def silent_after_an_empty_line(evidence: Evidence) -> str | None:
    """Name a program that sends nothing for an empty line, and waits for its answer."""
    is_behind = evidence.typed[-2:-1] == [b""] and not evidence.received
    if is_behind and evidence.kind is Kind.HANGS and evidence.waits_in_recv:
        return (
            "An empty line is not sent, but its answer is waited for: 000 did not come, and the"
            " program is in recv(). Ask for another line then, or send 000."
        )
    return None


def listens_first(evidence: Evidence) -> str | None:
    """Name a client that receives before it has sent anything: its server waits for it, too."""
    is_begun = bool(evidence.heard or evidence.sent) or evidence.peers != 1
    if is_begun or not evidence.typed or evidence.kind is not Kind.HANGS:
        return None
    if not evidence.waits_in_recv or state.KEYS_READ in evidence.notes:
        return None
    return (
        "The client waits for the server to speak first: it is in recv(), and has sent nothing."
        " The client speaks first: it reads a line and sends it before it reads an answer."
    )


def not_sent(evidence: Evidence) -> str | None:
    """Name a program that has read a typed line, and has sent nothing: it is in a buffer."""
    if evidence.kind is not Kind.HANGS or evidence.heard or evidence.received:
        return None
    is_read = state.KEYS_READ in evidence.notes and not evidence.noted(state.UNREAD)
    if not is_read or not evidence.body or evidence.typed[-1:] != [evidence.body]:
        return None
    if evidence.has_left or evidence.peers != 1 or evidence.waits_at_keyboard:
        return None
    now = ", and the program waits in recv()" if evidence.waits_in_recv else ""
    remedy = evidence.remedy(
        python="Call flush() after each write() to a file of makefile(), or use sendall().",
        java="Call flush() after each message: a PrintWriter or a BufferedOutputStream keeps it.",
        c="Call fflush() after each fwrite() or fprintf(), or use send().",
    )
    return f"A line was read and nothing was sent: {shown(evidence.body)} was typed{now}." + (
        remedy or " If it is written to a buffer, flush() it."
    )


def accepts_again(evidence: Evidence) -> str | None:
    """Name a server that waits for another client in the middle of a conversation."""
    others = state.RECEIVING in evidence.notes or evidence.waits_at_keyboard
    if state.ACCEPTING not in evidence.notes or others or evidence.kind is not Kind.HANGS:
        return None
    if evidence.has_left or evidence.has(EventType.HUNG_UP) or evidence.peers != 1:
        return None
    said = [*evidence.sent, *(frame.body for frame in frames_of(evidence.heard))]
    if not evidence.heard or BYEBYE in said:
        return None
    return (
        "The server waits in accept() in the middle of a conversation: it wants another client,"
        f" after {counted(len(frames_of(evidence.heard)), 'answer')} to this one. Call accept()"
        " once for each conversation, before the loop over its messages."
    )


def ended_by_turnchat(evidence: Evidence) -> str | None:
    """Quote turnchat's own program, if a student's program broke the protocol in a pair with it."""
    starts = [one for one in evidence.events if one.type is EventType.STARTED]
    for start in starts if evidence.is_pair else []:
        if name := TURNCHAT.search(start.note):
            screen = b"".join(
                one.data
                for one in evidence.events
                if one.type is EventType.SCREEN and one.program == start.program
            )
            if fault := FAULT.search(without_sequences(screen.decode(errors="replace"))):
                words = " ".join(fault[0].split())
                return f"turnchat's {name[1]} ended the conversation: {words}. It counts from 0."
    return None


def prints_without_end(evidence: Evidence) -> str | None:
    """Name a program that fills its screen, and does nothing else."""
    if not evidence.prints_without_end or evidence.kind is Kind.DIED:
        return None
    return (
        f"The program prints without end: {len(evidence.raw):,} bytes are on its screen, and there"
        " is no connection yet. Look for a loop that is not left."
    )


DIAGNOSES: tuple[Callable[[Evidence], str | None], ...] = (
    prints_without_end,
    other_role,
    in_use,
    syntax,
    messages,
    arguments,
    other_port,
    refused,
    asks_first,
    held_up,
    silent_after_an_empty_line,
    not_sent,
    listens_first,
    accepts_again,
)
