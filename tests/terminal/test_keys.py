import ast
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import ROOT
from turnchat.terminal.keys import (
    ESCAPE_DELAY,
    LONGEST_SEQUENCE,
    PASTE_DELAY,
    PASTE_LIMIT,
    Key,
    KeyParser,
)

CONTROLS = {
    b"\r": "enter",
    b"\n": "enter",
    b"\t": "tab",
    b"\x7f": "backspace",
    b"\x08": "backspace",
    b"\x00": "ctrl-@",
    b"\x01": "ctrl-a",
    b"\x0c": "ctrl-l",
    b"\x1a": "ctrl-z",
    b"\x1c": "ctrl-\\",
    b"\x1d": "ctrl-]",
    b"\x1e": "ctrl-^",
    b"\x1f": "ctrl-_",
}
XTERM = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1b[H": "home",
    b"\x1b[F": "end",
    b"\x1b[2~": "insert",
    b"\x1b[3~": "delete",
    b"\x1b[5~": "page-up",
    b"\x1b[6~": "page-down",
    b"\x1bOP": "f1",
    b"\x1bOQ": "f2",
    b"\x1bOR": "f3",
    b"\x1bOS": "f4",
    b"\x1b[15~": "f5",
    b"\x1b[17~": "f6",
    b"\x1b[21~": "f10",
    b"\x1b[23~": "f11",
    b"\x1b[24~": "f12",
    b"\x1b[Z": "shift-tab",
}
XTERM_WITH_MODIFIERS = {
    b"\x1b[1;5D": "ctrl-left",
    b"\x1b[1;5C": "ctrl-right",
    b"\x1b[1;3D": "alt-left",
    b"\x1b[1;3C": "alt-right",
    b"\x1b[1;9D": "alt-left",  # Meta
    b"\x1b[1;2A": "up",
    b"\x1b[1;6D": "ctrl-left",
    b"\x1b[1;4D": "alt-left",
    b"\x1b[1;7D": "alt-ctrl-left",
    b"\x1b[1;0D": "left",
    b"\x1b[1;1H": "home",
    b"\x1b[1;5F": "ctrl-end",
    b"\x1b[3;5~": "ctrl-delete",
    b"\x1b[3;2~": "delete",
    b"\x1b[15;3~": "alt-f5",
    b"\x1b[1;5P": "ctrl-f1",
    b"\x1b[5D": "ctrl-left",  # modifyCursorKeys: 0
    b"\x1bO5C": "ctrl-right",
    b"\x1bO1;5Q": "ctrl-f2",
}
APPLICATION_MODE = {
    b"\x1bOA": "up",
    b"\x1bOB": "down",
    b"\x1bOC": "right",
    b"\x1bOD": "left",
    b"\x1bOH": "home",
    b"\x1bOF": "end",
    b"\x1bOM": "enter",
    b"\x1bOI": "tab",
}
SCREEN = {b"\x1b[1~": "home", b"\x1b[4~": "end"}
LINUX = {b"\x1b[[A": "f1", b"\x1b[[B": "f2", b"\x1b[[E": "f5"}
RXVT = {
    b"\x1b[7~": "home",
    b"\x1b[8~": "end",
    b"\x1b[11~": "f1",
    b"\x1b[14~": "f4",
    b"\x1bOd": "ctrl-left",
    b"\x1bOc": "ctrl-right",
    b"\x1bOa": "ctrl-up",
    b"\x1b[d": "left",
    b"\x1b[b": "down",
    b"\x1b[7$": "home",
    b"\x1b[3$": "delete",
    b"\x1b[3^": "ctrl-delete",
    b"\x1b[3@": "ctrl-delete",
    b"\x1b\x1b[D": "alt-left",
    b"\x1b\x1b[C": "alt-right",
    b"\x1b\x1bOd": "alt-ctrl-left",
    b"\x1b\x1b[3~": "alt-delete",
}
ALT = {
    b"\x1bb": "alt-b",
    b"\x1bB": "alt-B",
    b"\x1b1": "alt-1",
    b"\x1b.": "alt-.",
    b"\x1b\xc3\xa9": "alt-é",
    b"\x1b\xff": "alt-\\xff",
    b"\x1b\x7f": "alt-backspace",
    b"\x1b\r": "alt-enter",
    b"\x1b\x01": "alt-ctrl-a",
}
NAMED = CONTROLS | XTERM | XTERM_WITH_MODIFIERS | APPLICATION_MODE | SCREEN | LINUX | RXVT | ALT
UNKNOWN = [
    b"\x1b[z",
    b"\x1b[99~",
    b"\x1b[1;5z",
    b"\x1b[1;5;7D",
    b"\x1b[?62;22c",  # who are you (DA)
    b"\x1b[24;80R",  # where is the cursor (CPR)
    b"\x1b[1;1R",
    b"\x1b[?2026;2$y",  # is a mode set (DECRPM)
    b"\x1b[<0;10;20M",  # the mouse (SGR)
    b"\x1b[M !!",  # the mouse (X10)
    b"\x1b[M \xff\xff",
    b"\x1b[I",  # the window has the focus
    b"\x1b[201~",
    b"\x1b[[Z",
    b"\x1b[[[",
    b"\x1b[1[",
    b"\x1bO[",
    b"\x1bOz",
    b"\x1bO z",
    b"\x1b[" + b"1" * 1000 + b"D",
    b"\x1b[" + b" " * 1000 + b"D",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b]0;\xff\xc3\xa9\r\n\x07",
    b"\x1bP>|XTerm(379)\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b^private\x1b\\",
    b"\x1bXstring\x1b\\",
]

UNFINISHED = [
    b"\x1b[",
    b"\x1b[1;",
    b"\x1b[[",
    b"\x1bO",
    b"\x1b\x1b[",
    b"\x1b]0;x",
    b"\x1b]0;x\x1b",
    b"\x1b[M",
    b"\x1b[M!!",
]


def merged(keys: Iterable[Key]) -> list[Key]:
    """The keys, but text that came in several pieces in one."""
    result: list[Key] = []
    for key in keys:
        if key.name == "text" and result and result[-1].name == "text":
            result[-1] = Key("text", result[-1].text + key.text)
        else:
            result.append(key)
    return result


def keys_of(*pieces: bytes) -> list[Key]:
    parser = KeyParser()
    return [key for piece in pieces for key in parser.feed(piece)]


def bytewise(data: bytes) -> list[Key]:
    return merged(keys_of(*(data[at : at + 1] for at in range(len(data)))))


def pasted(*pieces: bytes) -> list[Key]:
    return keys_of(b"\x1b[200~", *pieces, b"\x1b[201~")


@pytest.mark.parametrize(("data", "name"), NAMED.items(), ids=map(repr, NAMED))
def test_each_key_in_any_two_pieces(data: bytes, name: str) -> None:
    expected = [Key("text", "a"), Key(name), Key("text", "z")]
    whole = b"a" + data + b"z"
    for at in range(len(whole)):
        assert merged(keys_of(whole[:at], whole[at:])) == expected
    assert bytewise(whole) == expected


@pytest.mark.parametrize("data", UNKNOWN, ids=lambda data: repr(data[:20]))
def test_an_unknown_sequence_is_swallowed_whole_in_any_two_pieces(data: bytes) -> None:
    for at in range(len(data)):
        assert merged(keys_of(b"a" + data[:at], data[at:] + b"z")) == [Key("text", "az")]
    assert bytewise(data) == []


def test_characters_that_come_together_are_one_key() -> None:
    assert keys_of("héllo 世界".encode()) == [Key("text", "héllo 世界")]


def test_each_return_and_newline_is_an_enter() -> None:
    assert keys_of(b"one\r\ntwo") == [Key("text", "one"), *[Key("enter")] * 2, Key("text", "two")]


def test_a_character_in_pieces_comes_when_it_is_whole() -> None:
    assert keys_of(b"\xe4\xb8") == []
    assert keys_of(b"\xe4", b"\xb8", b"\x96") == [Key("text", "世")]


def test_bytes_that_are_not_utf8_are_written_as_escapes() -> None:
    assert keys_of(b"a\xff\xc3(") == [Key("text", "a\\xff\\xc3(")]
    assert keys_of(b"\xe2\r") == [Key("text", "\\xe2"), Key("enter")]


def test_a_lone_escape_is_a_key_after_a_pause() -> None:
    parser = KeyParser()
    assert parser.delay is None
    assert parser.feed(b"a\x1b") == [Key("text", "a")]
    assert parser.delay == ESCAPE_DELAY
    assert parser.expire() == [Key("escape")]
    assert parser.delay is None
    assert parser.expire() == []
    assert parser.feed(b"[D") == [Key("text", "[D")]


def test_escapes_in_a_row_are_counted() -> None:
    parser = KeyParser()
    assert parser.feed(b"\x1b\x1b\x1b") == [Key("escape")]
    assert parser.expire() == [Key("escape")] * 2
    assert keys_of(b"\x1b\x1bb") == [Key("escape"), Key("alt-b")]
    assert keys_of(b"\x1b\x1b]x\x07") == [Key("escape")]


@pytest.mark.parametrize("beginning", UNFINISHED)
def test_an_unfinished_sequence_is_dropped_after_a_pause(beginning: bytes) -> None:
    parser = KeyParser()
    assert parser.feed(beginning) == []
    assert parser.delay == ESCAPE_DELAY
    assert parser.expire() == []
    assert parser.delay is None
    assert parser.feed(b"A\x1b[A") == [Key("text", "A"), Key("up")]


def test_a_control_character_ends_a_sequence_and_is_a_key() -> None:
    for beginning in b"\x1b[1;", b"\x1bO", b"\x1b[M!":
        assert keys_of(beginning + b"\rx") == [Key("enter"), Key("text", "x")]
    assert keys_of(b"\x1b[1\x7f") == [Key("backspace")]
    assert keys_of(b"\x1b[1\xc3\xa9") == [Key("text", "é")]


def test_an_escape_in_a_sequence_begins_a_new_one() -> None:
    for beginning in b"\x1b[1;", b"\x1bO", b"\x1b[[", b"\x1b]0;title", b"\x1b[M!":
        assert keys_of(beginning + b"\x1b[A") == [Key("up")]
    assert keys_of(b"\x1b\x1b[1\x1b[D") == [Key("left")]
    assert keys_of(b"\x1b\x1b]\x1bb") == [Key("escape"), Key("alt-b")]


@pytest.mark.parametrize("beginning", [b"\x1b[", b"\x1b[[", b"\x1bO", b"\x1b]", b"\x1bP"])
def test_an_endless_sequence_is_swallowed_and_not_kept(beginning: bytes) -> None:
    parser = KeyParser()
    assert parser.feed(beginning) == []
    for _ in range(100):
        assert parser.feed(b"1" * 1000) == []
    assert sum(parser.statistics().values()) <= LONGEST_SEQUENCE
    assert parser.feed(b"D\x07x")[-1] == Key("text", "x")


def test_a_paste_is_one_key_whatever_it_holds() -> None:
    assert pasted(b"one\r\ntwo\rthree\nfour") == [Key("paste", "one\ntwo\nthree\nfour")]
    assert pasted(b"\x1b[31mred\x1b[m\x00\x7f\x1b") == [Key("paste", "\x1b[31mred\x1b[m\0\x7f\x1b")]
    assert pasted(b"\xc3\xa9\xff") == [Key("paste", "é\\xff")]
    assert pasted(b"\x1b[200~") == [Key("paste", "\x1b[200~")]
    assert pasted() == [Key("paste", "")]


def test_a_paste_in_any_two_pieces() -> None:
    data = b"a\x1b[200~1\r\n\x1b[20\x1b[201\x1b\x1b[201~z\x1b[200~2\xc3\xa9\x1b[201~"
    expected = [Key("text", "a"), Key("paste", "1\n\x1b[20\x1b[201\x1b")]
    expected += [Key("text", "z"), Key("paste", "2é")]
    for at in range(len(data)):
        assert keys_of(data[:at], data[at:]) == expected
    assert bytewise(data) == expected


def test_a_paste_may_have_so_many_characters_and_no_more() -> None:
    assert pasted("é".encode() * PASTE_LIMIT) == [Key("paste", "é" * PASTE_LIMIT)]
    assert pasted(b"x" * (PASTE_LIMIT + 1)) == [Key("paste-too-long")]
    assert pasted(b"x" * PASTE_LIMIT, b"\x1b[201", b"y") == [Key("paste-too-long")]


def test_an_endless_paste_is_not_kept_and_the_next_one_counts() -> None:
    parser = KeyParser()
    parser.feed(b"\x1b[200~")
    for _ in range(100):
        assert parser.feed(b"x" * 10_000) == []
        assert parser.statistics()["paste"] <= PASTE_LIMIT
    assert parser.statistics()["paste"] == 0
    assert parser.expire() == [Key("paste-too-long")]
    assert parser.feed(b"\x1b[200~new\x1b[201~") == [Key("paste", "new")]


def test_a_paste_without_an_end_is_ended_by_a_pause() -> None:
    parser = KeyParser()
    parser.feed(b"\x1b[200~text\x1b[20")
    assert parser.delay == PASTE_DELAY
    assert parser.expire() == [Key("paste", "text\x1b[20")]
    assert parser.delay is None
    assert parser.feed(b"a\x1b[201~") == [Key("text", "a")]


PIECES = st.lists(
    st.binary(max_size=8)
    | st.sampled_from([*NAMED, *UNKNOWN, b"\x1b[200~", b"\x1b[201~", b"\x1b[20", b"\x1b", b"\x1b["])
    | st.text(max_size=4).map(lambda text: text.encode(errors="surrogatepass")),
    max_size=12,
)


@given(PIECES, st.lists(st.integers(0, 60), max_size=6))
@example([b"\xe2\x1b[X\x82\xac"], [])
def test_any_bytes_in_any_pieces_give_the_same_keys(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    marks = [0, *sorted(cuts), len(data)]
    cut = [data[one:other] for one, other in pairwise(marks)]
    expected = merged(keys_of(data))
    assert merged(keys_of(*pieces)) == merged(keys_of(*cut)) == bytewise(data) == expected


@given(st.lists(PIECES, max_size=5))
def test_any_bytes_with_pauses_leave_nothing_behind(rounds: list[list[bytes]]) -> None:
    parser = KeyParser()
    for pieces in rounds:
        for piece in pieces:
            for key in parser.feed(piece):
                assert key.name
                assert bool(key.text) <= (key.name in ("text", "paste"))
            statistics = parser.statistics()
            assert statistics["sequence"] <= LONGEST_SEQUENCE
            assert bool(statistics["sequence"]) <= (parser.delay is not None)
        parser.expire()
        assert parser.delay is None
        parser.feed(b"\r")  # ends a character that has begun
        assert parser.feed(b"x") == [Key("text", "x")]


def test_the_parser_does_no_input_or_output() -> None:
    tree = ast.parse((ROOT / "turnchat/terminal/keys.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert modules == {"codecs", "collections.abc", "re", "typing"}
