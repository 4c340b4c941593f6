"""The program turnchat-client."""

import argparse
import sys
from collections.abc import Sequence

from turnchat.cli.network import tls
from turnchat.cli.options import add_options, parse, parser, seconds
from turnchat.cli.startup import prepare_process

PROGRAM = "turnchat-client"
CONNECT_TIMEOUT = 10.0  # seconds for each endpoint

DESCRIPTION = """\
Talk with a server, one message at a time, in turn, until one side says BYEBYE.
You speak first. Ctrl-D says BYEBYE in your next turn. With --exec a program
talks in your place, and a log goes to standard error."""

EXAMPLES = """\
examples:
  turnchat-client                     talk with the server on 127.0.0.1:2322
  turnchat-client chat.example:4000   talk with a server elsewhere
  turnchat-client unix:/tmp/chat      talk through a unix socket
  printf 'hi\\nhow are you\\n' | turnchat-client
                                      say two messages; the answers come on
                                      standard output, everything else on error
  turnchat-client --exec 'seq 9'      let a program talk: it says 1 to 9

Exits with 0 when either side said BYEBYE, 2 when called wrongly, 65 when a
line could not be sent, 66 when a certificate is of no use, 69 when no server
was reached or TLS failed with it, 70 for a defect, 71 when the program could
not be started, 73 or 74 when a file could not be opened, read or written, 74
also when the connection was lost or lines were left that could not be sent, 76
when the server broke the protocol, 130 when interrupted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnchat-client, and return its exit status."""
    prepare_process()
    command_line = _parser()
    arguments = parse(command_line, argv)
    if not (arguments.address.path or arguments.address.port):
        command_line.error("port 0 is for servers, which get a free one: name the one that it got")
    tls.check_client(command_line, arguments)
    # --version, --help and mistakes need none of it, and would take half as long again with it.
    from turnchat.cli.chat.run import run  # noqa: PLC0415 - see above

    return run(PROGRAM, arguments, serves=False)


def _parser() -> argparse.ArgumentParser:
    command_line = parser(PROGRAM, DESCRIPTION, EXAMPLES)
    add_options(command_line, serves=False)
    tls.add_options(command_line, serves=False)
    command_line.add_argument(
        "--connect-timeout",
        metavar="S",
        type=seconds,
        default=CONNECT_TIMEOUT,
        help="give up on an address after S seconds, and on a TLS handshake (default: %(default)g;"
        " 0: for ever)",
    )
    return command_line


if __name__ == "__main__":
    sys.exit(main())
