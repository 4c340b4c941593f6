"""Crashes are named with the line of the program, and with what they mean here."""

import pytest

from tests.support.evidence import (
    CONNECTED,
    HANG_UP,
    event,
    fallen,
    hears,
    names,
    shows,
)
from turnchat.check.diagnosis import diagnose
from turnchat.check.report import CaseResult, Event, EventType, Kind

DIED, HANGS, SPINS, WRONG = Kind

TRACEBACK = b"""\
Traceback (most recent call last):\r
  File "/home/me/server.py", line 12, in <module>\r
    main()\r
  File "/usr/lib/python3.11/socket.py", line 836, in x\r
    y()\r
ConnectionResetError: [Errno 104] Connection reset by peer\r
"""


def test_an_exception_that_is_not_caught() -> None:
    names(fallen(shows(TRACEBACK), kind=DIED), "ConnectionResetError is not caught", "in line 12")
    call = TRACEBACK.replace(b"main()", b"data = connected.recv(3)")
    names(
        fallen(shows(call), kind=DIED),
        "ConnectionResetError",
        "line 12 of server.py, `data =",
        "recv() raises",
    )
    java = b'Exception in thread "main" java.io.EOFException: gone\r\n'
    names(fallen(shows(java), kind=DIED), "EOFException is not caught: gone")
    assert diagnose(fallen(shows(b"error: the connection was reset\r\n"), kind=DIED)) == []


def test_a_bad_header_that_crashes_the_program() -> None:
    python = TRACEBACK.replace(b"ConnectionResetError", b"ValueError")
    for before in b"", b"005hello":
        result = fallen(CONNECTED, hears(before + b"abctwelve"), shows(python))
        names(result, "A header that is no length crashes the program: abc came, and ValueError")
    java = shows(b'Exception in thread "main" java.lang.NumberFormatException: For "256"\r\n')
    names(fallen(CONNECTED, hears(b"256"), java), "A header that is no length", "256 came")
    names(fallen(CONNECTED, hears(b"005hello"), shows(python)), "ValueError is not caught")


def test_an_end_of_stream_that_crashes_the_program() -> None:
    line = b"ValueError: invalid literal for int() with base 10: b''"
    error = TRACEBACK.replace(b"ConnectionResetError: [Errno 104] Connection reset by peer", line)
    gone = fallen(CONNECTED, hears(b"005hello"), HANG_UP, shows(error), kind=DIED)
    names(gone, "The end of the stream crashes the program", "b''", "in line 12 of server.py")
    here = fallen(CONNECTED, hears(b"005hello"), shows(error), kind=DIED)
    names(here, "ValueError is not caught")
    other = error.replace(b"b''", b"b'x'")
    there = fallen(CONNECTED, HANG_UP, shows(other), kind=DIED)
    names(there, "ValueError is not caught")
    packed = error.replace(line, b"struct.error: unpack requires a buffer of 2 bytes")
    names(fallen(CONNECTED, HANG_UP, shows(packed), kind=DIED), "The end of the stream crashes")


def test_an_error_of_javascript() -> None:
    unhandled = b"""node:events:497\r
      throw er; // Unhandled 'error' event\r
Error: read ECONNRESET\r
    at TCP.onStreamRead (node:internal/stream_base_commons:217:20)\r
"""
    names(fallen(shows(unhandled), kind=DIED), "The event 'error' of a socket is not handled")
    thrown = b"""TypeError: x is not a function\r
    at Socket.<anonymous> (/home/me/server.js:12:5)\r
    at Socket.emit (node:events:519:28)\r
"""
    names(
        fallen(shows(thrown), kind=DIED),
        "A mistake in the program (TypeError)",
        "line 12 of server.js",
    )
    assert diagnose(fallen(shows(b"TypeError: it is caught\r\n"), kind=DIED)) == []


def test_a_signal() -> None:
    died = fallen(event(EventType.EXITED, "by SIGSEGV"), kind=DIED)
    names(died, "The program was ended by SIGSEGV", "memory")
    assert diagnose(fallen(event(EventType.EXITED, "with status 11"), kind=DIED)) == []


def crash(line: str, error: str, *events: Event, command: str = "python3 c.py 1") -> CaseResult:
    """A program in Python that ends with an error in this line."""
    text = f'Traceback (most recent call last):\n  File "c.py", line 7, in <module>\n    {line}\n'
    words = shows(f"{text}{error}\n".replace("\n", "\r\n").encode())
    return fallen(event(EventType.STARTED, command), *events, words, kind=DIED)


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("time.sleep(1)", "NameError: name 'time' is not defined", "`import time` is missing"),
        ("tiem()", "NameError: name 'tiem' is not defined", "in line 7 of c.py, `tiem()`."),
        ("s.send(m)", "TypeError: a bytes-like object is required, not 'str'", "text.encode()"),
        ("x = s.foo", "AttributeError: 'socket' object has no attribute 'foo'", "in line 7"),
        ("a[3]", "IndexError: list index out of range", "in line 7"),
    ],
)
def test_a_mistake_is_not_to_be_caught(line: str, error: str, words: str) -> None:
    name = error.partition(":")[0]
    result = crash(line, error)
    names(result, f"A mistake in the program ({name}): {error.partition(': ')[2]}", words)
    assert "caught" not in diagnose(result)[0]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("s.connect((sys.argv[1], sys.argv[2]))", "int(sys.argv[2])"),
        ('socket.create_server(("", sys.argv[1]), reuse_port=True)', "int(sys.argv[1])"),
        ('l.bind(("", port))', "int(port)"),
    ],
)
def test_a_port_that_is_text(line: str, advice: str) -> None:
    error = "TypeError: 'str' object cannot be interpreted as an integer"
    names(crash(line, error), "A mistake in the program", f"the port is text: {advice}")
    assert "port is text" not in diagnose(crash("range(text)", error))[0]


def test_the_end_of_a_stream_in_java() -> None:
    java = shows(b'Exception in thread "main" java.io.EOFException\r\n')
    started = event(EventType.STARTED, "java Client 127.0.0.1 20001")
    gone = fallen(started, CONNECTED, HANG_UP, java, kind=DIED)
    names(gone, "The end of the stream crashes the program", "EOFException", "read() returns -1")
    assert "b''" not in diagnose(gone)[0]
    here = fallen(started, CONNECTED, java, kind=DIED)
    names(here, "EOFException is not caught")


def test_the_limit_of_processes() -> None:
    error = "BlockingIOError: [Errno 11] Resource temporarily unavailable"
    names(crash("os.fork()", error), "The limit of processes and threads is reached", "256")
    names(crash("s.recv(3)", error), "BlockingIOError is not caught")
    threads = crash("t.start()", "RuntimeError: can't start new thread")
    names(threads, "The limit of processes and threads is reached")
