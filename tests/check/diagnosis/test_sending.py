"""Mistakes in what a program sends are named by the bytes, and a near miss is not."""

from functools import partial

import pytest

from tests.support.evidence import (
    AT_KEYBOARD,
    CONNECTED,
    IN_RECV,
    event,
    fallen,
    frame,
    hears,
    names,
    noted,
    says,
    typed,
)
from turnchat.check.diagnosis import diagnose, state
from turnchat.check.report import CaseResult, Event, EventType, Kind, Verdict

DIED, HANGS, SPINS, WRONG = Kind
READ = noted(state.KEYS_READ)


def sends(came: bytes, line: str = "hello", *, before: bytes = b"") -> CaseResult:
    """A program that sends other bytes than the frame of a line."""
    return fallen(
        CONNECTED, hears(frame("hi")), typed(line), says(before + came),
        expected=frame(line), received=came,
    )  # fmt: skip


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
        (b"\0\0\x05hello", HELLO, "The length is a binary number"),
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
    ("came", "line", "words"),
    [
        (b"5hello\n", HELLO, ["The length is not padded", "A newline is sent behind"]),
        (b"17now-it-is-my-turn\n", "now-it-is-my-turn", ["The length is not", "A newline is"]),
        (b"10" + CAFE.encode(), CAFE, ["The length counts characters", "The length is not"]),
        (b"010" + CAFE.encode() + b"\n", CAFE, ["The length counts", "A newline is sent"]),
        (b"6hello\n", HELLO, ["The length is not padded", "The newline of the typed line"]),
        (b"\0\x0a" + CAFE.encode(), CAFE, ["The length counts characters", "The length is a b"]),
        (b"5hello\r\n", HELLO, ["The length is not padded", "A newline is sent behind"]),
        (b"005hello\n", HELLO, []),  # the case that it falls short in compares what follows
    ],
)
def test_two_mistakes_at_once_are_both_named(came: bytes, line: str, words: list[str]) -> None:
    found = diagnose(sends(came, line))
    assert len(found) == len(words), found
    assert all(one.startswith(word) for one, word in zip(found, words, strict=True)), found


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


def test_a_length_that_is_less_than_what_is_sent() -> None:
    line = "0123456789" * 30
    sent = b"255" + line.encode()
    result = fallen(typed(line), says(sent), expected=b"", received=sent[258:])
    names(result, "More bytes are sent than the length says", "255", "45 more")


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


def test_a_message_of_its_own() -> None:
    own = extra("ok, got it", hears(frame("hi")), typed("one"), before=frame("one"))
    names(own, "The program sends a message of its own", "ok, got it")
    greeting = sends(frame("welcome!"), "a-line-of-the-person")
    names(greeting, "The program sends a message of its own", "welcome!")
    assert diagnose(sends(frame("a-line-with-other-words"), "a-line-of-the-person")) == []
    assert diagnose(own._replace(verdict=Verdict.PASS)) == []


def test_messages_that_look_like_it() -> None:
    own = "The program sends a message of its own"
    names(extra("BYEBYE", hears(frame("hi")), typed("x")), own)
    names(extra("an answer", hears(frame("a question")), typed("x")), own)
    twice = extra("one", hears(frame("hi")), typed("one"), typed("one"), before=frame("one"))
    assert not any("twice" in sentence for sentence in diagnose(twice))


def test_header_and_body_apart() -> None:
    reason = "the program sent 2 messages in 4 segments"
    names(fallen(says(b"005"), says(b"hello"), reason=reason), "Header and body are sent in two")
    assert diagnose(fallen(says(b"005hello"), says(b"005again"), reason=reason)) == []
    assert diagnose(fallen(says(b"005"), says(b"hello"))) == []  # of another case


def test_an_empty_line_that_is_not_sent() -> None:
    lines = (hears(frame("hi")), typed(""), typed("next"))
    hangs = partial(fallen, *lines, kind=HANGS, received=b"")
    names(hangs(IN_RECV), "An empty line is not sent, but its answer is waited for")
    assert diagnose(hangs(AT_KEYBOARD)) == []  # it asks for another line, and may
    assert diagnose(hangs()) == []


def test_a_client_that_receives_first() -> None:
    silent = partial(fallen, CONNECTED, typed("hello"), kind=HANGS, expected=b"005hello")
    names(silent(IN_RECV), "The client waits for the server to speak first")
    assert diagnose(silent()) == []
    assert diagnose(silent(AT_KEYBOARD)) == []
    assert diagnose(silent(hears(frame("hi")), IN_RECV)) == []  # of a server


def test_messages_behind_the_end() -> None:
    on = extra("late", hears(frame("BYEBYE")), typed("late"))
    names(on, "The program speaks on after the peer's BYEBYE", "late")
    own = extra("late", typed("BYEBYE"), typed("late"), before=frame("BYEBYE"))
    names(own, "The program speaks on after its own BYEBYE")
    half = extra("an answer", hears(b"012twelve"), typed("an answer"))
    names(half, "A part of a message is answered")


def test_a_line_that_was_read_and_not_sent() -> None:
    def late(command: str, *events: Event) -> CaseResult:
        started = event(EventType.STARTED, command)
        lines = started, CONNECTED, typed("hello"), *events
        return fallen(*lines, kind=HANGS, expected=b"005hello", received=b"")

    flush = "A line was read and nothing was sent: hello was typed"
    python = late("python3 client.py 127.0.0.1 20001", READ, IN_RECV)
    names(python, flush, "waits in recv()", "makefile(), or use sendall()")
    names(late("java Client 127.0.0.1 20001", READ), flush, "PrintWriter")
    names(late("./client.sh 127.0.0.1 20001", READ), flush, "flush() it")
    names(late("python3 server.py 20001", hears(frame("hi")), READ, IN_RECV), flush)
    unread = noted(state.KEYS_UNREAD, 6)
    names(late("python3 client.py", unread, IN_RECV), "The client waits for the server to speak")
    assert diagnose(late("python3 client.py", READ, AT_KEYBOARD)) == []
    assert diagnose(late("python3 client.py", says(frame("one")), READ)) == []


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("python3 client.py 1", "b'%03d' % len(body)"),
        ("java Client 1", 'String.format("%03d"'),
        ("java -cp out chat.Client 1", 'String.format("%03d"'),
        ("node client.js 1", "padStart(3, '0')"),
        ("./client 1", "snprintf(header"),
        ("sh run.sh 1", ""),
        ("./run.sh 1", ""),
    ],
)
def test_advice_is_in_the_language_of_the_program(command: str, advice: str) -> None:
    all_advice = ("b'%03d'", "String.format", "padStart", "snprintf")
    found = diagnose(event_first(event(EventType.STARTED, command), sends(b"5hello")))[0]
    assert advice in found
    assert sum(one in found for one in all_advice) == (1 if advice else 0)


def event_first(one: Event, result: CaseResult) -> CaseResult:
    return result._replace(events=(one, *result.events))


def test_bytes_that_begin_with_blanks_are_quoted() -> None:
    names(sends(b"  5hello"), "The length is not padded to three digits: '  5hello' came")
    names(sends(frame("a\nhello")), "The program puts words of its own", r"'a\n' came with it")
