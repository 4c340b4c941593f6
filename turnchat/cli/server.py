"""The program turnchat-server."""

import argparse
import sys
from collections.abc import Sequence

from turnchat.chat.server import Limits
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
  turnchat-server 0.0.0.0:4000        listen on every IPv4 address of this machine
  turnchat-server unix:/tmp/chat      listen on a unix socket that only you can use
  turnchat-server --once < answers    give the lines of a file as answers to one client
  turnchat-server --exec 'bc -lq'     let a calculator answer, one for each client

Exits with 0 when it was told to stop, 2 when standard input has no line, 65 when one
of a script could not be sent, 69 when it cannot listen, 73 or 74 when it cannot
open, read or write a file; with --once as turnchat-client does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnchat-server, and return its exit status."""
    prepare_process()
    command_line = _parser()
    arguments = parse(command_line, argv)
    if arguments.echo and arguments.command:
        command_line.error("either --echo answers or --exec does: leave one out")
    from turnchat.cli.run import run  # noqa: PLC0415 - --version and --help need none of it

    return run(PROGRAM, arguments, serves=True)


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
    idle, frame, _ = default.timeouts
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
