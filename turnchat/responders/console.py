"""A person who answers at a terminal.

A line is taken at the end of a round, when everything that the round brought has been shown. It is
sent at once, or queued in its session: one line goes out a turn. The person sees which lines are
queued, and can take the newest back.
"""

from collections import deque
from collections.abc import Sequence
from os import EX_IOERR

from turnchat.core.connection import Connection
from turnchat.core.conversation import THEIRS
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.responders.prompt import Ask, Entry, Prompt
from turnchat.responders.sessions import Session, Sessions, problem_with
from turnchat.terminal.screen import PlainScreen
from turnchat.text import counted

QUEUE_LIMIT = 128  # lines typed ahead, in all sessions together


class Console(Sessions):
    """Lines that a person types. early: those queued before there is a session."""

    def __init__(self, loop: EventLoop, prompt: Prompt, screen: PlainScreen) -> None:
        super().__init__(loop, prompt, screen)
        self.early: deque[Entry] = deque()
        self._prompt = prompt
        self._notes: list[str] = []  # to be shown at the end of the round

    # For a subclass to define

    def prompt(self, session: Session) -> str:
        """Return the text in front of a line for this session."""
        raise NotImplementedError

    def queued_prompt(self, session: Session | None) -> str:
        """Return the text in front of a line that is shown as queued."""
        raise NotImplementedError

    def addressee(self) -> Session | None:
        """Return the session that a line is meant for."""
        raise NotImplementedError

    def run(self, entry: Entry, session: Session) -> None:
        """Act on a line in a turn of its session."""
        self.show_line(entry, self.prompt(session))
        self.send(entry.line.text, session)

    def move_on(self) -> bool:
        """Turn to the session to be served next. True if lines for the former one were sent."""
        return False

    def ask(self) -> Ask:
        """Return what to ask the person for."""
        raise NotImplementedError

    # For the frontend and the sessions

    def start(self) -> None:
        self._prompt.start(self)
        self._advance()

    def close(self) -> None:
        self._show_notes()  # those that this round has made, in front of the line in the editor
        super().close()
        self._show_notes()

    def remove(self, session: Session) -> None:
        super().remove(session)
        self.note_unsent(self.drop_queued(session))

    def abandon_input(self) -> None:
        early = len(self.early)
        self.early.clear()
        self.note_unsent(early + sum(self.drop_queued(session) for session in self.sessions))
        self._prompt.end()
        self.wake()

    # For the prompt

    def problem(self, lines: Sequence[Line]) -> str | None:
        waiting = self.count_queued() + self._prompt.entered
        if waiting >= QUEUE_LIMIT:
            return f"{QUEUE_LIMIT} lines wait to be sent already"
        if waiting + len(lines) > QUEUE_LIMIT:
            return f"these are {len(lines)} lines, and {QUEUE_LIMIT - waiting} more may wait"
        for line in lines:
            if problem := self.problem_with(line):
                return f"line {line.number}: {problem}" if len(lines) > 1 else problem
        return None

    def problem_with(self, line: Line) -> str | None:
        """Return why this line cannot be taken, or None."""
        return problem_with(line)

    def is_command(self, _text: str) -> bool:
        return False

    def take_back(self) -> str | None:
        queued = self._queue_of(self.addressee())
        if not queued:
            return None
        self.screen.status("taken back from the queue")
        self.wake()
        return queued.pop().line.text.decode()

    def complete(self, _text: str) -> Sequence[str]:
        return ()

    def jump(self, number: int) -> None:
        """Do nothing: there is one conversation."""

    # For the subclasses

    def queue(self, entry: Entry) -> None:
        """Send a line in the next turn of the session that it was typed for, if not in this one."""
        session = self.addressee()
        queued = self._queue_of(session)
        is_next = session and session.is_ours and not queued and self.screen.is_writable
        if self._prompt.edits and not is_next:
            self.screen.sent(self.queued_prompt(session), entry.line.text)
        queued.append(entry)

    def show_line(self, entry: Entry, prompt: str) -> None:
        """Show a line behind its prompt, unless it stands there already."""
        if not entry.is_shown:
            self.screen.sent(prompt, entry.line.text)

    def take_entries(self) -> bool:
        """Act on the lines that were entered. True if there was anything to do in a turn."""
        has_acted = self._act()
        while entry := self._prompt.take():
            self.take(entry)
            has_acted |= self._act()
        return has_acted

    def _queue_of(self, session: Session | None) -> deque[Entry]:
        return session.queued if session else self.early

    def note_unsent(self, number: int) -> None:
        """Say at the end of the round how many lines were not sent."""
        if number:
            self._notes.append(f"{counted(number, 'line')} typed ahead: not sent")

    def count_queued(self) -> int:
        """Count the lines that wait for a turn."""
        return len(self.early) + sum(len(session.queued) for session in self.sessions)

    # At the end of a round

    def _advance(self) -> None:
        self._show_notes()
        has_acted = self.take_entries() or self.move_on()
        if has_acted:
            self.wake()  # the status lines that this makes are shown before the next prompt
        if self._prompt.edits or not has_acted:
            self._prompt.show(self.ask())
        self.look_for_the_end()

    def take(self, entry: Entry) -> None:
        """Act on a line, or queue it."""
        self.queue(entry)

    def _act(self) -> bool:
        """Send to each session that waits the line that is queued for it. True if there was any."""
        if not self.screen.is_writable:
            return False
        is_over = self._prompt.is_exhausted
        ready = [one for one in self.waiting if (one.queued or is_over) and one.is_ours]
        for session in ready:
            if session.queued:
                self.run(session.queued.popleft(), session)
            else:
                self.send_byebye(session)
        return bool(ready)

    def _show_notes(self) -> None:
        for note in self._notes:
            self.screen.status(note)
        self._notes.clear()


class ClientConsole(Console):
    """The person at the client: one session, and every line is a message."""

    def prompt(self, _session: Session) -> str:
        return "you> "

    def queued_prompt(self, _session: Session | None) -> str:
        return "queued> "

    def addressee(self) -> Session | None:
        return self.sessions[0] if self.sessions else None

    def ask(self) -> Ask:
        queued = self.count_queued()
        note = f"{counted(queued, 'line')} queued" if queued else ""
        session = self.present()
        return Ask(self.prompt(session), is_ready=True, note=note) if session else Ask(note=note)

    def session(self, connection: Connection) -> Session:
        made = super().session(connection)
        made.queued, self.early = self.early, deque()
        return made

    def note_unsent(self, number: int) -> None:
        """Say it; it is an error, unless BYEBYE was said in front of these lines."""
        super().note_unsent(number)
        if number and not self.has_said_byebye:
            self.status = EX_IOERR

    def on_input_end(self) -> None:
        if all(session.connection.conversation.turn is not THEIRS for session in self.sessions):
            return  # BYEBYE is sent at once
        if queued := self.count_queued():
            self.screen.status(f"BYEBYE follows after the {counted(queued, 'line')} typed ahead")
        else:
            self.screen.status("BYEBYE follows in your next turn")
