"""Lines above, and a block at the bottom of the screen."""

import pytest

from tests.support import run_rounds
from tests.support.streams import Written
from turnchat.core.loop import EventLoop
from turnchat.terminal.display import CHUNK, Block, Display, Size, Span, block
from turnchat.terminal.output import MESSAGE, STATUS, OutputLine, plainly

BELOW = "\x1b[J"
PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"


class Scene:
    """A display on a screen of a given size, with a line that is being typed."""

    def __init__(self, loop: EventLoop, descriptor: int) -> None:
        self.loop = loop
        self.size = Size(21, 10)
        self.above: list[str] = []
        self.line = ""
        self.cursor: int | None = None
        self.has_block = True
        self.composed = 0
        self.stream = Written(descriptor)
        self.display = Display(loop, self.stream, "screen", plainly, lambda: self.size)
        self.display.compose = self.compose

    def compose(self, size: Size) -> Block | None:
        self.composed += 1
        above = [Span(text) for text in self.above]
        cursor = len(self.line) if self.cursor is None else self.cursor
        return block(above, [Span(self.line)], cursor, size) if self.has_block else None

    def types(self, line: str, cursor: int | None = None) -> None:
        self.line, self.cursor = line, cursor
        self.display.refresh()

    def puts(self, *texts: str) -> None:
        for text in texts:
            self.display.put(OutputLine(MESSAGE, "", text))

    def writes(self, rounds: int = 1) -> list[str]:
        """Return what is written in these rounds, each write for itself."""
        run_rounds(self.loop, rounds)
        written = [piece.decode() for piece in self.stream.writes]
        self.stream.take()
        return written


@pytest.fixture
def scene(loop: EventLoop, tty: tuple[int, int]) -> Scene:
    return Scene(loop, tty[1])


@pytest.fixture
def shown(scene: Scene) -> Scene:
    """A scene whose block is on the screen."""
    scene.line = "you> "
    scene.display.show()
    assert scene.writes() == [f"{PASTE_ON}you> "]
    return scene


def test_without_a_block_lines_are_written_at_once(scene: Scene) -> None:
    scene.puts("one", "two")
    assert scene.stream.take() == "one\ntwo\n"
    scene.display.refresh()
    assert scene.display.is_drained
    assert scene.writes() == []
    assert scene.composed == 0


def test_nothing_to_compose_is_no_block(scene: Scene) -> None:
    scene.has_block = False
    scene.display.show()
    assert scene.writes() == [PASTE_ON]
    scene.puts("one")
    assert scene.writes() == ["one\n"]


def test_a_key_at_the_end_is_all_that_is_written_for_it(shown: Scene) -> None:
    for line, added in [("you> a", "a"), ("you> ab", "b"), ("you> ab世界", "世界")]:
        shown.types(line)
        assert shown.writes() == [added]


def test_a_key_at_the_end_of_several_rows_is_written_alone(shown: Scene) -> None:
    shown.above = ["note"]
    shown.types("you> 0123456789abcdefghi")
    shown.writes()
    shown.types("you> 0123456789abcdefghij")
    assert shown.writes() == ["j"]


@pytest.mark.parametrize(
    ("line", "cursor", "written"),
    [
        ("you>", None, f"you>{BELOW}"),
        ("You> ", None, f"You> {BELOW}"),
        ("you> x", 5, f"you> x{BELOW}\ryou> "),
        ("you> 0123456789abcdefghi", None, f"you> 0123456789abcde{BELOW}\nfghi"),
    ],
)
def test_any_other_change_draws_the_block_again(
    shown: Scene, line: str, cursor: int | None, written: str
) -> None:
    shown.types(line, cursor)
    assert shown.writes() == [f"\r{written}"]


def test_a_row_that_begins_is_drawn_with_all_others(shown: Scene) -> None:
    shown.types("you> 0123456789abcde")
    assert shown.writes() == ["0123456789abcde"]
    shown.types("you> 0123456789abcdef")
    assert shown.writes() == [f"\ryou> 0123456789abcde{BELOW}\nf"]


def test_a_change_above_draws_the_block_again(shown: Scene) -> None:
    shown.above = ["note"]
    shown.types("you> x")
    assert shown.writes() == [f"\rnote{BELOW}\nyou> x"]
    shown.above = ["Note"]
    shown.types("you> xy")
    assert shown.writes() == [f"\r\x1b[1ANote{BELOW}\nyou> xy"]


def test_the_cursor_goes_back_to_its_place(shown: Scene) -> None:
    shown.types("you> 0123456789abcdefghi", 7)
    assert shown.writes() == [f"\ryou> 0123456789abcde{BELOW}\nfghi\r\x1b[1Ayou> 01"]
    shown.types("you> 0123456789abcdefghi", 22)
    assert shown.writes() == [f"\ryou> 0123456789abcde{BELOW}\nfghi\rfg"]
    shown.types("you> 0123456789abcdefghi")
    assert shown.writes() == [f"\r\x1b[1Ayou> 0123456789abcde{BELOW}\nfghi"]
    shown.types("you> 0123456789abcdefghi", 20)
    assert shown.writes() == [f"\r\x1b[1Ayou> 0123456789abcde{BELOW}\nfghi\r"]


def test_a_key_before_the_end_is_not_written_alone(shown: Scene) -> None:
    shown.types("you> x", 5)
    shown.writes()
    shown.types("you> xy", 6)
    assert shown.writes() == [f"\ryou> xy{BELOW}\ryou> x"]


def test_nothing_is_written_if_nothing_has_changed(shown: Scene) -> None:
    shown.display.refresh()
    assert not shown.display.is_drained
    assert shown.writes() == []
    assert shown.display.is_drained


def test_the_changes_of_a_round_are_one_write(shown: Scene) -> None:
    shown.puts("one", "two")
    shown.types("you> a")
    shown.types("you> b")
    shown.puts("three")
    assert shown.stream.take() == ""
    assert not shown.display.is_drained
    assert shown.writes() == [f"\rone{BELOW}\ntwo\nthree\nyou> b"]
    assert shown.display.is_drained
    assert shown.composed == 2


def test_many_lines_are_written_in_pieces_with_the_block_below_each(shown: Scene) -> None:
    lines = [f"{number} {'x' * 90}" for number in range(1000)]
    shown.puts(*lines)
    written = shown.writes()
    assert len(written) > 1
    assert all(len(piece) < CHUNK + 200 for piece in written)
    assert all(piece.startswith("\r") and piece.endswith("\nyou> ") for piece in written)
    assert all(piece.partition("\n")[0].endswith(BELOW) for piece in written)
    assert all(piece.count(BELOW) == 1 for piece in written)
    between = "".join(piece.strip("\r").removesuffix("you> ") for piece in written)
    assert between.replace(BELOW, "") == "".join(f"{line}\n" for line in lines)


def test_a_wrapped_block_is_erased_as_a_whole(shown: Scene) -> None:
    shown.above = ["0123456789abcdefghi"]
    shown.types("you> ")
    shown.writes()
    shown.size = Size(10, 10)
    shown.above = []
    shown.display.refresh()
    assert shown.writes() == [f"\r\x1b[2Ayou> {BELOW}"]


def test_a_stopped_terminal_gets_the_newest_block_alone(shown: Scene) -> None:
    shown.stream.most = 0
    shown.types("you> a")
    run_rounds(shown.loop)
    for line in ("you> ab", "you> abc", "you> abcd"):
        shown.types(line)
        shown.puts(line)
        run_rounds(shown.loop)
    shown.types("you> END")
    assert shown.writes() == []
    assert not shown.display.is_drained
    shown.stream.most = None
    written = "".join(shown.writes(2))
    assert written == f"a\ryou> ab{BELOW}\nyou> abc\nyou> abcd\nyou> END"
    assert shown.display.is_drained


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_a_slow_terminal_loses_nothing(shown: Scene, most: int) -> None:
    shown.stream.most = most
    shown.puts("日本語")
    run_rounds(shown.loop)
    shown.types("you> é")
    shown.puts("two")
    run_rounds(shown.loop, 40)
    first = f"\r日本語{BELOW}\nyou> "
    assert shown.stream.take() == f"{first}\rtwo{BELOW}\nyou> é"
    assert shown.display.is_drained


def test_a_hidden_block_is_erased_at_once_and_lines_go_on(shown: Scene) -> None:
    shown.above = ["note"]
    shown.types("you> x")
    shown.writes()
    shown.puts("one")
    shown.display.hide()
    assert shown.stream.take() == f"\r\x1b[1A {BELOW}\r{PASTE_OFF}one\n"
    shown.puts("two")
    assert shown.stream.take() == "two\n"
    shown.types("you> xy")
    shown.display.hide()
    assert shown.writes() == []
    assert shown.display.is_drained


def test_a_block_that_is_shown_again_leaves_the_text_of_others_alone(shown: Scene) -> None:
    shown.display.hide()
    shown.stream.take()
    shown.display.show()
    assert shown.writes() == [f"{PASTE_ON}you> "]
    shown.display.show()  # after a SIGSTOP, which gives no time to hide it
    assert shown.writes() == [f"\r{BELOW}{PASTE_ON}you> "]


def test_hidden_on_a_stopped_terminal_it_is_erased_later(shown: Scene) -> None:
    shown.stream.most = 0
    shown.types("you> x")
    run_rounds(shown.loop)
    shown.display.hide()
    shown.puts("one")
    shown.stream.most = None
    assert "".join(shown.writes()) == f"x\r {BELOW}\r{PASTE_OFF}one\n"


def test_a_cleared_screen_has_the_block_at_its_top(shown: Scene) -> None:
    shown.above = ["note"]
    shown.types("you> x")
    shown.writes()
    shown.display.clear()
    shown.puts("one")
    assert shown.writes() == [f"\x1b[H{BELOW}one\nnote\nyou> x"]
    shown.types("you> xy")
    assert shown.writes() == ["y"]


def test_a_screen_cleared_often_while_the_terminal_is_stopped_is_cleared_once(
    shown: Scene,
) -> None:
    shown.stream.most = 0
    shown.types("you> x")
    run_rounds(shown.loop)
    for _ in range(1000):
        shown.display.clear()
        run_rounds(shown.loop)
    shown.stream.most = None
    assert "".join(shown.writes(2)) == f"x\x1b[H{BELOW}you> x"


def test_shown_again_and_again_on_a_stopped_terminal_it_is_erased_once(shown: Scene) -> None:
    shown.stream.most = 0
    shown.types("you> x")
    run_rounds(shown.loop)
    for _ in range(1000):
        shown.display.hide()
        shown.display.show()
        run_rounds(shown.loop)
    shown.stream.most = None
    assert "".join(shown.writes(2)) == f"x\r {BELOW}\r{PASTE_ON}you> x"


def test_what_others_have_written_below_an_abandoned_block_stays(shown: Scene) -> None:
    shown.display.abandon()
    shown.puts("one")
    assert shown.writes() == ["one\n"]
    shown.types("you> x")
    assert shown.writes() == []
    shown.display.show()
    assert shown.writes() == [f"{PASTE_ON}you> x"]


def test_close_turns_pastes_off_also_if_the_block_was_abandoned(shown: Scene) -> None:
    shown.display.abandon()
    assert shown.writes() == []
    shown.display.close()
    assert shown.stream.take() == PASTE_OFF


def test_close_erases_the_block_and_turns_pastes_off(shown: Scene) -> None:
    shown.puts("last")
    shown.display.close()
    assert shown.stream.take() == f"\r {BELOW}\r{PASTE_OFF}last\n"
    run_rounds(shown.loop)
    assert shown.stream.take() == ""


def test_close_without_a_block_writes_nothing(scene: Scene) -> None:
    scene.display.close()
    assert scene.stream.take() == ""


def test_a_terminal_that_fails_is_reported_once_and_left_alone(shown: Scene) -> None:
    errors: list[OSError] = []
    shown.display.on_error = errors.append
    shown.stream.breaks = True
    shown.puts("one")
    run_rounds(shown.loop, 3)
    assert len(errors) == 1
    shown.puts("two")
    shown.types("you> x")
    shown.display.clear()
    shown.display.show()
    run_rounds(shown.loop, 3)
    assert len(errors) == 1
    shown.display.close()


def test_nothing_waits_any_more_for_a_terminal_that_has_failed(shown: Scene) -> None:
    shown.stream.most = 0
    shown.puts(*["x" * 90] * 1000)
    run_rounds(shown.loop)
    shown.types("you> x")
    shown.stream.breaks = True
    run_rounds(shown.loop, 3)
    assert shown.display.is_drained
    shown.display.drain(None)


def test_drain_waits_for_the_newest_block(shown: Scene) -> None:
    shown.display.put(OutputLine(STATUS, "* ", "news"))
    shown.types("you> x")
    calls: list[bool] = []
    shown.display.call_when_drained(lambda: calls.append(shown.display.is_drained))
    shown.display.drain(None)
    assert calls == [True]
    assert shown.stream.take() == f"\r* news{BELOW}\nyou> x"
