"""Both programs from their arguments to their exit status: what they open, run and close.

A role (a server or a client) runs behind a frontend (Interactive or Headless). Each part costs
milliseconds to import, so one that few starts need is imported when its option asks for it.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from turnchat.chat.outputs import CannotWrite, Outputs
from turnchat.cli.startup import StartupError, print_error
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, Endpoint
from turnchat.process.backend import Backend
from turnchat.process.signals import ignore_stop_signals
from turnchat.text import reason

if TYPE_CHECKING:
    from turnchat.cli.chat.interfaces import Frontend, Role
    from turnchat.process.files.output_file import OutputFile

Made = TypeVar("Made")


def run(program: str, arguments: argparse.Namespace, *, serves: bool) -> int:
    """Run a program to its end, and return its exit status. serves: the role is a server's."""
    metrics = arguments.metrics if serves else None
    try:
        with (
            closing(_open_outputs(arguments)) as outputs,
            open_backend(program, arguments, outputs.recording) as backend,
            closing(_made(lambda: backend.loop(metrics and metrics.selector()))) as loop,
            closing(metrics) if metrics else nullcontext(),
        ):
            endpoints = _endpoints(arguments)  # Ctrl-C still ends the program at once
            status = _run(loop, backend, arguments, endpoints, outputs, serves=serves)
    except StartupError as problem:
        print_error(program, *problem.lines)
        return problem.status
    if outputs.problems:
        print_error(program, *outputs.problems)
        return status or os.EX_IOERR
    return status


def _run(
    loop: EventLoop,
    backend: Backend,
    arguments: argparse.Namespace,
    endpoints: list[Endpoint],
    outputs: Outputs,
    *,
    serves: bool,
) -> int:
    with (
        # Until the frontend has put the terminal's mode back, no signal has its default effect.
        closing(_made(partial(backend.signals, loop))) as signals,
        closing(_open_frontend(loop, backend, arguments, outputs.log, serves=serves)) as frontend,
        closing(_role(loop, backend, arguments, frontend, outputs, serves=serves)) as role,
    ):

        def interrupt() -> None:
            if role.is_stopping:
                frontend.abort()  # the second signal: end at once
            role.interrupt()

        def hang_up() -> None:
            if outputs.can_reopen:
                outputs.reopen()
            else:
                role.hang_up()

        outputs.report_to(frontend.logger)
        signals.on_stop(interrupt, hang_up)
        role.watch(signals)
        answer = frontend.attach(signals, role)
        if not role.is_stopping:
            role.begin(endpoints, answer, outputs.begin)
        loop.run()
        frontend.finish()
        frontend.drain(role.time_left)
        ignore_stop_signals()
        role.check()
        return role.status or frontend.status


def _made(make: "Callable[[], Made]") -> "Made":
    """Return the result of `make`. Raises StartupError if the system has no room for it."""
    try:
        return make()
    except OSError as error:
        hint = "free some memory, or allow more open files: ulimit -n"
        raise StartupError(os.EX_OSERR, f"cannot start: {reason(error)}", hint) from error


def _open_frontend(
    loop: EventLoop,
    backend: Backend,
    arguments: argparse.Namespace,
    log: "OutputFile | None",
    *,
    serves: bool,
) -> "Frontend":
    """Open the frontend that the arguments ask for. serves: the role is a server's."""
    if arguments.command or (serves and arguments.echo):
        from turnchat.cli.chat.headless import Headless  # noqa: PLC0415 - one of two is needed

        return Headless(loop, backend, arguments, log, serves=serves)
    from turnchat.cli.chat.interactive import Interactive  # noqa: PLC0415 - the same

    return Interactive(loop, backend, arguments, log, serves=serves)


def _role(
    loop: EventLoop,
    backend: Backend,
    arguments: argparse.Namespace,
    frontend: "Frontend",
    outputs: Outputs,
    *,
    serves: bool,
) -> "Role":
    if serves:
        from turnchat.cli.chat.server_role import ServerRole  # noqa: PLC0415 - one of two is needed

        return ServerRole(loop, backend, arguments, frontend, outputs.transcript)
    from turnchat.cli.chat.client_role import ClientRole  # noqa: PLC0415 - the same

    return ClientRole(loop, backend, arguments, frontend, outputs.transcript)


def _open_outputs(arguments: argparse.Namespace) -> Outputs:
    """Open the files that the arguments name. Raises StartupError."""
    try:
        return Outputs(arguments)
    except CannotWrite as error:
        raise StartupError(os.EX_CANTCREAT, str(error), "choose another file") from error


def _endpoints(arguments: argparse.Namespace) -> list[Endpoint]:
    """Return where to listen or to connect: none if the socket is there already."""
    return [] if getattr(arguments, "inherited", None) else _resolve(arguments.address)


def _resolve(address: Address) -> list[Endpoint]:
    """Look up the endpoints of an address. Blocks. Raises StartupError."""
    try:
        return address.resolve()
    except OSError as error:
        failure = f"cannot find {address}: {reason(error)}"
        raise StartupError(os.EX_UNAVAILABLE, failure, "check the name") from error


@contextmanager
def open_backend(
    program: str, arguments: argparse.Namespace, recording: "OutputFile | None"
) -> Iterator[Backend]:
    """Open the backend, a recording one if the arguments ask for it."""
    if not (arguments.trace or recording):
        yield Backend()
        return
    from turnchat.trace.recorder import record_to  # noqa: PLC0415 - see above

    lengths_only = arguments.record_lengths_only
    with record_to(recording, program, trace=arguments.trace, lengths_only=lengths_only) as backend:
        yield backend
