"""Programs that do not start are named by their own error, and by the port they listen on."""

from functools import partial

import pytest

from tests.support.evidence import (
    AT_KEYBOARD,
    CONNECTED,
    IN_RECV,
    event,
    fallen,
    names,
    noted,
    shows,
)
from turnchat.check.diagnosis import diagnose, state
from turnchat.check.report import Awaited, EventType, Kind

DIED, HANGS, SPINS, WRONG = Kind


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 98] Address already in use", "The port is in use"),
        ('  File "s.py", line 22\n    print("x"\nSyntaxError: bad', "The program has a syntax"),
        ("ModuleNotFoundError: No module named 'chat'", "A Python module is missing: chat"),
        ("Error: Cannot find module '/x/chat.js'", "A module of JavaScript is missing: /x/chat"),
        ("python3: can't open file '/x/s.py': [Errno 2]", "The file of the program is not there"),
        ("Error: Could not find or load main class Client", "The class is not there"),
        ("usage: s.py [-h] --port PORT", "The program takes other arguments: s.py"),
        ("    port = int(sys.argv[2])\nIndexError: list index", "The program looks for other arg"),
    ],
)
def test_a_program_that_does_not_start(output: str, words: str) -> None:
    shown = shows(output.replace("\n", "\r\n").encode() + b"\r\n")
    names(fallen(shown, kind=DIED, awaits=Awaited.CONNECTION), words)
    harmless = shows(b"an error\r\n")
    assert diagnose(fallen(harmless, kind=DIED, awaits=Awaited.CONNECTION)) == []


def test_a_second_start_on_the_same_port() -> None:
    starts = (event(EventType.STARTED), event(EventType.STARTED))
    error = shows(b"bind: Address already in use\r\n")
    held = event(EventType.NOTE, "its old connection holds the port (TIME_WAIT)")
    names(fallen(*starts, held, error), "SO_REUSEADDR is not set")
    names(fallen(*starts, error), "The port is in use")  # a pair, for example


def test_the_other_role() -> None:
    client = partial(fallen, kind=HANGS, awaits=Awaited.CONNECTION, name="start/connects")
    listens = noted(state.LISTENING, 2322)
    names(client(listens), "This looks like a server: it listens on port 2322")
    names(client(shows(b"bind: Address already in use")), "This looks like a server: it binds")
    assert diagnose(client()) == []
    server = partial(client, name="start/listens")
    words = b"ConnectionRefusedError: [Errno 111] Connection refused"
    names(server(shows(words)), "This looks like a client: it tried to connect")
    assert diagnose(server(listens)) == []
    assert diagnose(server(CONNECTED, shows(words))) == []


def test_a_program_that_asks_before_it_connects() -> None:
    late = partial(fallen, kind=HANGS, awaits=Awaited.CONNECTION, name="start/connects")
    names(late(AT_KEYBOARD), "The program asks its person first")
    assert diagnose(late(AT_KEYBOARD, CONNECTED)) == []
    assert diagnose(late(IN_RECV)) == []


def test_another_port() -> None:
    started = event(EventType.STARTED, "python3 server.py 20001")
    late = partial(fallen, started, kind=HANGS, awaits=Awaited.CONNECTION)
    other = late(shows(b"listening on 127.0.0.1:2322\r\n"))
    names(other, "The port is not taken from the command line: the program says 2322", "--port")
    assert "int(sys.argv[2])" in diagnose(other)[0]
    assert diagnose(late(shows(b"listening on 127.0.0.1:20001\r\n"))) == []
    assert diagnose(late(shows(b"listening on 20001, and not on 2322\r\n"))) == []
    for words in (b"lab of 3. 12. 20267\r\n", b"(c) 2026, process 12345\r\n"):
        assert diagnose(late(shows(words))) == []  # numbers that are no ports
    names(late(noted(state.LISTENING, 2322)), "The port is not taken", "listens on 2322")
    assert diagnose(late(noted(state.LISTENING, 20001))) == []


def test_a_client_that_is_refused() -> None:
    refused = shows(b"connect: Connection refused\r\n")
    died = fallen(refused, kind=DIED, awaits=Awaited.CONNECTION, name="start/connects")
    names(died, "The client connects to another port")
    own = partial(fallen, kind=DIED, awaits=Awaited.CONNECTION, name="start/connects")
    started = event(EventType.STARTED, "python3 client.py 127.0.0.1 20001")
    for words in (b"no server\r\n", b"Cannot connect!\r\n", b"connection failed\r\n"):
        names(own(started, shows(words)), "The client connects to", "int(sys.argv[2])", "--port")
        assert diagnose(own(started, shows(words), CONNECTED)) == []
    assert diagnose(own(started, shows(b"goodbye\r\n"))) == []
    assert diagnose(fallen(refused, kind=DIED, step="words for a person")) == []


def test_a_program_that_prints_without_end() -> None:
    flood = shows(b"y\r\n" * (1 << 15))
    for kind in (HANGS, WRONG, SPINS):
        names(
            fallen(flood, kind=kind, awaits=Awaited.CONNECTION),
            "The program prints without end: 98,3",
        )
    for other in (shows(b"y\r\n"), CONNECTED):
        found = diagnose(fallen(flood if other is CONNECTED else other, CONNECTED, kind=HANGS))
        assert not any("without end" in one for one in found)
