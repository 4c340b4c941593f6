from collections.abc import Callable, Iterator

import pytest

from tests.support import Clock, Peer, run_rounds, tcp_pair
from tests.support.connection import STOPPED, Echo, Fixture
from tests.support.streams import Written
from turnchat.chat.log import CAME, LITTLE, MERGED, Log, ScreenHandler, news_of_end
from turnchat.core.connection import Timeouts
from turnchat.core.conversation import Turn
from turnchat.core.loop import EventLoop
from turnchat.terminal.output import Output, plainly
from turnchat.terminal.screen import LineScreen, PlainScreen

LEFT = {"news": "left"}
MANY = 1000  # lines, for which a screen lags


class Scene:
    """A log whose lines a screen shows. It lags while a prompt is open."""

    def __init__(
        self, make_screen: Callable[[Output], PlainScreen] = LineScreen, descriptor: int = -1
    ) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.stream = Written(descriptor)
        self.screen = make_screen(Output(self.loop, self.stream, "screen", plainly))
        self.handler = ScreenHandler(self.loop, self.screen)
        self.logger = Log(self.handler)

    def lag(self) -> None:
        self.screen.open_prompt("you> ", "")
        for _ in range(MANY):
            self.logger.info("other")

    def catch_up(self) -> None:
        """Let the screen show what waits: its lines, without the others."""
        self.screen.close_prompt(entered=True)

    def visit(self, number: int = 1) -> None:
        for _ in range(number):
            self.logger.info("it came", extra=CAME)
            self.logger.info("it left", extra=LEFT)

    def shown(self, seconds: float = 0.0) -> list[str]:
        """Let the time pass: the lines that are shown, without the others."""
        self.clock.now += seconds
        run_rounds(self.loop)
        text = self.stream.take().replace("you> ", "")
        return [line for line in text.splitlines() if line and line != "* other"]


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.handler.close()
    made.loop.close()


def test_each_piece_of_news_has_its_line_while_the_screen_is_fast(scene: Scene) -> None:
    scene.visit(MANY)
    assert scene.shown() == ["* it came", "* it left"] * MANY


def test_news_is_merged_while_the_screen_lags(scene: Scene) -> None:
    scene.lag()
    scene.visit(300)
    assert scene.shown(MERGED) == []
    scene.logger.info("it came", extra=CAME)
    assert scene.shown(MERGED) == []
    scene.catch_up()
    assert scene.shown() == ["* +301 came, 300 left"]


def test_news_stays_merged_until_a_second_brings_little(scene: Scene) -> None:
    scene.lag()
    scene.visit(300)
    scene.catch_up()
    assert scene.shown(1) == ["* +300 came, 300 left"]
    scene.visit(200)
    assert scene.shown(0.5) == []
    assert scene.shown(0.5) == ["* +200 came, 200 left"]
    for _ in range(LITTLE):
        scene.logger.info("it came", extra=CAME)
    assert scene.shown(MERGED) == [f"* +{LITTLE} came"]
    scene.visit()
    assert scene.shown() == ["* it came", "* it left"]


def test_all_else_is_shown_in_full(scene: Scene) -> None:
    scene.lag()
    scene.visit()
    scene.logger.info("stopping")
    scene.logger.error("newcomers have to wait")
    scene.screen.message("client 1", b"hello")
    scene.catch_up()
    assert scene.shown() == ["* stopping", "* newcomers have to wait", "client 1> hello"]


def test_at_the_end_the_merged_news_is_shown(scene: Scene) -> None:
    scene.lag()
    scene.logger.info("it left", extra=LEFT)
    scene.handler.flush()
    scene.handler.flush()
    scene.catch_up()
    assert scene.shown() == ["* 1 left"]


def test_a_script_gets_each_line(tty: tuple[int, int]) -> None:
    scene = Scene(lambda output: PlainScreen(output, output, output, names=True), tty[1])
    scene.stream.most = 0  # its reader is slow
    scene.visit(MANY)
    scene.stream.most = None
    assert scene.shown() == ["* it came", "* it left"] * MANY
    scene.loop.close()


def test_an_end_after_an_answer_is_not_merged() -> None:
    here, there = tcp_pair()
    peer = Peer(there)
    fixture = Fixture(Turn.THEIRS, Echo, here, Timeouts())
    assert news_of_end(fixture.connection) == LEFT
    peer.say("hello")
    fixture.until(lambda: fixture.connection.conversation.message_count == 2)
    assert news_of_end(fixture.connection) == {}
    fixture.connection.abort(STOPPED)
    fixture.loop.close()
    peer.close()
