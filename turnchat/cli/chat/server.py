"""The program turnchat-server."""

import argparse
import sys
from collections.abc import Sequence

from turnchat.chat.admission.limits import Limits
from turnchat.cli.network import metrics, proxy, service, tls
from turnchat.cli.options import add_options, number, parse, parser, seconds
from turnchat.cli.startup import prepare_process

PROGRAM = "turnchat-server"

DESCRIPTION = """\
Wait for clients and talk with each of them, one message at a time, in turn,
until one side says BYEBYE. The lines that you type are the answers; /help lists
the commands. With --echo or --exec no person is needed, and a log goes to
standard error."""

EXAMPLES = """\
examples:
  turnchat-server                     listen on 127.0.0.1:2322
  turnchat-server 0.0.0.0:4000        listen on every IPv4 address that is here
  turnchat-server unix:/tmp/chat      listen on a unix socket, for you alone
  turnchat-server --once < answers    answer one client with the lines of a file
  turnchat-server --exec 'sed -u s/I/you/g'
                                      let a program answer each client

Exits with 0 when it was told to stop, 2 when standard input has no line, 65
when one of a script could not be sent, 66 when a certificate is of no use, 69
when it cannot listen, 71 when the system refuses what it needs, 73 or 74 when
it cannot open, read or write a file, 77 when it may not become the user, 78
when it cannot use the sockets that it is given; with --once as turnchat-client
does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnchat-server, and return its exit status."""
    prepare_process()
    variables = service.prepare(argv)
    command_line = _parser()
    arguments = parse(command_line, argv)
    if arguments.echo and arguments.command:
        command_line.error("either --echo answers or --exec does: leave one out")
    tls.check_server(command_line, arguments)
    proxy.check(command_line, arguments)
    service.check(command_line, arguments, variables)
    from turnchat.cli.chat.run import run  # noqa: PLC0415 - --version and --help need none of it

    return run(PROGRAM, arguments, serves=True)


def _parser() -> argparse.ArgumentParser:
    command_line = parser(PROGRAM, DESCRIPTION, EXAMPLES)
    command_line.add_argument(
        "--once", action="store_true", help="serve one conversation and exit with its status"
    )
    command_line.add_argument("--echo", action="store_true", help="answer each message with itself")
    add_options(command_line, serves=True)
    metrics.add_options(command_line)
    tls.add_options(command_line, serves=True)
    proxy.add_options(command_line)
    service.add_options(command_line)
    limits = command_line.add_argument_group("limits")
    default = Limits()
    for option, most, meaning in (
        (
            "--max-conversations",
            default.conversations,
            "serve N at a time; silent ones give way, others wait",
        ),
        ("--max-per-address", None, "refuse more than N at a time from one host"),
        ("--max-rate", None, "refuse more than N newcomers a second from one host"),
        ("--max-turns-rate", None, "delay answers above N a second in a conversation"),
    ):
        shown = most or "none"
        limits.add_argument(
            option, metavar="N", type=number, default=most, help=f"{meaning} (default: {shown})"
        )
    idle, frame, _ = default.timeouts
    for option, span, shown, meaning in (
        (
            "--first-timeout",
            0.0,
            "as --idle-timeout",
            "close a connection that does not begin its first message in S seconds",
        ),
        (
            "--idle-timeout",
            idle,
            f"{idle:g}; 0: for ever",
            "leave a client that says nothing for S seconds",
        ),
        (
            "--frame-timeout",
            frame,
            f"{frame:g}; 0: for ever",
            "leave one that does not complete a message in S seconds",
        ),
        ("--total-timeout", default.total, "0: for ever", "end each conversation after S seconds"),
        (
            "--drain-timeout",
            default.drain,
            f"{default.drain:g}",
            "when stopping, wait at most S seconds for the last turns",
        ),
    ):
        limits.add_argument(
            option, metavar="S", type=seconds, default=span, help=f"{meaning} (default: {shown})"
        )
    return command_line


if __name__ == "__main__":
    sys.exit(main())
