"""The server's program: arguments in, the parts wired together, an exit status out."""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing

from turnchat.chat.news import News
from turnchat.chat.server import Answer, Limits, Server
from turnchat.cli.options import (
    StartupError,
    add_options,
    number,
    parse,
    parser,
    prepare_process,
    print_error,
    resolve,
    seconds,
)
from turnchat.cli.startup import (
    Records,
    open_answering,
    open_backend,
    open_log,
    open_records,
)
from turnchat.core.connection import Timeouts
from turnchat.core.loop import FOREVER, EventLoop
from turnchat.net.address import Address, Endpoint
from turnchat.net.sockets import listen
from turnchat.process.backend import Backend
from turnchat.process.signals import ignore_stop_signals
from turnchat.responders.operator import Operator
from turnchat.terminal.keyboard import open_keyboard
from turnchat.terminal.screen import open_screen
from turnchat.text import reason

PROGRAM = "turnchat-server"

DESCRIPTION = """\
Wait for clients and talk with each of them, one message at a time, in turn,
until one side says BYEBYE. The lines that you type are the answers; /help lists
the commands. With --echo or --exec nobody need sit here, and a log goes to
standard error."""

EXAMPLES = """\
examples:
  turnchat-server                     listen on 127.0.0.1:2322
  turnchat-server 0.0.0.0:4000        listen on every IPv4 address of this machine
  turnchat-server unix:/tmp/chat      listen on a unix socket that only you can use
  turnchat-server --once < answers    give the lines of a file as answers to one client
  turnchat-server --exec 'bc -lq'     let a calculator answer, one for each client

Exits with 0 when it was told to stop, 2 when nobody can answer, 65 when a line
of a script could not be sent, 69 when it cannot listen, 73 or 74 when it cannot
open, read or write a file; with --once as turnchat-client does."""

HINTS = {
    errno.EADDRINUSE: "stop what listens there, or choose another address",
    errno.EACCES: "choose a port from 1024 up, or a path in a folder of yours",
    errno.EMFILE: "allow more open files: ulimit -n",
    errno.EADDRNOTAVAIL: "choose an address of this machine: 127.0.0.1 is one, 0.0.0.0 all of them",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The program turnchat-server: what it exits with."""
    prepare_process()
    command_line = _parser()
    arguments = parse(command_line, argv)
    if arguments.echo and arguments.command:
        command_line.error("either --echo answers or --exec does: leave one out")
    serve = serve_alone if arguments.echo or arguments.command else serve_with_operator
    try:
        endpoints = resolve(arguments.address)
        with open_backend(PROGRAM, arguments) as backend, closing(backend.loop()) as loop:
            return serve(loop, arguments, endpoints, backend)
    except StartupError as problem:
        print_error(PROGRAM, *problem.lines)
        return problem.status


def serve_with_operator(
    loop: EventLoop, arguments: argparse.Namespace, endpoints: list[Endpoint], backend: Backend
) -> int:
    """Serve, and let whoever sits at the console answer: the exit status."""
    with (
        closing(open_keyboard(loop, backend.stream)) as keyboard,
        closing(backend.signals(loop)) as signals,
        closing(open_screen(loop, backend.stream, news_apart=False)) as screen,
        open_records(arguments.transcript, screen) as records,
        closing(_server(loop, arguments, screen, records)) as server,
    ):
        signals.on_stop(server.interrupt, server.stop)
        signals.on(signal.SIGCONT, screen.redraw)
        with closing(Operator(loop, keyboard, screen, server.stop)) as operator:
            operator.start()
            if not server.is_stopping:
                _start(server, arguments.address, endpoints, operator.session, backend)
            loop.run()
        screen.drain(server.time_left)
        ignore_stop_signals()
        return server.status or operator.status or records.status


def serve_alone(
    loop: EventLoop, arguments: argparse.Namespace, endpoints: list[Endpoint], backend: Backend
) -> int:
    """Serve, and let a program answer, or an echo: the exit status. Standard input is not read."""
    with (
        closing(backend.signals(loop)) as signals,
        closing(open_log(loop, arguments, backend)) as log,
        open_records(arguments.transcript, log) as records,
        closing(
            open_answering(loop, signals, log, arguments.command, backend, serving=True)
        ) as answering,
        closing(_server(loop, arguments, log, records, answering.count)) as server,
    ):
        answering.on_end = server.resume_accepting

        def interrupt() -> None:
            if server.is_stopping:
                answering.close()  # at once, as the second signal wants it
            server.interrupt()

        signals.on_stop(interrupt, server.stop)
        _start(server, arguments.address, endpoints, answering.answer, backend)
        loop.run()
        answering.drain()
        log.drain(server.time_left)
        ignore_stop_signals()
        return server.status or (answering.status if arguments.once else 0) or records.status


def _server(
    loop: EventLoop,
    arguments: argparse.Namespace,
    news: News,
    records: Records,
    in_use: Callable[[], int] = lambda: 0,
) -> Server:
    limits = Limits(
        arguments.max_conversations,
        arguments.max_per_address,
        Timeouts(arguments.idle_timeout or FOREVER, arguments.frame_timeout or FOREVER),
        arguments.drain_timeout,
    )
    return Server(
        loop,
        news,
        limits,
        once=arguments.once,
        converse=records.converse,
        in_use=in_use,
    )


def _start(
    server: Server, address: Address, endpoints: list[Endpoint], answer: Answer, backend: Backend
) -> None:
    try:
        listening = listen(endpoints)
    except OSError as error:
        if address.path:
            hint = "choose another path, in a folder of yours"
        else:
            hint = HINTS.get(error.errno or 0, "choose another address")
        what = f"cannot listen on {address}: {reason(error)}"
        raise StartupError(os.EX_UNAVAILABLE, what, hint) from error
    server.start(backend.listening(listening), answer)


def _parser() -> argparse.ArgumentParser:
    command_line = parser(PROGRAM, DESCRIPTION, EXAMPLES)
    command_line.add_argument(
        "--once", action="store_true", help="serve one conversation and exit with its status"
    )
    command_line.add_argument("--echo", action="store_true", help="answer each message with itself")
    add_options(command_line)
    limits = command_line.add_argument_group("limits")
    default = Limits()
    for option, most, meaning in (
        ("--max-conversations", default.conversations, "serve N at a time, and let others wait"),
        ("--max-per-address", None, "refuse more than N at a time from one host"),
    ):
        shown = most or "none"
        limits.add_argument(
            option, metavar="N", type=number, default=most, help=f"{meaning} (default: {shown})"
        )
    idle, frame = default.timeouts
    for option, span, ever, meaning in (
        ("--idle-timeout", idle, "; 0: for ever", "leave a client that says nothing for S seconds"),
        (
            "--frame-timeout",
            frame,
            "; 0: for ever",
            "leave one that does not complete a message in S",
        ),
        ("--drain-timeout", default.drain, "", "stopping, wait at most S for the last turns"),
    ):
        limits.add_argument(
            option,
            metavar="S",
            type=seconds,
            default=span,
            help=f"{meaning} (default: {span:g}{ever})",
        )
    return command_line


if __name__ == "__main__":
    sys.exit(main())
