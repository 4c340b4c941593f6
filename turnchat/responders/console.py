"""Whoever answers with lines: a person at a terminal, or a script.

Theory of operation. Each conversation has a Seat at the console. The seats whose turn is ours wait
in the order in which their messages came. The first of them is asked for: at the end of a round,
when all that the round brought has been shown, it gets the prompt. A script's lines are taken one
at a time, each for the first seat that waits.

What a person types is meant for the seat that was asked for last, or the first to be asked for.
One line goes out a turn; more lines are kept in that seat for its next turns. When another seat is
asked for, or the peer leaves, what is half typed is discarded, and so is what the person goes on
typing, until Enter or a pause: it must not reach anybody else.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from os import EX_DATAERR, EX_IOERR, EX_OK

from turnchat.core.connection import Connection
from turnchat.core.conversation import BYEBYE, OURS
from turnchat.core.ending import CloseReason
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.output import nothing
from turnchat.terminal.screen import ScriptScreen
from turnchat.text import counted, not_utf8, reason

KEPT_LIMIT = 128  # lines typed ahead, in all seats together
PAUSE = 1.0  # seconds without a key after which a person is taken to have noticed


class Session:
    """One conversation's place at the console: its responder.

    kept: what to do in its next turns, one a turn. since: when the turn changed last.
    """

    is_automatic = False

    def __init__(self, console: "Console", connection: Connection) -> None:
        self.connection = connection
        self.queued: deque[Action] = deque()
        self.since = connection.started
        self._console = console

    @property
    def is_ours(self) -> bool:
        """Whether the turn is ours."""
        return self.connection.conversation.turn is OURS

    def heard(self, body: bytes) -> None:
        self._console.screen.message(self.connection.name, body)

    def turn(self) -> None:
        self._console.queue(self)

    def ended(self, _ending: CloseReason) -> None:
        self._console.leave(self)


Action = Callable[[Session], None]


class Console:
    """Takes lines, and gives them to the conversations. Its heirs say what lines mean.

    screen: where everything is shown. status: what to exit with, unless there is a graver reason.
    seats: the conversations. waiting: those whose turn is ours, the first to be asked for in front.
    kept: what to do for whoever is asked for first.
    """

    def __init__(self, loop: EventLoop, keyboard: Keyboard, screen: ScriptScreen) -> None:
        self.screen = screen
        self.status = EX_OK
        self.sessions: list[Session] = []
        self.waiting: deque[Session] = deque()
        self.is_person = keyboard.is_terminal
        self.loop = loop
        self._keyboard = keyboard
        self._asked: Session | None = None  # asked for last, and still there
        self.queued: deque[Action] = deque()
        self._has_ended = False  # the input, and it was said
        self._notes: list[str] = []  # to be shown at the end of the round
        self._soon = loop.timer("console", self._advance)
        self._pause = loop.timer("pause in typing", self._look_again)
        keyboard.on_input = self.wake
        screen.notify(self.wake, self._cannot_show)

    # What an heir decides

    def prompt(self, session: Session) -> str:
        """What stands in front of a line for this seat."""
        raise NotImplementedError

    def take(self, line: Line, at_prompt: bool) -> None:
        """Do with a line what it says, or keep it. `at_prompt`: it was seen behind the prompt."""
        raise NotImplementedError

    def input_ended(self) -> None:
        """No more lines will come, and all were taken. Conversations will hear BYEBYE."""
        raise NotImplementedError

    # What the outside does

    def start(self) -> None:
        """Begin to read, and take what is there already."""
        self._keyboard.read()
        self._advance()

    def close(self) -> None:
        """Take no more lines."""
        self.screen.close_prompt(entered=False)
        self.give_up_lines()
        self._show_notes()
        self._soon.cancel()
        self._pause.cancel()
        self._keyboard.on_input = nothing
        self.screen.notify(nothing, nothing)

    def session(self, connection: Connection) -> Session:
        """A place for a new conversation."""
        self.sessions.append(Session(self, connection))
        return self.sessions[-1]

    def queue(self, session: Session) -> None:
        """It is our turn in this conversation."""
        session.since = self.loop.now
        self.waiting.append(session)
        self.wake()

    def leave(self, session: Session) -> None:
        """This conversation is over."""
        self.sessions.remove(session)
        if session in self.waiting:
            self.waiting.remove(session)
        if session is self._asked:
            self._asked = None
            self.screen.close_prompt(entered=False)
            self._discard()
        self._note_unsent(len(session.queued))
        self.wake()

    def wake(self) -> None:
        """Something has come: see at the end of the round how far it leads."""
        self._soon.start(0)

    # What can be done with a line

    def keep_message(self, line: Line, at_prompt: bool) -> None:
        """Say it in a turn to come."""
        if line.size > BODY_LIMIT:
            self.refuse(line, str(BodyTooLong(line.size)))
        elif problem := not_utf8(line.text):
            self.refuse(line, problem)
        elif self.is_person and self.count_kept() >= KEPT_LIMIT:
            self.refuse(line, f"{KEPT_LIMIT} lines wait to be sent already")
        else:
            self.keep(partial(self._say, line.text, at_prompt))

    def keep(self, action: Action) -> None:
        """Do it in a turn to come of the seat that it was typed for."""
        (self._asked.queued if self._asked else self.queued).append(action)

    def refuse(self, line: Line, why: str) -> None:
        """Nothing can be done with it. A person may type another line; a script has failed."""
        if self.is_person:
            self.screen.error(f"not sent: {why}")
        else:
            self.screen.error(f"line {line.number} of the input was not sent: {why}")
            self.status = EX_DATAERR
            self.give_up_lines()

    def say_byebye(self, session: Session) -> None:
        """End this conversation, in which it is our turn."""
        self._say(BYEBYE, True, session)

    def count_kept(self) -> int:
        """How many lines wait for a turn."""
        return len(self.queued) + sum(len(session.queued) for session in self.sessions)

    def give_up_lines(self) -> None:
        """Send nothing any more of what was typed ahead, or is left of a script."""
        if self.is_person:
            self._note_unsent(self.count_kept())
        elif self.queued or self._keyboard.has_lines:
            self._notes.append("what is left of the input was not sent")
        for queued in self.queued, *(session.queued for session in self.sessions):
            queued.clear()
        self._keyboard.end()
        self.wake()

    # At the end of a round

    def _advance(self) -> None:
        self._show_notes()
        self._take_lines()
        has_acted = False
        while (session := self._first()) and (action := self._next_action(session)):
            action(session)
            self._take_lines()
            has_acted = True
        if has_acted:
            self.wake()  # let the news that this makes be shown before the next prompt
        else:
            self.tell_kept()
            if session:
                self._ask_for(session)
        self._look_for_the_end()

    def tell_kept(self) -> None:
        """Show what is new about the lines that are kept: nothing, where there is one seat."""

    def _show_notes(self) -> None:
        for note in self._notes:
            self.screen.status(note)
        self._notes.clear()

    def _note_unsent(self, number: int) -> None:
        if number:
            self._notes.append(f"{counted(number, 'line')} typed ahead: not sent")

    def _take_lines(self) -> None:
        while (self.is_person or not self.queued) and (line := self._keyboard.take()):
            at_prompt = self.screen.prompting
            self.screen.close_prompt(entered=True)
            if self._pause.is_active:
                self._pause.cancel()  # the rest of what was discarded
            elif line.size or not self.is_person:
                self.take(line, at_prompt)
        if self._keyboard.is_exhausted:
            self.screen.close_prompt(entered=False)

    def _first(self) -> Session | None:
        """The seat to be served next. Not one to which BYEBYE was said in our place meanwhile."""
        while self.waiting and not self.waiting[0].is_ours:
            self.waiting.popleft()
        return self.waiting[0] if self.waiting and self.screen.is_writable else None

    def _next_action(self, session: Session) -> Action | None:
        if self.is_person and self.queued:
            self._asked = session  # by what was typed before anyone was asked for
            session.queued += self.queued
            self.queued.clear()
        if queued := session.queued or self.queued:
            return queued.popleft()
        return self.say_byebye if self._keyboard.is_exhausted else None

    def _say(self, body: bytes, has_been_seen: bool, session: Session) -> None:
        self.waiting.remove(session)
        session.since = self.loop.now
        if not has_been_seen:
            self.screen.said(self.prompt(session), body)
        session.connection.say(body)

    def _ask_for(self, session: Session) -> None:
        """Open the prompt, if the screen is ready for it, and the person."""
        if self.screen.prompting or not self.screen.is_drained or self._pause.is_active:
            return
        if self.is_person and self._asked not in (None, session):
            self._let_go()
            return
        self._asked = session if self.is_person else None
        self.screen.open_prompt(self.prompt(session), in_use=len(self.waiting) - 1)

    def _let_go(self) -> None:
        """Turn away from the seat asked for last. It keeps the lines that have been entered."""
        self._keyboard.read()
        self._take_lines()
        self._asked = None
        self._discard()
        self.wake()

    def _discard(self) -> None:
        if self._keyboard.discard():
            self._notes.append("what you had typed was discarded")
            self._pause.start(PAUSE)

    def _look_again(self) -> None:
        """Whether the person has stopped typing what nobody gets."""
        if self._keyboard.discard():
            self._pause.start(PAUSE)
        else:
            self.wake()

    def _look_for_the_end(self) -> None:
        is_done = self._keyboard.is_exhausted and (self.is_person or not self.queued)
        if is_done and not self._has_ended:
            self._has_ended = True
            if error := self._keyboard.error:
                self.status = EX_IOERR
                self.screen.error(f"cannot read the input: {reason(error)}")
            self.input_ended()

    def _cannot_show(self, error: OSError) -> None:
        """What peers say can be shown no longer. To go on would be to answer blindly."""
        self.screen.error(f"cannot write to standard output: {reason(error)}")
        self.status = EX_IOERR
        self.give_up_lines()
