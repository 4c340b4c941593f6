"""Programs that crash: their last words, and what they mean here."""

import re

from turnchat.check.diagnosis.evidence import Evidence, shown
from turnchat.check.report import What

TRACEBACK = re.compile(
    r"Traceback \(most recent call last\):\n(?P<frames>(?:.*\n)*?)"
    r"(?P<error>(?:\w+\.)*(?P<name>[A-Z]\w*(?:Error|Exception|Interrupt|Iteration|Exit)))"
    r"(?::[ ]*(?P<text>.*))?$",
    re.MULTILINE,
)
PLACE = re.compile(r'File "([^"\n]*)", line (\d+)')
JAVA = re.compile(r'Exception in thread "[^"\n]*" ([\w.$]+)(?:: (.*))?')
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
    "UnicodeDecodeError": "the bytes are not UTF-8, so decode(errors='replace') is needed",
    "UnicodeEncodeError": "the text has characters that this encoding lacks",
    "IndexError": "a list or a text is shorter than the program believes",
    "KeyboardInterrupt": "Ctrl-C is not caught",
    "TimeoutError": "a timeout of the program's own ran out",
    "ConnectionRefusedError": "nothing listens where it wanted to connect",
}


OF_A_NUMBER = ("ValueError", "NumberFormatException")
BAD_HEADER = "A header that is no length crashes the program"


def traceback(evidence: Evidence) -> str | None:
    """Name the exception that was not caught, and its line."""
    start = evidence.output.rfind("Traceback (most recent call last):")
    found = TRACEBACK.search(evidence.output, max(0, start))
    if not found:
        return None
    places = PLACE.findall(found["frames"])
    own = [place for place in places if "/lib/python" not in place[0]] or places
    line = f", in line {own[-1][1]}" if own else ""
    name, text = found["name"], (found["text"] or "").strip()
    if name in OF_A_NUMBER and (header := evidence.bad_header):
        return f"{BAD_HEADER}: {shown(header)} came, and {name} is not caught ({text}){line}."
    meaning = f" ({MEANINGS[name]})" if name in MEANINGS else ""
    return f"{name} is not caught: {text or 'no text'}{line}{meaning}."


def java(evidence: Evidence) -> str | None:
    """Name the exception of a Java program."""
    found = JAVA.search(evidence.output)
    if not found:
        return None
    text = found[2].strip() if found[2] else "no text"
    name = found[1].rpartition(".")[2]
    if name in OF_A_NUMBER and (header := evidence.bad_header):
        return f"{BAD_HEADER}: {shown(header)} came, and {name} is not caught ({text})."
    return f"{name} is not caught: {text}."


def signal(evidence: Evidence) -> str | None:
    """Name the signal by which the program died."""
    for event in evidence.events:
        name = event.note.removeprefix("by ")
        if event.what is What.EXITED and name in SIGNALS:
            return f"The program was ended by {name}: {SIGNALS[name]}."
    return None


DIAGNOSES = (traceback, java, signal)
