"""Lines that the terminal edits: when a person is asked, and what is discarded."""

import os
import select
import signal
from collections.abc import Callable, Iterator, Sequence
from math import inf

import pytest

from tests.support import PATIENCE, Clock, run_rounds, run_until
from tests.support.streams import Written
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals
from turnchat.process.stdio import PrivateStream
from turnchat.responders.prompt import NOTICE, Ask, LinePrompt
from turnchat.terminal.draft import Draft
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.output import Output, plainly
from turnchat.terminal.screen import LineScreen, PlainScreen

READY = Ask("you> ", is_ready=True)
DISCARDED = "what you had typed was discarded"


class Scene:
    """A prompt on a terminal that edits lines, and the one who asks."""

    def __init__(self, tty: tuple[int, int]) -> None:
        self.master, self.terminal = tty
        os.set_blocking(self.terminal, False)
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.output = Written(os.dup(self.terminal))
        self.screen = LineScreen(Output(self.loop, self.output, "screen", plainly))
        self.refusal: str | None = None
        self.calls = 0
        self.prompt = self.prompt_on(self.screen)
        self.prompt.start(self)

    def prompt_on(self, screen: PlainScreen) -> LinePrompt:
        keyboard = Keyboard(self.loop, PrivateStream(self.terminal), is_terminal=True)
        prompt = LinePrompt(self.loop, keyboard, screen)
        prompt.on_input = self.count
        return prompt

    def count(self) -> None:
        self.calls += 1

    def problem(self, lines: Sequence[Line]) -> str | None:
        return self.refusal

    def is_command(self, text: str) -> bool:
        return False

    def take_back(self) -> str | None:
        return None

    def complete(self, text: str) -> Sequence[str]:
        return ()

    def jump(self, number: int) -> None:
        pass

    def types(self, text: str) -> None:
        """Type; if it is a line, wait until the prompt has read it."""
        before = self.calls
        os.write(self.master, text.encode())
        if text.endswith("\n"):
            run_until(self.loop, lambda: self.calls > before)
            return
        echo = b""
        while not echo.endswith(text.encode()):  # the terminal shows what it has taken in
            assert select.select([self.master], [], [], PATIENCE)[0]
            echo += os.read(self.master, 1000)

    def takes(self) -> tuple[str, bool] | None:
        entry = self.prompt.take()
        return (entry.line.text.decode(), entry.is_shown) if entry else None

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop, 2)

    def close(self) -> None:
        os.close(self.output.fileno())
        self.prompt.end()
        self.loop.close()


@pytest.fixture
def scene(tty: tuple[int, int]) -> Iterator[Scene]:
    made = Scene(tty)
    yield made
    made.close()


def test_a_line_that_was_asked_for_is_on_the_screen(scene: Scene) -> None:
    assert not scene.prompt.edits
    scene.prompt.show(READY)
    assert scene.output.take() == "you> "
    scene.types("hello\n")
    assert scene.takes() == ("hello", True)
    assert not scene.screen.is_prompting
    assert scene.takes() is None
    assert scene.output.take() == ""


def test_nothing_is_known_of_a_line_while_the_terminal_edits_it(scene: Scene) -> None:
    prompt = scene.prompt
    os.write(scene.master, b"half a line")
    run_rounds(scene.loop, 2)
    assert (prompt.edits, prompt.entered, prompt.has_text, prompt.is_asking) == (
        False,
        0,
        False,
        False,
    )
    assert prompt.typed_at == -inf


def test_of_two_lines_one_was_asked_for(scene: Scene) -> None:
    scene.prompt.show(READY)
    scene.types("one\ntwo\n")
    run_rounds(scene.loop, 2)
    assert [scene.takes(), scene.takes(), scene.takes()] == [("one", True), ("two", False), None]


def test_an_empty_line_closes_the_prompt_and_is_none(scene: Scene) -> None:
    scene.prompt.show(READY)
    scene.types("\n")
    assert scene.takes() is None
    assert not scene.screen.is_prompting


def test_a_line_that_cannot_be_taken_is_refused(scene: Scene) -> None:
    scene.prompt.show(READY)
    scene.output.take()
    scene.refusal = "it is too long"
    scene.types("hello\n")
    assert scene.takes() is None
    assert scene.output.take() == "* not sent: it is too long\n"


def test_nothing_is_asked_for_while_lines_must_wait(scene: Scene) -> None:
    scene.prompt.show(Ask("wait> "))
    assert scene.output.take() == ""


def test_a_prompt_is_opened_once_with_its_note(scene: Scene) -> None:
    scene.prompt.show(READY._replace(note="1 more waits"))
    scene.prompt.show(READY._replace(note="2 more wait"))
    assert scene.output.take() == "* 1 more waits\nyou> "


def test_a_prompt_waits_for_the_lines_that_are_written_before_it(scene: Scene) -> None:
    scene.output.most = 0
    scene.screen.status("news")
    scene.prompt.show(READY)
    assert not scene.screen.is_prompting
    scene.output.most = None
    run_rounds(scene.loop)
    scene.prompt.show(READY)
    assert scene.output.take() == "* news\nyou> "


def test_a_line_half_typed_for_one_who_left_reaches_no_other(scene: Scene) -> None:
    scene.prompt.show(READY)
    scene.types("a secret")
    assert scene.prompt.set_aside() == DISCARDED
    assert scene.output.take() == "you> \n"
    scene.types(" for one\n")
    assert scene.takes() is None
    scene.types("for all\n")
    assert scene.takes() == ("for all", False)


def test_after_a_pause_the_next_line_is_a_new_one(scene: Scene) -> None:
    scene.types("a secret")
    scene.prompt.set_aside()
    scene.prompt.show(READY)
    assert not scene.screen.is_prompting
    scene.passes(NOTICE)
    assert scene.calls == 1
    scene.prompt.show(READY)
    assert scene.output.take() == "you> "
    scene.types("for all\n")
    assert scene.takes() == ("for all", True)


def test_a_pause_has_no_key_in_it(scene: Scene) -> None:
    scene.types("a secret")
    scene.prompt.set_aside()
    scene.types(" for one")
    scene.passes(NOTICE)
    assert scene.calls == 0
    scene.passes(NOTICE)
    assert scene.calls == 1


def test_nothing_typed_is_nothing_discarded(scene: Scene) -> None:
    scene.prompt.show(READY)
    assert scene.prompt.set_aside() is None
    assert scene.output.take() == "you> \n"
    scene.prompt.show(READY)
    assert scene.screen.is_prompting


def test_a_draft_cannot_be_swapped_in(scene: Scene) -> None:
    assert scene.prompt.swap(Draft("old")) == Draft()
    assert scene.output.take() == ""
    scene.types("new")
    assert scene.prompt.swap(Draft("old")) == Draft()
    assert scene.output.take() == f"* {DISCARDED}\n"


def test_lines_that_were_not_taken_are_forgotten_at_the_end(scene: Scene) -> None:
    scene.prompt.show(READY)
    scene.types("hello\n")
    assert not scene.prompt.is_exhausted
    scene.prompt.end()
    assert scene.prompt.is_exhausted
    assert scene.output.take() == f"you> \n* {DISCARDED}\n"
    assert scene.takes() is None


def test_ctrl_d_is_the_end_and_ends_the_row(scene: Scene) -> None:
    scene.prompt.show(READY)
    os.write(scene.master, b"\x04")
    run_until(scene.loop, lambda: scene.calls)
    assert scene.takes() is None
    assert scene.prompt.is_exhausted
    assert scene.prompt.error is None
    assert scene.output.take() == "you> \n"


def test_an_open_prompt_is_shown_again_when_the_process_goes_on(scene: Scene) -> None:
    callbacks: dict[int, Callable[[], object]] = {}

    class Sent(Signals):
        def __init__(self) -> None:
            pass

        def on(self, number: signal.Signals, callback: Callable[[], object]) -> None:
            callbacks[number] = callback

    scene.prompt.watch(Sent())
    callbacks[signal.SIGCONT]()
    assert scene.output.take() == ""
    scene.prompt.show(READY)
    callbacks[signal.SIGCONT]()
    assert scene.output.take() == "you> you> "
