"""Each mistake is named by its evidence, and a near miss is not."""

import time
from functools import partial

import pytest

from tests.support.evidence import (
    CLOSES,
    CONNECTED,
    HANG_UP,
    RESETS,
    event,
    fallen,
    hears,
    passed,
    says,
    shows,
    typed,
)
from turnchat.check.diagnosis import diagnose
from turnchat.check.report import CaseResult, Event, Kind, What

DIED, HANGS, SPINS, WRONG = Kind


def frame(text: str | bytes) -> bytes:
    body = text.encode() if isinstance(text, str) else text
    return b"%03d%b" % (len(body), body)


def sends(came: bytes, line: str = "hello", *, before: bytes = b"") -> CaseResult:
    """A program that sends other bytes than the frame of a line."""
    return fallen(
        CONNECTED, hears(frame("hi")), typed(line), says(before + came),
        expected=frame(line), received=came,
    )  # fmt: skip


def names(result: CaseResult, *words: str) -> None:
    """Assert that the first diagnosis has these words, and begins with the first."""
    found = diagnose(result)
    assert found, "no diagnosis"
    assert found[0].startswith(words[0]), found
    for more in words[1:]:
        assert more in found[0]


HELLO, CAFE, EMOJI = "hello", "café-crème", "smile-😀"


@pytest.mark.parametrize(
    ("came", "line", "words"),
    [
        (b"012" + CAFE.encode()[:2], "héllo-wörld", "no diagnosis"),
        (b"010" + CAFE.encode(), CAFE, "The length counts characters, not bytes"),
        (b"008" + EMOJI.encode(), EMOJI, "The length counts UTF-16 units"),
        (b"5hello", HELLO, "The length is not padded to three digits"),
        (b"5", HELLO, "The length is not padded to three digits"),
        (b"  5hello", HELLO, "The length is not padded to three digits"),
        (b"500hello", HELLO, "The zeros stand behind the length"),
        (b"00ahello-you-", "hello-you-", "The length is hexadecimal"),
        (b"0005hello", HELLO, "The length has not three digits"),
        (b"05hello", HELLO, "The length has not three digits"),
        (b"008hello", HELLO, "The length counts its own three digits"),
        (b"\x05hello", HELLO, "The length is a binary number"),
        (b"\x00\x00\x00\x05hello", HELLO, "The length is a binary number"),
        (b"\x05\x00\x00\x00hello", HELLO, "The length is a binary number"),
        (b"\x00\x00", HELLO, "The length is a binary number"),
        (b"006hello", HELLO, "The length is one more"),
        (b"004hello", HELLO, "The length is one less"),
        (b"006hello\n", HELLO, "The newline of the typed line is sent and counted"),
        (b"007hello\r\n", HELLO, "The newline of the typed line is sent and counted"),
        (b"006hello\0", HELLO, "The zero byte that ends a string in C"),
        (b"hello", HELLO, "The message is sent without its length"),
        (b"hello\n", HELLO, "The message is sent without its length"),
        (b"005:hello", HELLO, "Something stands between the length and the body"),
        (b"5:hello", HELLO, "Something stands between the length and the body"),
        (b"005\nhello", HELLO, "Something stands between the length and the body"),
        (b"hello".ljust(16, b"\0"), HELLO, "Messages are sent in a fixed size"),
        (frame(b"hello".ljust(16)), HELLO, "The body is filled up to a fixed size"),
        (b'007"hello"', HELLO, "The text is sent in quotation marks"),
        (b"008b'hello'", HELLO, "The text is sent in quotation marks"),
        (frame('{"text": "hello"}'), HELLO, "The message is an object or a list"),
        (b'["hello"]', HELLO, "The message is an object or a list"),
        (b"008\xef\xbb\xbfhello", HELLO, "A byte order mark"),
        (frame(HELLO.encode("utf-16")), HELLO, "The text is sent in UTF-16"),
        (frame(CAFE.encode("latin-1")), CAFE, "The text is sent in Latin-1"),
        (frame("caf\\xe9-cr\\xe8me"), CAFE, "Characters beyond ASCII are sent as escapes"),
        (frame("caf?-cr?me"), CAFE, "Characters beyond ASCII get lost"),
        (frame(CAFE.encode().decode("latin-1").encode()), CAFE, "The text is encoded twice"),
        (frame("HELLO"), HELLO, "The text is sent in capital letters"),
        (frame("two"), "two words", "The first word alone is sent"),
        (frame("blank"), "blank ", "The blanks around the text are taken away"),
        (frame("you> hello"), HELLO, "The program puts words of its own before the line"),
        (frame("hell"), HELLO, "The line is cut"),
        (b"300" + b"x" * 300, "x" * 300, "The length is over 255"),
    ],
)
def test_what_a_mistake_makes_of_a_line_names_it(came: bytes, line: str, words: str) -> None:
    result = sends(came, line)
    if words == "no diagnosis":
        assert diagnose(result) == []
    else:
        names(result, words)


@pytest.mark.parametrize(
    "came",
    [b"005helly", b"0", b"00", b"jello", b"9hello", b"6:hello", b"\x06hello", b"005", b"x\n"],
)
def test_a_near_miss_is_not_named(came: bytes) -> None:
    assert diagnose(sends(came)) == []


def test_bytes_behind_a_frame() -> None:
    for came, words in (
        (b"\n", "A newline is sent behind the body"),
        (b"\r\n005hello", "A newline is sent behind the body"),
        (b"\0\0\0", "Zero bytes are sent behind the body"),
        (b"  ", "Blanks are sent behind the body"),
    ):
        names(sends(came, "next", before=b"005hello"), words)
        assert diagnose(sends(came, "next", before=b"005hell")) == []  # in the body


def test_bytes_that_a_script_put_together_are_no_evidence() -> None:
    line = "line-nothing-asked-for"
    result = fallen(CONNECTED, typed(line), says(frame(line)), received=line.encode())
    assert diagnose(result) == []


def extra(body: str, *events: Event, before: bytes = b"") -> CaseResult:
    """A program that says a whole message when it has nothing to say."""
    came = frame(body)
    return fallen(CONNECTED, *events, says(before + came), expected=b"", received=came)


def test_messages_that_should_not_be() -> None:
    names(extra("BYEBYE", hears(b"006BYEBYE")), "BYEBYE is answered")
    names(extra("a question", hears(frame("a question"))), "The peer's message is sent back")
    once = extra("one", hears(frame("hi")), typed("one"), before=frame("one"))
    names(once, "A message is sent twice")
    early = extra("two", hears(frame("hi")), typed("one"), typed("two"), before=frame("one"))
    names(early, "A line that was typed ahead is sent before its turn")
    names(extra("welcome!"), "The program speaks before its turn", "welcome!")


def test_messages_that_look_like_it() -> None:
    assert diagnose(extra("BYEBYE", hears(frame("hi")), typed("x"))) == []
    assert diagnose(extra("an answer", hears(frame("a question")), typed("x"))) == []
    twice = extra("one", hears(frame("hi")), typed("one"), typed("one"), before=frame("one"))
    assert not any("twice" in sentence for sentence in diagnose(twice))


def test_an_answer_to_another_client() -> None:
    events = [hears(frame("q"), 1), hears(frame("q"), 2), typed("answer"), says(b"006answer", 1)]
    late = partial(fallen, *events, kind=HANGS, expected=b"006answer", received=b"")
    names(late(), "The answer went to another client", "client 1")
    assert diagnose(late(typed("answer"))) == []


def test_header_and_body_apart() -> None:
    reason = "the program sent 2 messages in 4 segments"
    names(fallen(says(b"005"), says(b"hello"), reason=reason), "Header and body are sent in two")
    assert diagnose(fallen(says(b"005hello"), says(b"005again"), reason=reason)) == []
    assert diagnose(fallen(says(b"005"), says(b"hello"))) == []  # of another case


def test_an_empty_line() -> None:
    events = (hears(frame("hi")), typed(""))
    names(fallen(*events, kind=HANGS, expected=b"000", received=b""), "An empty line is not sent")
    assert diagnose(fallen(*events, kind=HANGS, expected=b"001x", received=b"")) == []


# What it reads


def unseen(text: str | bytes, *pieces: bytes, screen: str, output: bytes = b"") -> CaseResult:
    """A message that does not stand on the screen."""
    body = text.encode() if isinstance(text, str) else text
    return fallen(
        CONNECTED, *map(hears, pieces or [frame(body)]), shows(output or screen.encode()),
        kind=HANGS, step="the text on the screen", expected=body, received=screen.encode(),
        screen=(screen,),
    )  # fmt: skip


def test_a_header_that_is_no_length() -> None:
    def taken(sent: bytes, screen: str) -> CaseResult:
        return fallen(CONNECTED, hears(sent), shows(screen.encode()), screen=(screen,))

    for header in (b" 12", b"+12", b"1_0", "५".encode()):
        result = taken(header + b"twelve-bytes", "peer: twelve-bytes")
        names(result, "The header is not checked before it becomes a number")
        assert diagnose(taken(header + b"twelve-bytes", "peer: bad length")) == []
    names(taken(b"256" + b"x" * 256, "x" * 80), "A length over 255 is taken", "256")
    assert diagnose(taken(b"012twelve-bytes", "twelve-bytes")) == []


def test_pieces_that_are_taken_for_the_whole() -> None:
    text = "split-in-pieces"
    whole = frame(text)
    cut = unseen(text, whole[:1], whole[1:], screen="peer:")
    names(cut, "Part of a header is taken for a whole one", "recv(3)")
    assert diagnose(unseen(text, whole[:1], whole[1:], screen="peer: split-in-pieces")) == []
    cut = unseen(text, whole[:8], whole[8:], screen="peer: split")
    names(cut, "Part of a message is taken for the whole", "5 bytes")
    assert diagnose(unseen(text, whole[:8], whole[8:], screen="peer: split-in-pieces")) == []
    assert diagnose(unseen(text, whole, screen="peer:")) == []
    smile = frame("a-😀")
    error = "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xf0"
    names(unseen("a-😀", smile[:6], smile[6:], screen=error), "Each piece is decoded by itself")


def test_a_message_of_which_the_beginning_is_shown() -> None:
    text = "a-message-that-is-to-be-shown"
    names(unseen(text, screen="server: a-message-tha"), "A fixed number of bytes", "16 bytes")
    names(unseen(text, screen="server: a-message"), "A message is shown in part", "9 of its 29")
    assert diagnose(unseen(text, screen="server: a-m")) == []


def test_text_that_is_not_decoded() -> None:
    names(unseen(CAFE, screen="b'caf\\xc3\\xa9-cr\\xc3\\xa8me'"), "The bytes are printed")
    names(unseen(CAFE, screen=CAFE.encode().decode("latin-1")), "UTF-8 is decoded as latin-1")
    names(unseen(CAFE, screen="caf?-cr?me"), "Characters beyond ASCII are shown as ?")
    assert diagnose(unseen(CAFE, screen="cafe-creme")) == []


def test_controls_that_reach_the_terminal() -> None:
    body = b"left-\x1b[2J-right"
    names(fallen(hears(frame(body)), shows(body)), "The peer's text is printed as it came")
    assert diagnose(fallen(hears(frame(body)), shows(b"\x1b[2Jleft-\\x1b[2J-right"))) == []
    assert diagnose(fallen(hears(frame("left")), shows(b"\x1b[2Jleft"))) == []  # its own


def test_bytes_that_are_read_as_a_header() -> None:
    error = b"ValueError: invalid literal for int() with base 10: b'llo'\r\n"
    names(fallen(hears(b"005hello"), shows(error)), "Something else than a header", "b'llo'")
    assert diagnose(fallen(shows(b"ValueError: b'llo'\r\n"))) == []


# The end


def test_a_loop_that_spins() -> None:
    gone = fallen(CONNECTED, HANG_UP, kind=SPINS)
    names(gone, "The end of the stream is not noticed")
    names(fallen(CONNECTED, kind=SPINS), "The program waits in a loop that never sleeps")
    assert diagnose(fallen(CONNECTED, HANG_UP)) == []


def test_a_text_that_is_taken_for_byebye() -> None:
    for text in ("byebye", "BYEBYE ", "BYEBYE!"):
        names(fallen(hears(frame(text)), CLOSES), "BYEBYE is compared too loosely")
        assert diagnose(fallen(hears(frame(text)))) == []  # it has not left
    assert diagnose(fallen(hears(frame("goodbye")), CLOSES)) == []


def test_a_program_at_its_keyboard() -> None:
    late = partial(fallen, CONNECTED, kind=HANGS, step="the end of the program")
    left = late(hears(frame("hi")), HANG_UP)
    names(left, "The program is blocked at its keyboard")
    own_turn = late(hears(frame("hi")), says(frame("ho")), HANG_UP)
    assert diagnose(own_turn) == []
    assert diagnose(late(hears(b"005he"), HANG_UP)) == []  # it reads


def test_a_bad_header_that_ends_nothing() -> None:
    hangs = partial(fallen, CONNECTED, kind=Kind.HANGS, step="the end of the program's stream")
    result = hangs(hears(b"-12twelve"))
    names(result, "A header that is no length does not end the conversation: -12 came")
    assert diagnose(hangs(hears(b"-12twelve"), CLOSES)) == []
    assert diagnose(hangs(hears(b"006twelve"))) == []


def test_a_process_that_goes_on() -> None:
    late = partial(fallen, CONNECTED, kind=HANGS, step="the end of the program")
    closed = late(hears(frame("BYEBYE")), CLOSES)
    names(closed, "The connection is closed, but the program goes on")
    names(late(hears(frame("BYEBYE"))), "BYEBYE does not end the program")
    assert diagnose(late(hears(frame("hi")))) == []


def test_a_connection_that_is_reset() -> None:
    reason = "the program reset the connection"
    names(fallen(RESETS, reason=reason), "The program resets the connection")
    assert diagnose(fallen(CLOSES, reason=reason)) == []


# The start, and crashes


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
    names(fallen(shown, kind=DIED, step="a connection"), words)
    harmless = shows(b"an error\r\n")
    assert diagnose(fallen(harmless, kind=DIED, step="a connection")) == []


def test_a_second_start_on_the_same_port() -> None:
    error = shows(b"bind: Address already in use\r\n")
    names(fallen(event(What.STARTED), event(What.STARTED), error), "SO_REUSEADDR is not set")


def test_another_port() -> None:
    started = event(What.STARTED, "python3 server.py 20001")
    late = partial(fallen, started, kind=HANGS, step="a connection")
    other = late(shows(b"listening on 127.0.0.1:2322\r\n"))
    names(other, "The program uses another port than it was given", "2322")
    assert diagnose(late(shows(b"listening on 127.0.0.1:20001\r\n"))) == []
    assert diagnose(late(shows(b"listening on 20001, and not on 2322\r\n"))) == []
    assert diagnose(fallen(started, shows(b"lab of 3. 12. 20267\r\n"), kind=HANGS)) == []


def test_a_client_that_is_refused() -> None:
    refused = shows(b"connect: Connection refused\r\n")
    names(fallen(refused, kind=DIED, step="a connection"), "The client connects to another place")
    assert diagnose(fallen(refused, kind=DIED, step="words for a person")) == []


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


def test_a_signal() -> None:
    died = fallen(event(What.EXITED, "by SIGSEGV"), kind=DIED)
    names(died, "The program was ended by SIGSEGV", "memory")
    assert diagnose(fallen(event(What.EXITED, "with status 11"), kind=DIED)) == []


def test_what_holds_has_no_diagnosis() -> None:
    assert diagnose(passed("frame/message")) == []


@pytest.mark.parametrize(
    "junk", [b"\n", b" ", b"a", b"\xff\x00", b"\x1b[2J\x1b[H", b"File \n", b"usage"]
)
def test_a_flood_of_output_is_diagnosed_in_time(junk: bytes) -> None:
    """Seconds and not minutes: this runs in the loop that waits for all workers."""
    flood = junk * ((1 << 20) // len(junk))
    began = time.process_time()
    diagnose(fallen(CONNECTED, shows(flood), hears(frame("hi"))))
    assert time.process_time() - began < 5
