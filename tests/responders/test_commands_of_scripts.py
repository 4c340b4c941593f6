"""The commands of the server, as lines of a script: what each shows, and what it changes."""

import os
from collections.abc import Iterator

import pytest

from tests.support.clock import Clock, run_rounds
from tests.support.frontend import Frontend
from tests.support.peer import Peer
from tests.support.streams import Written
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import PrivateStream
from turnchat.responders.commands import HELP, Commands, first_words
from turnchat.responders.prompt import Entry
from turnchat.responders.script import Script
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.output import LIMIT, Output, plainly
from turnchat.terminal.screen import PlainScreen


class Desk(Frontend):
    """A script that answers at a server, whose lines the test writes."""

    def __init__(self, pipe: tuple[int, int], screen: int) -> None:
        self.clock = Clock()
        super().__init__(EventLoop(clock=self.clock))
        self.output = Written(screen)
        output = Output(self.loop, self.output, "screen", plainly)
        self.screen = PlainScreen(output, output, output, names=True)
        self.input = os.dup(pipe[1])
        os.set_blocking(pipe[0], False)
        self.keyboard = Keyboard(self.loop, PrivateStream(os.dup(pipe[0])), is_terminal=False)
        self.quits = 0
        self.script = Script(self.loop, self.keyboard, self.screen, quit_server=self.quit)
        self.sessions = self.script
        self.script.start()

    def quit(self) -> None:
        self.quits += 1

    def joins(self, text: str | None = None) -> Peer:
        """Have a client come, and say something if there is a text."""
        peer = self.begin(f"client {len(self.peers) + 1}")
        before = len(self.script.waiting)
        if text is not None:
            peer.say(text)
            self.until(lambda: len(self.script.waiting) > before)
        return peer

    def writes(self, *lines: str) -> list[str]:
        """Write lines of the script: what was shown since the last time."""
        os.write(self.input, "".join(f"{line}\n" for line in lines).encode())
        return self.shown()

    def shown(self) -> list[str]:
        run_rounds(self.loop, 4)
        return self.output.take().splitlines()

    def ends(self) -> list[str]:
        """End the script: what was shown."""
        os.close(self.input)
        self.input = -1
        return self.shown()

    def close(self) -> None:
        self.script.close()
        super().close()
        self.keyboard.close()
        self.screen.close()
        if self.input >= 0:
            os.close(self.input)
        self.loop.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    pipe, (master, slave) = os.pipe(), os.openpty()
    made = Desk(pipe, slave)
    os.close(pipe[1])
    yield made
    made.close()
    for descriptor in (pipe[0], master, slave):
        os.close(descriptor)


# What is shown


def test_who_without_clients(desk: Desk) -> None:
    assert desk.writes("/who") == ["* no client is connected"]


def test_who_shows_each_conversation_with_the_time_of_its_turn(desk: Desk) -> None:
    desk.joins()
    desk.clock.now += 5
    run_rounds(desk.loop)
    desk.joins("hello")
    desk.clock.now += 60
    assert desk.writes("/who")[1:] == [
        "* client 1  192.0.2.1:5  its turn for 1 min 5 s",
        '* client 2  192.0.2.2:5  your turn for 1 min 0 s  "hello"',
    ]
    desk.writes("answer")
    desk.clock.now += 2
    assert desk.writes("/who")[1:] == ["* client 2  192.0.2.2:5  its turn for 2.0 s"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, 'queued: "line 0"'),
        (3, 'queued: "line 0", "line 1", "line 2"'),
        (5, 'queued: "line 0", "line 1", "line 2", and 2 more'),
    ],
)
def test_who_shows_the_first_queued_lines(desk: Desk, number: int, words: str) -> None:
    desk.joins()
    for one in range(number):
        text = b"line %d" % one
        desk.script.sessions[0].queued.append(Entry(Line(1, text, len(text)), is_shown=False))
    assert desk.writes("/who") == [f"* client 1  192.0.2.1:5  its turn for 0.0 s  {words}"]


@pytest.mark.parametrize("size", [0, 1, 23, 24])
def test_a_short_message_is_shown_whole(size: int) -> None:
    assert first_words(b"x" * size) == "x" * size


@pytest.mark.parametrize("size", [25, 255])
def test_of_a_long_message_the_first_words_are_shown(size: int) -> None:
    assert first_words(b"x" * size) == "x" * 21 + "..."


def test_last_shows_the_present_message_again(desk: Desk) -> None:
    assert desk.writes("/last") == ["* no client waits for an answer"]
    desk.joins("hello")
    assert desk.writes("/last") == 2 * ["client 1> hello"]
    assert desk.writes("answer", "/last") == ["* no client waits for an answer"]


def test_help_shows_each_command(desk: Desk) -> None:
    assert desk.writes("/help") == [f"* {line}" for line in HELP.splitlines()]


# What is changed


def test_to_puts_a_client_first_that_waits(desk: Desk) -> None:
    peers = [desk.joins("hello"), desk.joins("hello"), desk.joins()]
    desk.writes("/to 2", "for the second")
    assert peers[1].hear() == "for the second"
    error = "* client 3 does not wait: it has the turn"
    assert desk.writes("/to 3", "/to 4") == [error, "* there is no client 4"]
    desk.writes("for the first")
    assert peers[0].hear() == "for the first"


def test_next_moves_the_present_one_behind_the_others(desk: Desk) -> None:
    first = desk.joins("hello")
    desk.shown()
    assert desk.writes("/next") == ["* no other client waits"]
    second = desk.joins("hello")
    assert desk.writes("/next", "for the second", "for the first") == ["client 2> hello"]
    assert first.hear() == "for the first"
    assert second.hear() == "for the second"


def test_bye_ends_the_present_conversation(desk: Desk) -> None:
    first, second = desk.joins("hello"), desk.joins("hello")
    desk.writes("/bye", "for the second")
    assert first.hear() == "BYEBYE"
    assert second.hear() == "for the second"


def test_kick_hangs_up(desk: Desk) -> None:
    first, second = desk.joins("hello"), desk.joins("hello")
    desk.writes("/kick 1", "for the second")
    assert first.hears_the_end()
    assert second.hear() == "for the second"
    assert desk.writes("/kick 9") == ["* there is no client 9"]


def test_drop_forgets_the_queued_lines_of_one_or_of_all(desk: Desk) -> None:
    for _ in range(3):
        desk.joins()
        entry = Entry(Line(1, b"x", 1), is_shown=False)
        desk.script.sessions[-1].queued.extend([entry, entry])
    assert desk.writes("/drop 9") == ["* there is no client 9"]
    desk.script.sessions[0].queued.pop()
    assert desk.writes("/drop 1") == ["* 1 queued line dropped"]
    assert desk.writes("/drop") == ["* 4 queued lines dropped"]
    assert desk.writes("/drop") == ["* 0 queued lines dropped"]


def test_quit_gives_up_the_lines_behind_it(desk: Desk) -> None:
    desk.joins("hello")
    desk.shown()
    assert desk.writes("/quit", "not sent") == ["* what is left of the input was not sent"]
    assert desk.quits
    assert desk.script.status == os.EX_OK


def test_the_time_of_a_turn_begins_with_the_message(desk: Desk) -> None:
    peer = desk.joins()
    desk.clock.now += 60
    peer.say("at last")
    desk.until(lambda: desk.script.waiting)
    desk.shown()
    desk.clock.now += 7
    assert desk.writes("/who") == ['* client 1  192.0.2.1:5  your turn for 7.0 s  "at last"']


# The words of a line


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/nothing", "/nothing is not a command; /help lists them, // sends a /"),
        ("/", "/ is not a command; /help lists them, // sends a /"),
        ("/who 1", "/who 1 is not a command; /help lists them, // sends a /"),
        ("/to", "/to needs the number of a client, as /who shows it"),
        ("/to x", "/to needs the number of a client, as /who shows it"),
        ("/to ²", "/to needs the number of a client, as /who shows it"),
        ("/to -1", "/to needs the number of a client, as /who shows it"),
        ("/kick", "/kick needs the number of a client, as /who shows it"),
        ("/drop x", "/drop needs the number of a client, as /who shows it"),
    ],
)
def test_a_command_that_there_is_not_ends_the_script(desk: Desk, text: str, why: str) -> None:
    peer = desk.joins("hello")
    desk.writes("answer")
    assert peer.hear() == "answer"
    assert desk.writes(text) == [f"* line 2 of the input was not sent: {why}"]
    assert desk.script.status == os.EX_DATAERR
    assert desk.quits == 1


def test_two_slashes_send_one(desk: Desk) -> None:
    peer = desk.joins("hello")
    desk.writes("//who")
    assert peer.hear() == "/who"


def test_the_first_slash_of_two_is_not_counted(desk: Desk) -> None:
    peer = desk.joins("hello")
    desk.writes("/" + "/" * 255)
    assert peer.hear() == "/" * 255


def test_the_others_are_counted(desk: Desk) -> None:
    desk.joins("hello")
    desk.shown()
    why = "the message has 256 bytes, 255 is the most"
    assert desk.writes("/" + "/" * 256) == [f"* line 1 of the input was not sent: {why}"]


def test_a_space_behind_a_command_does_not_matter(desk: Desk) -> None:
    assert desk.writes("/who ", "/drop  ") == [
        "* no client is connected",
        "* 0 queued lines dropped",
    ]


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("", []),
        ("h", []),
        ("/h", ["/help"]),
        ("/to", ["/to "]),
        ("/", ["/bye", "/drop", "/help", "/kick_", "/last", "/next", "/quit", "/to_", "/who"]),
        ("/to ", ["/to 2", "/to 3"]),
        ("/to 3", ["/to 3"]),
        ("/kick ", ["/kick 1", "/kick 2", "/kick 3"]),
        ("/drop ", ["/drop 1", "/drop 2", "/drop 3"]),
        ("/who ", []),
    ],
)
def test_a_command_is_completed_by_those_that_there_are(
    desk: Desk, text: str, completed: list[str]
) -> None:
    for message in (None, "hello", "hello"):
        desk.joins(message)
    commands = Commands(desk.script, desk.quit)
    assert commands.complete(text) == [one.replace("_", " ") for one in completed]


# The script of a server


def test_a_script_without_a_line_is_a_mistake(desk: Desk) -> None:
    error = "* there are no answers: standard input ended without a line"
    assert desk.ends() == [error]
    assert desk.script.status == 2
    assert desk.quits == 1


def test_a_script_that_has_ended_says_byebye_to_those_that_wait(desk: Desk) -> None:
    first, second = desk.joins("hello"), desk.joins("hello")
    desk.writes("answer")
    desk.ends()
    assert first.hear() == "answer"
    assert second.hear() == "BYEBYE"
    assert desk.script.status == os.EX_OK
    assert desk.quits == 1


def test_no_line_is_sent_while_messages_cannot_be_shown(desk: Desk) -> None:
    peer = desk.joins("hello")
    desk.output.most = 0
    while desk.screen.is_writable:
        desk.screen.message("client 9", b"x" * (LIMIT // 4))
    desk.writes("answer")
    assert len(desk.script.waiting) == 1
    desk.output.most = None
    desk.until(lambda: not desk.script.waiting)
    assert peer.hear() == "answer"


def test_a_screen_that_fails_ends_the_script(desk: Desk) -> None:
    peer = desk.joins("hello")
    desk.output.breaks = True
    desk.screen.message("client 9", b"x")
    desk.shown()
    assert desk.script.status == os.EX_IOERR
    assert peer.hear() == "BYEBYE"
    assert desk.quits == 1
