"""Steps with the program: start it, be connected with it, wait for its end."""

import errno
from typing import TYPE_CHECKING

from turnchat.check.case import SERVER, Role
from turnchat.check.report import Awaited, Fallen, Kind
from turnchat.check.screen import without_blanks
from turnchat.check.sockets.connecting import Connector
from turnchat.check.sockets.ports import has_listener
from turnchat.check.steps.crash import crash_in
from turnchat.check.steps.step import Polling, Step
from turnchat.check.subject import words_for
from turnchat.text import reason

if TYPE_CHECKING:
    from turnchat.check.play import Play

START_TIMEOUT = 5.0  # seconds for a program to listen, or to connect
CRASH_SIGNALS = {-4, -6, -7, -8, -11}  # SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV


class NoCrash(Step):
    """Require that the program shows no exception that it did not catch, and died of no signal.

    A crash that it is still writing is awaited, so that the reason names the error.
    """

    needs_program = False
    is_done_by_time = True

    def look(self, play: "Play") -> bool:
        program = play.program
        crash = crash_in(program.output)
        if crash and not (crash.is_whole or program.has_output_ended or self.is_done):
            return False
        if crash:
            reason = f"the program crashed ({crash.language}): {crash.line}"
        elif program.status in CRASH_SIGNALS:
            reason = f"the program crashed: it ended {words_for(program.status)}"
        else:
            return True
        raise self.fallen(Kind.DIED, reason, received=program.screen.text.encode())

    def waiting(self) -> str:
        return "words for a person and not a crash"


class Start(Step):
    """Start the program, or the one of a role if there are two. The result is the program."""

    needs_program = False

    def __init__(self, role: Role | None = None) -> None:
        super().__init__()
        self._role = role

    def start(self, play: "Play") -> None:
        name = self._role or "program"
        try:
            self.result = play.start(self._role)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise self.fallen(
                Kind.DIED, f"the {name} could not be started: {reason(error)}"
            ) from error
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise  # of the checker: no descriptors, no memory
            raise self.fallen(Kind.DIED, f"the {name} has no format that can be run") from error


class Meet(Step):
    """Be connected with the program: connect to a server, wait for a client.

    A client may have connected before the step begins: it is the first that none has met yet.
    """

    awaits = Awaited.CONNECTION
    has_little_room = False

    def __init__(self, seconds: float | None = START_TIMEOUT) -> None:
        super().__init__(seconds)
        self._connector: Connector | None = None

    def start(self, play: "Play") -> None:
        self._number = play.met
        if play.role is SERVER:
            self._number = len(play.peers)
            self._connector = play.connect(has_little_room=self.has_little_room)

    def look(self, play: "Play") -> bool:
        if len(play.peers) <= self._number:
            return False
        play.met = self._number + 1
        self.result = play.peers[self._number]
        return True

    def waiting(self) -> str:
        return "a connection"


class ShowsAnything(Step):
    """Wait until the program has written anything to its terminal."""

    awaits = Awaited.SCREEN

    def look(self, play: "Play") -> bool:
        return bool(without_blanks(play.program.screen.text))

    def waiting(self) -> str:
        return "any text on the screen"


class StopListening(Step):
    """Listen no more: a client that connects is refused."""

    needs_program = False

    def start(self, play: "Play") -> None:
        play.stop_listening()


class Kill(Polling):
    """End the program at once, and wait until its port is closed."""

    needs_program = False

    def start(self, play: "Play") -> None:
        play.program.kill()
        super().start(play)

    def has_come(self, play: "Play") -> bool:
        return not has_listener(play.port)

    def waiting(self) -> str:
        return "the port to be closed"


class Exits(Step):
    """Wait until the program has exited. status: the one that it must have, None for any.

    or_not: it may go on when the time is up; the result is None then.
    """

    awaits = Awaited.EXIT

    needs_program = False

    def __init__(
        self, status: int | None = 0, seconds: float | None = None, *, or_not: bool = False
    ) -> None:
        super().__init__(seconds)
        self._status, self.is_done_by_time = status, or_not

    def look(self, play: "Play") -> bool:
        status = play.program.status
        if status is None:
            return self.is_done
        if self._status is not None and status != self._status:
            reason = f"the program ended {words_for(status)} and not {words_for(self._status)}"
            raise self.fallen(Kind.DIED, reason)
        self.result = status
        return self.is_done or play.program.has_output_ended

    def late(self, play: "Play") -> Fallen:
        if play.program.status is None:
            return super().late(play)
        text = "the program has ended, but a process that it has started still has its terminal"
        return self.fallen(Kind.HANGS, text)

    def waiting(self) -> str:
        return "the end of the program"
