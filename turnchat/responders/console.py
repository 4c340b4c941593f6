"""A person, or a script, who answers with lines from standard input.

Theory of operation. Each conversation has a Seat at the console. The seats whose turn is ours wait
in the order in which their messages came, and the first of them is asked: it gets the prompt. What
is typed at a prompt is for that seat and no other. One line goes out a turn; lines beyond it are
kept in the seat for the turns to come, and thrown away, which is said, if its peer leaves. What is
typed while nobody has ever been asked is for whoever is asked first.

A prompt is opened at the end of a round, when all that the round brought has been shown. A script
has no prompts: its lines are taken one at a time, each for the first who waits.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from os import EX_DATAERR, EX_IOERR, EX_OK

from turnchat.connection import Connection
from turnchat.conversation import BYEBYE, OURS, THEIRS
from turnchat.ending import Ending
from turnchat.frame import BODY_LIMIT, BodyTooLong
from turnchat.keyboard import Keyboard
from turnchat.lines import Line
from turnchat.loop import EventLoop
from turnchat.screen import Plain
from turnchat.stream import Stream
from turnchat.text import counted, reason

KEPT_LIMIT = 128  # lines typed ahead, in all seats together


class Seat:
    """One conversation's place at the console: its responder.

    kept: what to do in its next turns, one a turn. since: when the turn changed last.
    """

    def __init__(self, console: "Console", connection: Connection) -> None:
        self.connection = connection
        self.kept: deque[Action] = deque()
        self.since = connection.started
        self._console = console

    @property
    def is_ours(self) -> bool:
        """Whether the turn is ours."""
        return self.connection.conversation.turn is OURS

    @property
    def is_theirs(self) -> bool:
        """Whether the turn is the peer's."""
        return self.connection.conversation.turn is THEIRS

    def heard(self, body: bytes) -> None:
        self._console.screen.message(self.connection.name, body)

    def turn(self) -> None:
        self._console.ask(self)

    def ended(self, _ending: Ending) -> None:
        self._console.leave(self)


Action = Callable[[Seat], None]


class Console:
    """Takes lines and gives them to the conversations. This one is the client's.

    screen: where everything is shown. status: what to exit with, if it is not EX_OK.
    seats: the conversations. waiting: those whose turn is ours, the first to be asked in front.
    """

    def __init__(self, loop: EventLoop, stdin: Stream, screen: Plain, is_terminal: bool) -> None:
        self.screen = screen
        self.status = EX_OK
        self.seats: list[Seat] = []
        self.waiting: deque[Seat] = deque()
        self._loop = loop
        self._is_terminal = is_terminal
        self._keyboard = Keyboard(loop, stdin, is_terminal, self.go_on)
        self._asked: Seat | None = None  # whoever was asked last, unless that peer has left
        self._kept: deque[Action] = deque()  # typed for whoever will be asked
        self._at_prompt = False  # whether the line in hand was typed at the prompt
        self._has_ended = False  # whether input_ended() was called
        self._notes: list[str] = []  # to be shown at the end of the round
        self._soon = loop.deadline("console", self._go_on)
        screen.notify(self.go_on, self._cannot_show)

    def start(self) -> None:
        """Begin to read, and take what is there already."""
        self._keyboard.start()
        self._go_on()

    def close(self) -> None:
        """Read no more. What was typed and not sent goes to nobody, and not to the shell either."""
        self.screen.close_prompt(entered=False)
        self._show_notes()
        self._keyboard.discard()
        self._keyboard.close()
        self._soon.cancel()

    def seat(self, connection: Connection) -> Seat:
        """A place for a new conversation."""
        seat = Seat(self, connection)
        self.seats.append(seat)
        return seat

    def ask(self, seat: Seat) -> None:
        """It is our turn in this conversation."""
        seat.since = self._loop.now
        self.waiting.append(seat)
        self.go_on()

    def leave(self, seat: Seat) -> None:
        """This conversation is over."""
        self.seats.remove(seat)
        if seat in self.waiting:
            self.waiting.remove(seat)
        if seat is self._asked:
            self._asked = None
            if self.screen.prompting:
                self.screen.close_prompt(entered=False)
                self._keyboard.discard()
                self._notes.append("what you had typed was discarded")
        if seat.kept:
            self._notes.append(f"typed ahead and not sent: {counted(len(seat.kept), 'line')}")
        self.go_on()

    def go_on(self) -> None:
        """Something has come: see at the end of the round how far it leads."""
        self._soon.set(0)

    def end_input(self, status: int) -> None:
        """Take no more lines, and exit with `status` in the end."""
        self.status = status
        self._kept.clear()
        self._keyboard.end()
        self.go_on()

    @property
    def has_lines_left(self) -> bool:
        """Whether there are lines that were not sent."""
        return bool(self._kept) or self._keyboard.has_lines

    # What is different at the server

    def prompt(self, _seat: Seat) -> str:
        """What stands in front of a line."""
        return "you> "

    def take(self, line: Line) -> None:
        """Decide what is to be done with a line."""
        self.keep_message(line)

    def input_ended(self) -> None:
        """All lines were taken, and no more will come: BYEBYE follows in our next turn."""
        if self._is_terminal and any(seat.is_theirs for seat in self.seats):
            self.screen.status("BYEBYE follows in your next turn")

    # What can be done with a line

    def keep_message(self, line: Line) -> None:
        """Say it in a turn to come."""
        if line.size > BODY_LIMIT:
            self.refuse(line, str(BodyTooLong(line.size)))
        elif problem := _not_text(line.text):
            self.refuse(line, problem)
        else:
            self.keep(partial(self._say, line.text, self._at_prompt))

    def keep(self, action: Action) -> None:
        """Do it in a turn to come: that of the seat at whose prompt it was typed."""
        (self._asked.kept if self._asked else self._kept).append(action)

    def refuse(self, line: Line, why: str) -> None:
        """Nothing can be done with it. A person may type another line, a script may not."""
        if self._is_terminal:
            self.screen.error(f"not sent: {why}")
        else:
            self.screen.error(f"line {line.number} of the input was not sent: {why}")
            self.end_input(EX_DATAERR)

    def say_byebye(self, seat: Seat) -> None:
        """End this conversation, whose turn is ours."""
        self._say(BYEBYE, True, seat)

    # At the end of a round

    def _go_on(self) -> None:
        self._show_notes()
        self._take_lines()
        has_acted = False
        while (seat := self._first()) and self.screen.has_room:
            action = self._next_action(seat)
            if not action:
                break
            action(seat)
            self._take_lines()
            has_acted = True
        if has_acted:
            self.go_on()  # let the news that this makes be shown before the next prompt
        elif seat and self.screen.has_room:
            self._ask(seat)
        if self._is_done and not self._has_ended:
            self._has_ended = True
            self._input_ended()

    @property
    def _is_done(self) -> bool:
        """Whether there will be no more lines, and a script's have all been used."""
        return self._keyboard.is_exhausted and (self._is_terminal or not self._kept)

    def _first(self) -> Seat | None:
        """Whoever is to be asked next; not one to whom BYEBYE was said in our place meanwhile."""
        while self.waiting and not self.waiting[0].is_ours:
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None

    def _show_notes(self) -> None:
        for note in self._notes:
            self.screen.status(note)
        self._notes.clear()

    def _take_lines(self) -> None:
        """A person's lines are taken as they come; a script's next one, when the last has gone."""
        while self._has_use_for_a_line and (line := self._keyboard.take()):
            self._at_prompt = self.screen.prompting
            self.screen.close_prompt(entered=True)
            if line.size or not self._is_terminal:
                self.take(line)
        if self._keyboard.is_exhausted:
            self.screen.close_prompt(entered=False)

    @property
    def _has_use_for_a_line(self) -> bool:
        if not self._is_terminal:
            return not self._kept
        return len(self._kept) + sum(len(seat.kept) for seat in self.seats) < KEPT_LIMIT

    def _next_action(self, seat: Seat) -> Action | None:
        for kept in seat.kept, self._kept:
            if kept:
                return kept.popleft()
        return self.say_byebye if self._keyboard.is_exhausted else None

    def _say(self, body: bytes, has_been_seen: bool, seat: Seat) -> None:
        self.waiting.remove(seat)
        seat.since = self._loop.now
        if not has_been_seen:
            self.screen.said(self.prompt(seat), body)
        seat.connection.say(body)

    def _ask(self, seat: Seat) -> None:
        if not self.screen.prompting:
            self._asked = seat if self._is_terminal else None
            self.screen.open_prompt(self.prompt(seat), len(self.waiting) - 1)

    def _input_ended(self) -> None:
        if error := self._keyboard.error:
            self.status = EX_IOERR
            self.screen.error(f"cannot read the input: {reason(error)}")
        self.input_ended()

    def _cannot_show(self, error: OSError) -> None:
        """What peers say can be shown no longer. To go on would be to answer blindly."""
        self.screen.error(f"cannot write to standard output: {reason(error)}")
        self.end_input(EX_IOERR)


def _not_text(octets: bytes) -> str:
    """What keeps `octets` from being UTF-8 text, or nothing."""
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        return f"octet {error.start} ({octets[error.start]:#04x}) is not UTF-8"
    return ""
