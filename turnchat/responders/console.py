"""A person who answers at a terminal.

The first session that waits is asked for: it gets the prompt at the end of a round, when everything
that the round brought has been shown. A typed line is meant for the session that was asked for
last, or for the first one to be asked for. One line goes out a turn; more are queued in that
session for its next turns.

When another session is asked for, or the peer leaves, the half-typed line is discarded. So is
everything typed after it until Enter or a pause: it must not reach another peer.
"""

from collections import deque
from functools import partial

from turnchat.core.conversation import THEIRS
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.responders.sessions import Action, Session, Sessions, problem_with
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.screen import PlainScreen
from turnchat.text import counted

QUEUE_LIMIT = 128  # lines typed ahead, in all sessions together
PAUSE = 1.0  # seconds without a key, after which the person has noticed


class Console(Sessions):
    """Lines that a person types. queued: actions for the session that is asked for first."""

    def __init__(self, loop: EventLoop, keyboard: Keyboard, screen: PlainScreen) -> None:
        super().__init__(loop, keyboard, screen)
        self.queued: deque[Action] = deque()
        self._keyboard = keyboard
        self._asked: Session | None = None  # asked for last, and still there
        self._notes: list[str] = []  # to be shown at the end of the round
        self._pause = loop.timer("pause in typing", self._look_again)

    # For a subclass to define

    def prompt(self, session: Session) -> str:
        """Return the text in front of a line for this session."""
        raise NotImplementedError

    def take(self, line: Line, *, at_prompt: bool) -> None:
        """Act on a line, or queue it. `at_prompt`: it was typed at an open prompt."""
        raise NotImplementedError

    def report_queued(self) -> None:
        """Show which lines are queued, if that has changed: needless where there is one session."""

    # For the frontend and the sessions

    def close(self) -> None:
        self.screen.close_prompt(entered=False)
        super().close()
        self._show_notes()
        self._pause.cancel()

    def remove(self, session: Session) -> None:
        super().remove(session)
        if session is self._asked:
            self._asked = None
            self.screen.close_prompt(entered=False)
            self._discard()
        self._note_unsent(len(session.queued))

    def abandon_input(self) -> None:
        self._note_unsent(self.count_queued())
        for queued in self.queued, *(session.queued for session in self.sessions):
            queued.clear()
        self._keyboard.end()
        self.wake()

    # For the subclasses

    def queue_message(self, line: Line, *, at_prompt: bool) -> None:
        """Send a line in a turn to come."""
        if problem := problem_with(line):
            self.refuse(problem)
        elif self.count_queued() >= QUEUE_LIMIT:
            self.refuse(f"{QUEUE_LIMIT} lines wait to be sent already")
        else:
            self.queue(partial(self._send_line, line.text, at_prompt))

    def queue(self, action: Action) -> None:
        """Act in a turn to come of the session that the line was typed for."""
        (self._asked.queued if self._asked else self.queued).append(action)

    def refuse(self, why: str) -> None:
        """Say why a line is not sent. The person may type another."""
        self.screen.error(f"not sent: {why}")

    def count_queued(self) -> int:
        """Count the lines that wait for a turn."""
        return len(self.queued) + sum(len(session.queued) for session in self.sessions)

    # At the end of a round

    def _advance(self) -> None:
        self._show_notes()
        self._take_lines()
        has_acted = False
        while (session := self.first()) and (action := self._next_action(session)):
            action(session)
            self._take_lines()
            has_acted = True
        if has_acted:
            self.wake()  # the status lines that this makes are shown before the next prompt
        else:
            self.report_queued()
            if session:
                self._ask_for(session)
        self.look_for_the_end()

    def _show_notes(self) -> None:
        for note in self._notes:
            self.screen.status(note)
        self._notes.clear()

    def _note_unsent(self, number: int) -> None:
        if number:
            self._notes.append(f"{counted(number, 'line')} typed ahead: not sent")

    def _take_lines(self) -> None:
        while line := self._keyboard.take():
            at_prompt = self.screen.is_prompting
            self.screen.close_prompt(entered=True)
            if self._pause.is_active:
                self._pause.cancel()  # the rest of the line that was discarded
            elif line.size:
                self.take(line, at_prompt=at_prompt)
        if self._keyboard.is_exhausted:
            self.screen.close_prompt(entered=False)

    def _next_action(self, session: Session) -> Action | None:
        if self.queued:  # lines typed before a session was asked for
            self._asked = session
            session.queued += self.queued
            self.queued.clear()
        if session.queued:
            return session.queued.popleft()
        return self.send_byebye if self._keyboard.is_exhausted else None

    def _send_line(self, body: bytes, was_seen: bool, session: Session) -> None:
        if not was_seen:
            self.screen.sent(self.prompt(session), body)
        self.send(body, session)

    def _ask_for(self, session: Session) -> None:
        """Open the prompt, if the screen is ready for it, and the person."""
        if self.screen.is_prompting or not self.screen.is_drained or self._pause.is_active:
            return
        if self._asked not in (None, session):
            self._let_go()
            return
        self._asked = session
        self.screen.open_prompt(self.prompt(session), waiting=len(self.waiting) - 1)

    def _let_go(self) -> None:
        """Turn away from the session asked for last, which keeps the lines that were entered."""
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
        """Go on when the person has stopped typing a line that is discarded."""
        if self._keyboard.discard():
            self._pause.start(PAUSE)
        else:
            self.wake()


class ClientConsole(Console):
    """The person at the client: one session, and every line is a message."""

    def prompt(self, _session: Session) -> str:
        return "you> "

    def take(self, line: Line, *, at_prompt: bool) -> None:
        self.queue_message(line, at_prompt=at_prompt)

    def on_input_end(self) -> None:
        if all(session.connection.conversation.turn is not THEIRS for session in self.sessions):
            return  # BYEBYE is sent at once
        if queued := self.count_queued():
            self.screen.status(f"BYEBYE follows after the {counted(queued, 'line')} typed ahead")
        else:
            self.screen.status("BYEBYE follows in your next turn")
