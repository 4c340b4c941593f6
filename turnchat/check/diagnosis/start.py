"""Programs that do not start, or not where they should: their own error says why."""

import re
from collections.abc import Callable

from turnchat.check.diagnosis.evidence import Evidence
from turnchat.check.report import What

IN_USE = re.compile(r"address already in use|EADDRINUSE", re.IGNORECASE)
PORT = re.compile(r"(?<![\d.:-])(\d{4,5})(?![\d.])|(?<=[\d*\]]:)(\d{4,5})(?!\d)")
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
ARGUMENTS = re.compile(
    r"\bIndexError\b|ArrayIndexOutOfBoundsException"
    r"|invalid literal for int\(\) with base 10: '127\.0\.0\.1'"
)


def in_use(evidence: Evidence) -> str | None:
    """Name a port that was still held by the connections of the program's former run."""
    if not IN_USE.search(evidence.output):
        return None
    starts = sum(event.what is What.STARTED for event in evidence.events)
    if starts > 1:
        return (
            "SO_REUSEADDR is not set: the port is in use for a minute after the first server has"
            " ended. Set the option before bind()."
        )
    return "The port is in use: the program binds it twice, or another one has it (ss -ltnp)."


def syntax(evidence: Evidence) -> str | None:
    """Name a syntax error, with its line."""
    found = SYNTAX.search(evidence.output)
    if not found:
        return None
    lines = LINE.findall(evidence.output[: found.start()])
    place = f" in line {lines[-1][1]}" if lines else ""
    return f"The program has a syntax error{place}: {found[2]}."


def arguments(evidence: Evidence) -> str | None:
    """Name arguments that are not those which the program looks for."""
    found = ARGUMENTS.search(evidence.output)
    if evidence.has(What.CONNECTED) or not found:
        return None
    if found[0] == "IndexError" and "sys.argv" not in evidence.output[: found.start()]:
        return None
    return (
        "The program looks for other arguments than it was given: compare sys.argv with the"
        " command, its {host} and its {port}."
    )


def messages(evidence: Evidence) -> str | None:
    """Name what an interpreter could not find."""
    if evidence.has(What.CONNECTED):
        return None
    for pattern, words in MESSAGES:
        if found := re.search(pattern, evidence.output):
            return words.format(found[1].strip()[:60])
    return None


def other_port(evidence: Evidence) -> str | None:
    """Name a port on the screen that is not the one that the program was given."""
    if evidence.has(What.CONNECTED) or "a connection" not in evidence.step:
        return None
    command = next((one.note for one in evidence.events if one.what is What.STARTED), "")
    given = set(re.findall(r"\d{4,5}", command))
    shown = [one or other for one, other in PORT.findall(evidence.output)]
    other = [number for number in shown if 1023 < int(number) < 65536 and number not in given]
    if given and other and not given & set(shown):
        return (
            f"The program uses another port than it was given: it says {other[0]}. Read the port"
            f" from the command line, or run the checker with --port {other[0]}."
        )
    return None


def refused(evidence: Evidence) -> str | None:
    """Name a client that connects to a place where nothing listens."""
    is_refused = re.search(r"connection refused|ECONNREFUSED", evidence.output, re.IGNORECASE)
    if not is_refused or evidence.has(What.CONNECTED) or "a connection" not in evidence.step:
        return None
    return (
        "The client connects to another place than it was given: its connection was refused."
        " Read {host} and {port} from the command line."
    )


DIAGNOSES: tuple[Callable[[Evidence], str | None], ...] = (
    in_use,
    syntax,
    messages,
    arguments,
    other_port,
    refused,
)
