"""The traces of a crash are known in each language, and words for a person are none."""

from time import process_time

import pytest

from turnchat.check.steps.crash import Crash, crash_in

PYTHON = """\
Traceback (most recent call last):
  File "server.py", line 12, in <module>
    data = connected.recv(3)
           ^^^^^^^^^^^^^^^^^
ConnectionResetError: [Errno 104] Connection reset by peer
"""
CHAINED = (
    f"{PYTHON}\nDuring handling of the above exception, another exception occurred:\n\n{PYTHON}"
)
SYNTAX = """\
  File "server.py", line 3
    print("hello"
         ^
SyntaxError: '(' was never closed
"""
JAVA = """\
Exception in thread "main" java.net.SocketException: Connection reset
\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:318)
\tat Server.main(Server.java:20)
"""
PRINTED_BY_JAVA = """\
java.net.SocketException: Broken pipe
\tat java.base/sun.nio.ch.SocketDispatcher.write0(Native Method)
\tat Server.main(Server.java:20)
"""
NODE = """\
node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: read ECONNRESET
    at TCP.onStreamRead (node:internal/stream_base_commons:216:20)
Emitted 'error' event on Socket instance at:
    at emitErrorNT (node:internal/streams/destroy:170:8)
"""
GO = """\
panic: runtime error: slice bounds out of range [:18] with capacity 16

goroutine 1 [running]:
main.main()
"""
RUST = "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds\n"
RUBY = "server.rb:7:in `recv': Connection reset by peer (Errno::ECONNRESET)\n\tfrom server.rb:7\n"
C_SHARP = "Unhandled exception. System.FormatException: Input string was not in a correct format.\n"
STACK = "*** stack smashing detected ***: terminated\n"
ASSERT = "server: server.c:9: main: Assertion `length <= 255' failed.\n"
SANITIZER = "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000015\n"

CRASHES = [
    (PYTHON, "Python", "ConnectionResetError: [Errno 104] Connection reset by peer"),
    (CHAINED, "Python", "ConnectionResetError: [Errno 104] Connection reset by peer"),
    (SYNTAX, "Python", "SyntaxError: '(' was never closed"),
    (
        JAVA,
        "Java",
        'Exception in thread "main" java.net.SocketException: Connection reset',
    ),
    (PRINTED_BY_JAVA, "Java", "java.net.SocketException: Broken pipe"),
    (NODE, "JavaScript", "Error: read ECONNRESET"),
    (GO, "Go", GO.splitlines()[0]),
    (RUST, "Rust", RUST.splitlines()[0]),
    (RUBY, "Ruby", RUBY.splitlines()[0]),
    (C_SHARP, "C#", C_SHARP.strip()),
    ("sh: line 1: 4711 Segmentation fault      (core dumped) ./server\n", "C", None),
    (STACK, "C", STACK.strip()),
    ("free(): double free detected in tcache 2\n", "C", None),
    (ASSERT, "C", ASSERT.strip()),
    (SANITIZER, "C", SANITIZER.strip()),
]

WORDS = [
    "the conversation is over: [Errno 104] Connection reset by peer",
    "Error: the peer has hung up",
    "ConnectionError: the peer has hung up",
    "java.net.SocketException: Connection reset",
    "aborted, since b'abc' is not a length",
    "the server panicked at bad bytes (it said 999)",
    "peer> did you see the traceback of mine?",
    "fatal: cannot listen on port 2322",
    "read from 127.0.0.1:50000: bad length at 3:1",
]


def on_terminal(text: str) -> bytes:
    """Return the bytes of a terminal's output: it writes a newline as two characters."""
    return text.encode().replace(b"\n", b"\r\n")


@pytest.mark.parametrize(("text", "language", "line"), CRASHES)
def test_a_crash_is_known_by_its_trace(text: str, language: str, line: str | None) -> None:
    expected = Crash(language, line or text.strip(), is_whole=True)
    assert crash_in(on_terminal(f"listening on port 2322\n{text.rstrip()}\n")) == expected


@pytest.mark.parametrize("words", WORDS)
def test_words_for_a_person_are_no_crash(words: str) -> None:
    assert crash_in(on_terminal(f"listening on port 2322\n{words}\n")) is None


@pytest.mark.parametrize("text", [PYTHON, JAVA])
def test_a_crash_is_known_behind_a_prompt(text: str) -> None:
    assert crash_in(on_terminal(f"you> {text}"))


def test_a_crash_in_colours_is_known() -> None:
    """As Python 3.13 writes it."""
    coloured = PYTHON.replace("ConnectionResetError", "\x1b[1;35mConnectionResetError\x1b[0m")
    crash = crash_in(on_terminal(coloured))
    assert crash
    assert crash.line == "ConnectionResetError: [Errno 104] Connection reset by peer"


def test_a_crash_that_is_cut_off_is_known() -> None:
    assert crash_in(b"Traceback (most recent call last):") == Crash(
        "Python", "Traceback (most recent call last):", is_whole=False
    )


@pytest.mark.parametrize(("text", "language", "line"), CRASHES)
def test_a_crash_is_whole_when_the_line_that_names_the_error_is(
    text: str, language: str, line: str | None
) -> None:
    """After each piece, however small, in which the text may arrive."""
    whole = text.rstrip() + "\n"
    found = [crash_in(on_terminal(whole[:size])) for size in range(len(whole) + 1)]
    lines = {crash.line for crash in found if crash and crash.is_whole}
    assert lines == {line or text.strip()}, language


def test_the_first_of_two_crashes_counts() -> None:
    crash = crash_in(on_terminal(GO + PYTHON))
    assert crash
    assert crash.language == "Go"


def test_an_exception_with_a_name_of_its_own_is_told() -> None:
    own = PYTHON.replace("ConnectionResetError: [Errno 104] Connection reset by peer", "lab.Over")
    crash = crash_in(on_terminal(own))
    assert crash
    assert crash.line == "lab.Over"


def test_a_long_line_takes_no_longer_than_a_short_one() -> None:
    # Patterns that try each place of the line took hours for it.
    assert crash_in(b" at " + b"a" * (1 << 20)) is None


@pytest.mark.parametrize(
    "frame",
    [
        "    at Object.<anonymous> (/home/me/server.js:3:7)",
        "    at async file:///home/me/server.mjs:3:7",
        "    at node:internal/main/run_main_module:23:47",
    ],
)
def test_a_frame_of_javascript_is_a_crash(frame: str) -> None:
    crash = crash_in(f"\n{frame}\n".encode())
    assert crash
    assert crash.language == "JavaScript"


def test_a_flood_of_lines_takes_little_work() -> None:
    """A bound for a slow computer: a comparison of each character with each pattern is slower."""
    flood = b"Peer: hello, these are words of a message\r\n" * 100_000
    began = process_time()
    assert crash_in(flood) is None
    assert crash_in(flood + STACK.encode()) == Crash("C", STACK.strip(), is_whole=True)
    assert process_time() - began < 1.5


def test_words_of_a_crash_that_a_program_writes_itself_hide_none() -> None:
    talk = "a malloc, a Segmentation, Uncaught js: node: panicked at goroutine\n" * 500
    assert crash_in((talk + STACK).encode()) == Crash("C", STACK.strip(), is_whole=True)
    assert crash_in((talk + GO).encode()) == Crash("Go", GO.splitlines()[0], is_whole=True)
