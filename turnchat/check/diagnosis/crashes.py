"""Programs that crash: their last words, and what they mean here."""

import re
import sys

from turnchat.check.diagnosis.evidence import Evidence, Language, shown
from turnchat.check.report import EventType
from turnchat.check.sandbox.limits import Limits

TRACEBACK = re.compile(
    r"Traceback \(most recent call last\):\n(?P<frames>(?:[ \t].*\n|\n)*)"
    r"(?:\w+\.)*(?P<name>[A-Za-z_]\w*)(?::[ ]*(?P<text>.*))?$",
    re.MULTILINE,
)
PLACE = re.compile(r'File "([^"\n]*)", line (\d+).*(?:\n[ ]{4}(.*))?')
CALL = re.compile(r"\b(recv(?:_into|from|msg)?|send(?:all|to)?|read(?:line)?|write|flush)\(")
JAVA = re.compile(r'Exception in thread "[^"\n]*" ([\w.$]+)(?:: (.*))?')
JAVA_PLACE = re.compile(r"^[ \t]+at (?!java|jdk|sun)[\w.$/<>]+\((\w+\.java):(\d+)\)", re.MULTILINE)
NODE = re.compile(r"^(?:Uncaught )?(\w*Error)(?: \[\w+\])?: (.*)\n(?: +at .*\n?)+", re.MULTILINE)
NODE_PLACE = re.compile(r"([\w.-]+\.[cm]?js):(\d+)(?::\d+)?\)?$", re.MULTILINE)
EMPTY = re.compile(
    r"invalid literal for int\(\) with base 10: b?(?:''|\"\")$|unpack requires a buffer"
    r"|(?:index|string index) out of range|^For input string: \"\""
)
END_OF_STREAM = ("EOFException",)  # of Java's DataInputStream
BUGS = (  # no network makes them: to catch them would hide the mistake
    *("NameError", "UnboundLocalError", "TypeError", "AttributeError", "IndexError", "KeyError"),
    *("ZeroDivisionError", "RecursionError", "AssertionError", "NotImplementedError"),
    *("ReferenceError", "RangeError", "NullPointerException", "ClassCastException"),
    *("ArrayIndexOutOfBoundsException", "StringIndexOutOfBoundsException"),
    *("IndexOutOfBoundsException", "ArithmeticException", "NegativeArraySizeException"),
)
ADVICE = (  # for mistakes in Python: a pattern of the text, and words for it
    ("a bytes-like object is required, not 'str'", "a socket sends bytes: text.encode()"),
    (r"can(?:'t| only) concat", "bytes and text do not mix: use encode() or decode()"),
    (r"concatenate str \(not", "bytes and text do not mix: use encode() or decode()"),
    ("'bytes' object has no attribute 'encode'", "these are bytes already"),
    ("'str' object has no attribute 'decode'", "this is text already"),
)
UNDEFINED = re.compile(r"name '(\w+)' is not defined")
PORT_CALL = re.compile(r"\b(?:connect|bind|create_server|create_connection|connect_ex)\(")
PORT_WORD = re.compile(
    r"(?<!int\()\b(?:sys\.)?(argv\[-?\d+\]|\w*port\w*)(?=[\s)]*(?:[),]|$))", re.I
)
NOT_OWN = ("/lib/python", "<frozen")  # in the path of a file of the language
FORKS = re.compile(
    r"(?:\bfork\w*\(|_fork_exec\().{0,400}\bBlockingIOError: \[Errno 11\]"
    r"|can't start new thread|unable to create native thread"
    r"|\bfork: (?:retry: )?Resource temporarily unavailable",
    re.DOTALL,
)
PROCESSES = Limits().processes
LONGEST_CODE, LONGEST_LINE = 60, 200  # characters of a line of the program: shown, looked at
SIGNALS = {
    "SIGSEGV": "it used memory that is not its own (a pointer, or beyond the end of a buffer)",
    "SIGABRT": "it gave up itself (abort(), a failed assertion, a damaged heap)",
    "SIGPIPE": "it wrote to a connection whose peer had left; ignore SIGPIPE and look at errno",
    "SIGFPE": "it divided by zero",
    "SIGBUS": "it used memory that is not there",
}
MEANINGS = {
    "BrokenPipeError": "it wrote to a connection whose peer had left",
    "ConnectionResetError": "the peer had reset the connection",
    "EOFError": "input() found the end of the input",
    "UnicodeEncodeError": "the text has characters that this encoding lacks",
    "KeyboardInterrupt": "Ctrl-C is not caught",
    "TimeoutError": "a timeout of the program's own ran out",
    "ConnectionRefusedError": "nothing listens where it wanted to connect",
}
OF_A_NUMBER = ("ValueError", "NumberFormatException")
BAD_HEADER = "A header that is no length crashes the program"
CUT_OFF = "The end of the stream crashes the program"


def too_many(evidence: Evidence) -> str | None:
    """Name the limit of processes, which threads count for, too."""
    if not FORKS.search(evidence.output):
        return None
    return (
        "The limit of processes and threads is reached: the program starts them without end, and"
        f" the sandbox allows {PROCESSES}. Look for a fork(), or a new thread, in a loop."
    )


def traceback(evidence: Evidence) -> str | None:
    """Name the exception that was not caught, and its line."""
    start = evidence.output.rfind("Traceback (most recent call last):")
    found = TRACEBACK.search(evidence.output, max(0, start))
    if not found:
        return None
    places = PLACE.findall(found["frames"])
    own = [one for one in places if not any(part in one[0] for part in NOT_OWN)] or places
    where, code = "", ""
    if own:
        file, line, code = own[-1]
        where = f", in line {line} of {file.rpartition('/')[2]}"
        if code := code.strip():
            where += f", `{code[:LONGEST_CODE]}{'...' if len(code) > LONGEST_CODE else ''}`"
            code = code[:LONGEST_LINE]
    return _uncaught(evidence, found["name"], (found["text"] or "").strip(), where, code)


def java(evidence: Evidence) -> str | None:
    """Name the exception of a Java program."""
    found = JAVA.search(evidence.output)
    if not found:
        return None
    place = JAVA_PLACE.search(evidence.output, found.end())
    where = f", in line {place[2]} of {place[1]}" if place else ""
    return _uncaught(evidence, found[1].rpartition(".")[2], (found[2] or "").strip(), where)


def node(evidence: Evidence) -> str | None:
    """Name the error of a JavaScript program."""
    found = NODE.search(evidence.output)
    if not found:
        return None
    before, trace = evidence.output[: found.start()], evidence.output[found.start() :]
    places = [one for one in NODE_PLACE.finditer(trace) if "node:" not in _line_of(trace, one)]
    place = places[0] if places else NODE_PLACE.search(before)
    where = f", in line {place[2]} of {place[1]}" if place else ""
    if "Unhandled 'error' event" in before:
        text = found[2]
        return f"The event 'error' of a socket is not handled: {text}{where}. Call on('error')."
    return _uncaught(evidence, found[1], found[2].strip(), where)


def _line_of(text: str, match: re.Match[str]) -> str:
    start = text.rfind("\n", 0, match.start()) + 1
    return text[start : match.end()]


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _uncaught(evidence: Evidence, name: str, text: str, where: str, code: str = "") -> str:
    """Return the sentence for an exception. where, code: its line."""
    if name in OF_A_NUMBER and (header := evidence.bad_header):
        return f"{BAD_HEADER}: {shown(header)} came, and {name} is not caught ({text}){where}."
    has_ended = EMPTY.search(text) or name in END_OF_STREAM
    if evidence.has(EventType.HUNG_UP) and has_ended:
        remedy = evidence.remedy(
            python="recv() returns b'' then: look for b'' first.",
            java="read() returns -1 then, readLine() null, and readFully() throws EOFException.",
            js="Listen to the event 'end'.",
            c="recv() returns 0 then.",
        )
        text = f" ({text})" if text else ""
        return f"{CUT_OFF}: the peer had left, and {name} is not caught{text}{where}.{remedy}"
    if name in BUGS:
        meaning = _advice(evidence, text, code)
        return (
            f"A mistake in the program ({name}): {text or 'no text'}{where}"
            f"{f' ({meaning})' if meaning else ''}."
        )
    meaning = MEANINGS.get(name, "")
    if name == "UnicodeDecodeError" and not all(map(_is_utf_8, evidence.sent)):
        meaning = "the peer's bytes are not UTF-8, so decode(errors='replace') is needed"
    if (
        meaning
        and (call := CALL.search(code))
        and name in ("BrokenPipeError", "ConnectionResetError")
    ):
        meaning = f"{call[1]}() raises it: {meaning}"
    return f"{name} is not caught: {text or 'no text'}{where}{f' ({meaning})' if meaning else ''}."


def _advice(evidence: Evidence, text: str, code: str) -> str:
    """Return the meaning of a mistake in Python, if it is a common one."""
    if evidence.language is not Language.PYTHON:
        return ""
    if (undefined := UNDEFINED.search(text)) and undefined[1] in sys.stdlib_module_names:
        return f"`import {undefined[1]}` is missing"
    if "str" in text and "integer" in text and PORT_CALL.search(code):
        words = PORT_WORD.findall(code)
        port = f"sys.{words[-1]}" if words and "[" in words[-1] else "".join(words[-1:])
        return f"the port is text: int({port or 'port'})"
    return next((words for pattern, words in ADVICE if re.search(pattern, text)), "")


def signal(evidence: Evidence) -> str | None:
    """Name the signal by which the program died."""
    for event in evidence.events:
        name = event.note.removeprefix("by ")
        if event.type is EventType.EXITED and name in SIGNALS:
            return f"The program was ended by {name}: {SIGNALS[name]}."
    return None


DIAGNOSES = (too_many, traceback, java, node, signal)
