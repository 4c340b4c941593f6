"""The server's operator: a person at a terminal, with many conversations and commands.

It is a queue at a counter. The present client's message and the prompt for it stand together at the
bottom of the screen. The others wait, and a note lists them. The text that is being typed for a
client is its draft. It leaves the prompt together with the client, and is there again when the
client's turn comes. No other client gets it.

The counter moves on after a pause of the keys. So lines that were pasted, and arrive in pieces, are
all for one client. If the client leaves while a person types, the rest of the line comes before the
next prompt.
"""

from collections.abc import Sequence
from itertools import islice
from math import inf

from turnchat.core.lines import Line
from turnchat.core.loop import Callback, EventLoop
from turnchat.responders.commands import AtOnce, Commands, InTurn, Meaning, NoSuchCommand, go_to
from turnchat.responders.console import Console
from turnchat.responders.prompt import NOTICE, Ask, Entry, Prompt
from turnchat.responders.sessions import Session, problem_with
from turnchat.terminal.draft import Draft
from turnchat.terminal.screen import PlainScreen
from turnchat.text import counted

SETTLE = 0.05  # seconds between the pieces of a paste, at most
NAMED = 20  # clients that a note names at most


class Operator(Console):
    """The person at the server."""

    def __init__(
        self, loop: EventLoop, prompt: Prompt, screen: PlainScreen, quit_server: Callback
    ) -> None:
        super().__init__(loop, prompt, screen)
        self._commands = Commands(self, quit_server)
        self._asked: Session | None = None  # for a line: the one at the counter
        self._turned_at = -inf  # when the prompt changed above a line that stayed
        self._pause = SETTLE  # seconds without a key, before the counter moves on
        self._settle = loop.timer("counter", self._settled)

    def prompt(self, session: Session) -> str:
        return f"you to {session.name}> "

    def addressee(self) -> Session | None:
        return self._asked

    def queued_prompt(self, session: Session | None) -> str:
        return f"queued for {session.name}> " if session else "queued> "

    def close(self) -> None:
        super().close()
        self._settle.cancel()

    def hear(self, session: Session, body: bytes) -> None:
        """Show a message at once only if it cannot be shown together with its prompt."""
        if not self._prompt.edits:
            super().hear(session, body)

    def send(self, body: bytes, session: Session) -> None:
        self._show_message(session)
        super().send(body, session)

    def turn(self) -> None:
        """Turn at once: what is typed after the command is for the new one."""
        if self._prompt.is_asking:
            return  # about lines for the present one
        self._settle.cancel()
        if not self._prompt.edits:
            self._asked = self.present()
        elif self._is_to_turn():
            self._turn_to(self.present())
            self._turned_at = -inf

    def remove(self, session: Session) -> None:
        """Forget a session, and keep what was being typed for it from the next one."""
        self._show_message(session)
        super().remove(session)
        note = None
        if session is self._asked:
            self._asked = None
            self._settle.cancel()
            if self._prompt.has_text or self.loop.now - self._prompt.typed_at < NOTICE:
                self._wait_for_pause(NOTICE)  # the rest of the line may be on its way
            note = self._prompt.set_aside()
        elif session.draft and session.draft.text:
            note = self._prompt.set_aside(session.draft)
        self._notes += [note] if note else []

    def on_input_end(self) -> None:
        self._commands.quit()

    # For the prompt

    def problem(self, lines: Sequence[Line]) -> str | None:
        if problem := super().problem(lines):
            return problem
        is_answer = any(_is_answer(self._meaning(line)) for line in lines)
        if self._asked and is_answer and self.loop.now - self._turned_at < NOTICE:
            self._turned_at = -inf
            again = "press Enter again" if len(lines) == 1 else "paste again"
            return f"the prompt has changed to {self._asked.name}: {again}"
        return None

    def problem_with(self, line: Line) -> str | None:
        try:
            meaning = self._meaning(line)
        except NoSuchCommand as error:
            return str(error)
        if isinstance(meaning, AtOnce):
            return None
        if not self._asked:
            if following := self.present():
                return f"{following.name} is next: press Enter again when its prompt is here"
            return "no client waits for an answer"
        return problem_with(meaning) if isinstance(meaning, Line) else None

    def is_command(self, text: str) -> bool:
        return text.startswith("/") and not text.startswith("//")

    def complete(self, text: str) -> list[str]:
        return self._commands.complete(text)

    def jump(self, number: int) -> None:
        go_to(self, number)
        self.wake()

    def _meaning(self, line: Line) -> Meaning:
        return self._commands.interpret(line)

    # At the end of a round

    def take(self, entry: Entry) -> None:
        meaning = self._meaning(entry.line)
        if not isinstance(meaning, AtOnce):
            self.queue(entry)
            return
        if self._prompt.edits:
            prompt = self.prompt(self._asked) if self._asked else Ask().prompt
            self.screen.sent(prompt, entry.line.text)
        meaning.run()
        self.wake()

    def run(self, entry: Entry, session: Session) -> None:
        meaning = self._meaning(entry.line)
        if _is_answer(meaning):
            self._show_message(session)
        self.show_line(entry, self.prompt(session))
        if isinstance(meaning, Line):
            self.send(meaning.text, session)
            if session is self._asked and self._prompt.edits:
                self._wait_for_pause(SETTLE)
        elif isinstance(meaning, InTurn):
            meaning.run(session)
            if session is self._asked and not meaning.is_answer:
                self.turn()

    def move_on(self) -> bool:
        if self._settle.is_active or self._prompt.is_asking or not self._is_to_turn():
            return False
        if self._asked and not self._asked.connection.is_open:
            return False  # remove() follows in this round, and may wait for a pause
        if not self.screen.is_drained:  # until it shows that the former one is gone
            self.screen.call_when_drained(self.wake)
            return False
        self._prompt.read()  # what was typed until now is for the former one
        if self.take_entries():
            return True
        if self._is_to_turn():
            self._turn_to(self.present())
        return False

    def ask(self) -> Ask:
        session, note = self._asked, self._note()
        if not session or not (session.is_ours or self._prompt.is_asking):
            return Ask(note=note)
        message = None if session.message is None else (session.name, session.message)
        return Ask(self.prompt(session), is_ready=True, message=message, note=note)

    def _is_to_turn(self) -> bool:
        """Return True if another one is at the counter than was asked for last.

        If none is, lines that a terminal edits are still for the last one.
        """
        session = self.present()
        return session is not self._asked and (session is not None or self._prompt.edits)

    def _turn_to(self, session: Session | None) -> None:
        """Swap the drafts. A line stays in the editor if no client waits, or none did before."""
        former, self._asked = self._asked, session
        draft = (session and session.draft) or Draft()
        is_leaving = former is not None and not former.connection.is_open
        if (session or is_leaving) and (former or draft.text):
            left = self._prompt.swap(draft)
            if former:
                former.draft = left
            elif left.text and (note := self._prompt.set_aside(left)):
                self.screen.status(note)
        if is_leaving and not session:
            self._wait_for_pause(NOTICE)
        self._turned_at = self.loop.now if self._prompt.has_text else -inf

    def _show_message(self, session: Session) -> None:
        """Show a message that was only in the block: it is answered, or its client has left."""
        if self._prompt.edits and session.message is not None:
            self.screen.message(session.name, session.message)
            session.message = None

    def _wait_for_pause(self, seconds: float) -> None:
        """Turn to no other before a pause of the keys."""
        self._pause = seconds
        self._settle.start(seconds)

    def _settled(self) -> None:
        """Move on, if no key has come meanwhile."""
        waits = self._pause - (self.loop.now - self._prompt.typed_at)
        if waits > 0:
            self._settle.start(waits)
        else:
            self.wake()

    def _note(self) -> str:
        """Return who waits, and for whom lines are queued."""
        others = [one for one in islice(self.waiting, NAMED + 1) if one is not self._asked]
        parts = [
            f"{counted(len(one.queued), 'line')} queued for {one.name}"
            for one in self.sessions
            if one.queued
        ]
        if number := len(self.waiting) - (self._asked in self.waiting):
            names = ", ".join(one.name for one in others)
            more = ", ..." if number > len(others) else ""
            parts.append(f"{number} more {'waits' if number == 1 else 'wait'}: {names}{more}")
        return "; ".join(parts)


def _is_answer(meaning: Meaning) -> bool:
    return isinstance(meaning, Line) or (isinstance(meaning, InTurn) and meaning.is_answer)
