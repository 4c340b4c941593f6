"""The two halves of a program: a role (a server or a client), and a frontend that answers.

For types alone: no start imports it.
"""

from typing import Protocol

from turnchat.chat.server import Answer
from turnchat.core.loop import Callback
from turnchat.logger import Logger
from turnchat.net.address import Endpoint
from turnchat.process.signals import Signals


class Role(Protocol):
    """A server or a client, to be run.

    begin: listen or connect; `answer` gives the responder of each conversation, and `on_ready` is
    called when the socket listens or is connected. interrupt: Ctrl-C or SIGTERM. stop: no more
    input. hang_up: the terminal has closed. check: raise StartupError if there was nothing to talk
    with. time_left: seconds for the last lines on the screen. most: conversations at a time.
    """

    most: int

    @property
    def status(self) -> int: ...
    @property
    def is_stopping(self) -> bool: ...
    @property
    def time_left(self) -> float | None: ...
    def begin(self, endpoints: list[Endpoint], answer: Answer, on_ready: Callback) -> None: ...
    def interrupt(self) -> None: ...
    def stop(self) -> None: ...
    def hang_up(self) -> None: ...
    def resume_accepting(self) -> None: ...
    def check(self) -> None: ...
    def close(self) -> None: ...


class Frontend(Protocol):
    """The side of a program that answers.

    shows_arrivals: True if a client is shown when it connects. status: the exit status.
    attach: start, and return the factory of responders. count: the programs that run; each needs
    room for a conversation. abort: end them at once. finish: take no more lines, or let the
    programs end. drain: write what is left of the screen or the log, for `seconds` at most.
    """

    shows_arrivals: bool

    @property
    def logger(self) -> Logger: ...
    @property
    def status(self) -> int: ...
    def attach(self, signals: Signals, role: Role) -> Answer: ...
    def count(self) -> int: ...
    def abort(self) -> None: ...
    def finish(self) -> None: ...
    def drain(self, seconds: float | None) -> None: ...
    def close(self) -> None: ...
