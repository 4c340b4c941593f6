"""Both programs from their arguments to their exit status: what they open, run and close.

A role (a server or a client) runs behind a frontend (Interactive or Headless). Each part costs
milliseconds to import, so one that few starts need is imported when its option asks for it.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from turnchat.cli.interfaces import Frontend, Role
from turnchat.cli.startup import StartupError, print_error
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, Endpoint
from turnchat.process.backend import Backend
from turnchat.process.signals import ignore_stop_signals
from turnchat.text import reason

if TYPE_CHECKING:
    import logging

    from turnchat.chat.transcript import Transcript


def run(program: str, arguments: argparse.Namespace, *, serves: bool) -> int:
    """Run a program to its end, and return its exit status. serves: the role is a server's."""
    try:
        with open_backend(program, arguments) as backend, closing(backend.loop()) as loop:
            endpoints = _resolve(arguments.address)  # Ctrl-C still ends the program at once
            return _run(loop, backend, arguments, endpoints, serves=serves)
    except StartupError as problem:
        print_error(program, *problem.lines)
        return problem.status


def _run(
    loop: EventLoop,
    backend: Backend,
    arguments: argparse.Namespace,
    endpoints: list[Endpoint],
    *,
    serves: bool,
) -> int:
    with (
        # Until the frontend has put the terminal's mode back, no signal has its default effect.
        closing(backend.signals(loop)) as signals,
        closing(_open_frontend(loop, backend, arguments, serves=serves)) as frontend,
        _open_transcript(arguments.transcript, frontend.logger) as transcript,
        closing(_role(loop, backend, arguments, frontend, transcript, serves=serves)) as role,
    ):

        def interrupt() -> None:
            if role.is_stopping:
                frontend.abort()  # the second signal: end at once
            role.interrupt()

        signals.on_stop(interrupt, role.hang_up)
        answer = frontend.attach(signals, role)
        if not role.is_stopping:
            role.begin(endpoints, answer)
        loop.run()
        frontend.finish()
        frontend.drain(role.time_left)
        ignore_stop_signals()
        role.check()
        is_complete = transcript is None or transcript.is_complete
        return role.status or frontend.status or (os.EX_OK if is_complete else os.EX_IOERR)


def _open_frontend(
    loop: EventLoop, backend: Backend, arguments: argparse.Namespace, *, serves: bool
) -> Frontend:
    """Open the frontend that the arguments ask for. serves: the role is a server's."""
    if arguments.command or (serves and arguments.echo):
        from turnchat.cli.headless import Headless  # noqa: PLC0415 - one of two is needed

        return Headless(loop, backend, arguments, serves=serves)
    from turnchat.cli.interactive import Interactive  # noqa: PLC0415 - the same

    return Interactive(loop, backend, arguments, serves=serves)


def _role(
    loop: EventLoop,
    backend: Backend,
    arguments: argparse.Namespace,
    frontend: Frontend,
    transcript: "Transcript | None",
    *,
    serves: bool,
) -> Role:
    if serves:
        from turnchat.cli.roles import ServerRole  # noqa: PLC0415 - one of two is needed

        return ServerRole(loop, backend, arguments, frontend, transcript)
    from turnchat.cli.roles import ClientRole  # noqa: PLC0415 - the same

    return ClientRole(loop, backend, arguments, frontend, transcript)


def _resolve(address: Address) -> list[Endpoint]:
    """Look up the endpoints of an address. Blocks. Raises StartupError."""
    try:
        return address.resolve()
    except OSError as error:
        failure = f"cannot find {address}: {reason(error)}"
        raise StartupError(os.EX_UNAVAILABLE, failure, "check the name") from error


@contextmanager
def open_backend(program: str, arguments: argparse.Namespace) -> Iterator[Backend]:
    """Open the backend, a recording one if the arguments ask for it. Raises StartupError."""
    if not (arguments.trace or arguments.record):
        yield Backend()
        return
    from turnchat.trace import IncompleteRecording, record  # noqa: PLC0415 - see above

    path = arguments.record
    recording = record(
        path, program, trace=arguments.trace, lengths_only=arguments.record_lengths_only
    )
    try:
        with ExitStack() as stack:
            try:
                backend = stack.enter_context(recording)
            except OSError as error:
                failure = f"cannot write the recording {path}: {reason(error)}"
                raise StartupError(os.EX_CANTCREAT, failure, "choose another file") from error
            yield backend
    except IncompleteRecording as error:
        failure = f"the recording {path} is not complete: {reason(error)}"
        raise StartupError(
            os.EX_IOERR, failure, "the part that was written can be replayed"
        ) from error


@contextmanager
def _open_transcript(path: str | None, logger: "logging.Logger") -> "Iterator[Transcript | None]":
    """Open the transcript, if there is a path. Raises StartupError."""
    if path is None:
        yield None
        return
    from turnchat.chat.transcript import Transcript  # noqa: PLC0415 - see above

    try:
        transcript = Transcript(path, logger)
    except OSError as error:
        failure = f"cannot write the transcript {path}: {reason(error)}"
        raise StartupError(os.EX_CANTCREAT, failure, "choose another file") from error
    with closing(transcript):
        yield transcript
