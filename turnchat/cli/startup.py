"""What both programs open if it is asked for: a program that answers, a log, a transcript, a trace.

Few conversations need any of it, and each part costs some milliseconds to import: so that is done
when it is asked for.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from turnchat.chat.news import News
from turnchat.cli.options import StartupError
from turnchat.core.connection import Connection
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.loop import Callback, EventLoop
from turnchat.core.observed import Observed, Observer
from turnchat.core.responder import Responder
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.responders.echo import Echo
from turnchat.terminal.output import nothing
from turnchat.text import counted, reason

if TYPE_CHECKING:
    from turnchat.chat.log import Log
    from turnchat.chat.transcript import Transcript
    from turnchat.responders.program import Command


class Answering(Protocol):
    """Those who answer in the place of a person.

    status: what to exit with, if there was but one conversation. on_end: called when one of them
    has gone.
    """

    status: int
    on_end: Callback

    def count(self) -> int:
        """How many there are; some may outlive their conversations for a moment."""

    def answer(self, connection: Connection) -> Responder:
        """The responder of a new conversation. Raises OSError if there can be none now."""

    def drain(self) -> None:
        """Run the loop until nothing is left of those who answered."""

    def close(self) -> None:
        """Leave nothing behind."""


class Echoes:
    """An echo for each conversation, of which nothing is ever left."""

    status = os.EX_OK
    on_end: Callback = nothing

    def count(self) -> int:
        """None outlives its conversation."""
        return 0

    def answer(self, connection: Connection) -> Responder:
        """An echo."""
        return Echo(connection)

    drain = close = nothing


def open_answering(
    loop: EventLoop,
    signals: Signals,
    news: News,
    command: "Command | None",
    backend: Backend,
    *,
    serving: bool,
) -> Answering:
    """Programs, or echoes where there is no command."""
    if command is None:
        return Echoes()
    from turnchat.responders.program import Programs  # noqa: PLC0415 - see above

    return Programs(loop, signals, news, command, backend.pipes, serving=serving)


def open_log(loop: EventLoop, arguments: argparse.Namespace, backend: Backend) -> "Log":
    """The log, as detailed as -q and -v want it."""
    from turnchat.chat.log import Level, Log  # noqa: PLC0415 - see above

    if arguments.quiet:
        return Log(loop, Level.QUIET, backend.stream)
    return Log(loop, Level.DETAILED if arguments.verbose else Level.NORMAL, backend.stream)


class Records:
    """What is kept of the conversations. status: what to exit with, if that is all."""

    def __init__(self, news: News, transcript: "Transcript | None") -> None:
        self._news = news
        self._transcript = transcript

    @property
    def status(self) -> int:
        is_complete = not self._transcript or self._transcript.is_complete
        return os.EX_OK if is_complete else os.EX_IOERR

    def converse(self, first: Turn, number: int, name: str, peer: str) -> Conversation:
        """Begin a conversation, so that those hear of its messages who want to."""
        observers: list[Observer] = []
        if self._transcript:
            observers.append(partial(self._transcript.note, number, peer))
        if self._news.shows_details:
            observers.append(partial(self._tell_size, name))
        return Observed(first, observers) if observers else Conversation(first)

    def _tell_size(self, name: str, *, heard: bool, turn: int, body: bytes) -> None:
        verb = "says" if heard else "gets"
        self._news.detail(f"{name} {verb} {counted(len(body), 'byte')} (turn {turn})")


@contextmanager
def open_backend(program: str, arguments: argparse.Namespace) -> Iterator[Backend]:
    """What is outside, with a recorder around it if it is asked for. Raises CannotStart."""
    if not (arguments.trace or arguments.record):
        yield Backend()
        return
    from turnchat.trace.backend import recorded  # noqa: PLC0415 - see above

    path = arguments.record
    with ExitStack() as stack:
        try:
            backend, writer = stack.enter_context(
                recorded(
                    program,
                    path,
                    trace=arguments.trace,
                    lengths_only=arguments.record_lengths_only,
                )
            )
        except OSError as error:
            what = f"cannot write the recording {path}: {reason(error)}"
            raise StartupError(os.EX_CANTCREAT, what, "choose another file") from error
        yield backend
    if writer and writer.error:
        what = f"the recording {path} is not complete: {reason(writer.error)}"
        raise StartupError(os.EX_IOERR, what, "what was written can still be replayed")


@contextmanager
def open_records(path: str | None, news: News) -> Iterator[Records]:
    """Records, with a transcript at `path` if there is one. Raises CannotStart."""
    if path is None:
        yield Records(news, None)
        return
    from turnchat.chat.transcript import Transcript  # noqa: PLC0415 - see above

    try:
        transcript = Transcript(path, news)
    except OSError as error:
        what = f"cannot write the transcript {path}: {reason(error)}"
        raise StartupError(os.EX_CANTCREAT, what, "choose another file") from error
    with closing(transcript):
        yield Records(news, transcript)
