"""Mistakes in how a program reads are named by its screen, and by what it has left unread."""

from functools import partial

from tests.support.evidence import (
    AT_KEYBOARD,
    CLOSES,
    CONNECTED,
    HANG_UP,
    IN_RECV,
    fallen,
    frame,
    hears,
    names,
    noted,
    shows,
)
from turnchat.check.diagnosis import diagnose, state
from turnchat.check.report import Awaited, CaseResult, Event, Kind

DIED, HANGS, SPINS, WRONG = Kind

CAFE = "café-crème"


def unseen(text: str, *more: bytes | Event, screen: str) -> CaseResult:
    """A message, whole or in pieces, that does not stand on the screen. Events follow it."""
    pieces = [one for one in more if isinstance(one, bytes)] or [frame(text)]
    events = [one for one in more if isinstance(one, Event)]
    return fallen(
        CONNECTED, *map(hears, pieces), shows(screen.encode()), *events,
        kind=HANGS, awaits=Awaited.SCREEN, expected=text.encode(),
        received=screen.encode(), screen=tuple(screen.split("\n")),
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
    assert diagnose(unseen(text, whole[:1], screen="peer:")) == []  # the rest never came
    cut = unseen(text, whole[:1], whole[1:], screen="peer:")
    names(cut, "Part of a header is taken for a whole one", "recv(3)")
    bytewise = [whole[at : at + 1] for at in range(len(whole))]
    names(unseen(text, *bytewise, screen="peer:"), "Part of a header is taken for a whole one")
    for read, words in (1, "Part of a header"), (4, "Part of a message"):
        note = noted(state.UNREAD, len(whole) - read)
        names(unseen(text, *bytewise, note, screen="peer: s"), words)
    assert diagnose(unseen(text, whole[:1], whole[1:], screen="peer: split-in-pieces")) == []
    cut = unseen(text, whole[:8], whole[8:], screen="peer: split")
    names(cut, "Part of a message is taken for the whole", "5 bytes")
    assert diagnose(unseen(text, whole[:8], whole[8:], screen="peer: split-in-pieces")) == []
    assert diagnose(unseen(text, whole, screen="peer:")) == []
    smile = frame("a-😀")
    error = "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xf0"
    names(unseen("a-😀", smile[:6], smile[6:], screen=error), "Each piece is decoded by itself")


def test_a_message_that_is_cut_short_and_shown() -> None:
    cut = partial(fallen, CONNECTED, hears(b"012twelve"), screen=("peer> twelve",))
    names(
        cut(HANG_UP), "A message that is cut short is taken for a whole one", "6 bytes of its 012"
    )
    assert diagnose(cut()) == []
    assert diagnose(cut(HANG_UP)._replace(screens=[["listening"]])) == []


def test_pieces_that_were_put_together_and_shown_otherwise() -> None:
    smile = frame("a-😀-of-two-pieces")
    pieces = smile[:6], smile[6:]
    assert diagnose(unseen("a-😀-of-two-pieces", *pieces, screen="[a-😀]-of-two-pieces")) == []
    torn = unseen("a-😀-of-two-pieces", *pieces, screen="a-\ufffd\ufffd-of-two-pieces")
    names(torn, "Each piece is decoded by itself")
    printed = unseen("a-😀-of-two-pieces", *pieces, screen=repr(smile[3:]))
    names(printed, "The bytes are printed without decode()")


def test_a_message_of_which_the_beginning_is_shown() -> None:
    text = "a-message-that-is-to-be-shown"
    part = partial(unseen, text, screen="server: a-message-tha")
    names(part(noted(state.UNREAD, 16)), "A fixed number of bytes is read", "16 bytes")
    names(part(noted(state.UNREAD, 14)), "A message is shown in part", "13 of its 29")
    names(part(), "A message is shown in part", "13 of its 29")  # where nothing tells what it read
    assert diagnose(unseen(text, screen="server: a-m")) == []
    wrapped = "| a-message-tha |\n| t-is-to-be-shown |"
    assert diagnose(unseen(text, screen=wrapped)) == []  # in a window of its own


def test_characters_and_zeros_that_are_lost() -> None:
    emoji = partial(unseen, "a smile 😀, and a flag")
    names(emoji(screen="a smile ??, and a flag"), "Characters beyond 16 bits are not shown", "😀")
    names(emoji(screen="a smile , and a flag"), "Characters beyond 16 bits are not shown")
    assert not any("16 bits" in one for one in diagnose(emoji(screen="a smile 😀")))
    names(
        unseen("0123456789" * 6, screen="peer> 012345"), "Zeros of the length", "060 is read as 6"
    )


def test_a_message_that_is_read_to_its_end_and_not_shown() -> None:
    late = partial(unseen, "a-message", screen="you>")
    first = late(IN_RECV)._replace(id="frame/receive/first")
    names(first, "The program has read the whole message and reads on", "newline")
    later = diagnose(late(IN_RECV))  # other messages were understood
    assert "newline" not in later[0]
    assert not any("reads on" in one for one in diagnose(late(IN_RECV, CLOSES)))
    assert diagnose(late()) == []
    names(late(AT_KEYBOARD), "The message is read, but not printed")
    otherwise = unseen("größe-groß", AT_KEYBOARD, screen="gr<c3><b6><c3><9f>e")
    assert diagnose(otherwise) == []  # shown in another form
    assert diagnose(late(AT_KEYBOARD, noted(state.UNREAD, 5))) == []
    shown = unseen("a-message-and-more", AT_KEYBOARD, screen="a-message-")
    names(shown, "A message is shown in part")
    assert diagnose(late(IN_RECV, noted(state.UNREAD, 5))) == []


def test_text_that_is_not_decoded() -> None:
    names(unseen(CAFE, screen="b'caf\\xc3\\xa9-cr\\xc3\\xa8me'"), "The bytes are printed")
    quotes = '"a"\\'
    names(unseen(quotes, screen=f"peer> {quotes.encode()!r}"), "The bytes are printed without")
    names(unseen("hello", screen="<Buffer 68 65 6c 6c 6f>"), "The Buffer is printed")
    names(unseen("hello", screen="<Buffer 30 30 35 68 65 6c 6c 6f>"), "The Buffer is printed")
    names(unseen("hello", screen="peer> [B@1b6d3586"), "The array is printed", "[B@1b6d3586")
    assert diagnose(unseen("hello", screen="<Buffer 00 00 00>")) == []
    names(unseen(CAFE, screen=CAFE.encode().decode("latin-1")), "UTF-8 is decoded as latin-1")
    names(unseen(CAFE, screen="caf?-cr?me"), "Characters beyond ASCII are shown as ?")
    torn = unseen("naïve-Größe", screen="naÃ¯ve-GrÃ¶Ãe")  # with a control that shows nothing
    names(torn, "UTF-8 is decoded as latin-1")
    assert diagnose(unseen(CAFE, screen="cafe-creme")) == []


def test_controls_that_reach_the_terminal() -> None:
    body = b"left-\x1b[2J-right"
    names(fallen(hears(frame(body)), shows(body)), "The peer's text is printed as it came")
    turned = "left-\u202e-right".encode()
    names(fallen(hears(frame(turned)), shows(turned)), "The peer's text is printed as it came")
    assert diagnose(fallen(hears(frame(body)), shows(b"\x1b[2Jleft-\\x1b[2J-right"))) == []
    assert diagnose(fallen(hears(frame("left")), shows(b"\x1b[2Jleft"))) == []  # its own


def test_bytes_that_are_read_as_a_header() -> None:
    error = b"ValueError: invalid literal for int() with base 10: b'llo'\r\n"
    names(fallen(hears(b"005hello"), shows(error)), "Something else than a header", "b'llo'")
    assert diagnose(fallen(shows(b"ValueError: b'llo'\r\n"))) == []
