"""The console of the client: one conversation, and every line is a message."""

from turnchat.core.conversation import THEIRS
from turnchat.core.lines import Line
from turnchat.responders.console import Console, Session
from turnchat.text import counted


class Caller(Console):
    """The person, or the script, at the client."""

    def prompt(self, _seat: Session) -> str:
        return "you> "

    def take(self, line: Line, at_prompt: bool) -> None:
        self.keep_message(line, at_prompt)

    def input_ended(self) -> None:
        theirs = [
            session for session in self.sessions if session.connection.conversation.turn is THEIRS
        ]
        if not (self.is_person and theirs):
            return  # BYEBYE is said at once, or to a script, which needs no telling
        if queued := self.count_kept():
            self.screen.status(f"BYEBYE follows after the {counted(queued, 'line')} typed ahead")
        else:
            self.screen.status("BYEBYE follows in your next turn")
