"""The arguments of turnchat-check."""

import argparse

import turnchat
from turnchat.check.case import BOTH, Role
from turnchat.cli.check import listing, options, outputs, pages, single
from turnchat.cli.check.lab import command
from turnchat.cli.command_line import CommandLine
from turnchat.cli.options import number

DESCRIPTION = """\
Check a server or an interactive client for turnchat's protocol, written in any
language: run it on a terminal, be its peer and its person, and show why it
fails."""

EXAMPLES = """\
examples:
  turnchat-check server -- python3 server_12345678d.py {port}
  turnchat-check client -- java Client {host} {port}
  turnchat-check server --only 'frame/*' -v -- ./server {port}
  turnchat-check pair --server './server {port}' --client './client {port}'

exit status:
  0    each MUST holds (with --strict: each SHOULD, too)
  1    something falls short
  2    wrong usage
  69   with --sandbox: no bubblewrap works here
  70   the checker itself has failed, or may open too few files
  73   standard output or a report cannot be written
  130  Ctrl-C; 143: SIGTERM"""

COMMAND = """\
{host} and {port} in the command are replaced. The program is started afresh for
each case, on a terminal of its own, and ended after it."""

USAGES = {
    Role.SERVER: "[OPTIONS] -- COMMAND",
    Role.CLIENT: "[OPTIONS] -- COMMAND",
    Role.PAIR: "[OPTIONS] --server CMD --client CMD",
}

HELPS = {
    Role.SERVER: "check a server",
    Role.CLIENT: "check an interactive client",
    Role.PAIR: "check a server and a client with each other",
}

STARTS = {
    Role.SERVER: "starts the server, with {port} in the place of its port",
    Role.CLIENT: "starts the client, with {host} and {port} in the places of the server's",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line. `run` of its result carries the command out."""
    command_line = _CommandLine(prog="turnchat-check", description=DESCRIPTION, epilog=EXAMPLES)
    command_line.add_argument(
        "--version", action="version", version=f"turnchat-check {turnchat.__version__}"
    )
    actions = command_line.add_subparsers(required=True, metavar="COMMAND")
    for role in Role:
        action = actions.add_parser(
            role.value,
            usage=f"%(prog)s {USAGES[role]}",
            help=HELPS[role],
            description=f"{HELPS[role].capitalize()}.",
            epilog=COMMAND,
        )
        action.set_defaults(run=single.check, role=role)
        _add_command(action, role)
        _add_options(action)
    command.add_parser(actions)
    lists = actions.add_parser("list", help="list the cases", description="List the cases.")
    listing.add_options(lists)
    lists.set_defaults(run=listing.show)
    return command_line


class _CommandLine(CommandLine):
    def advise(self, unknown: str, found: argparse.Namespace) -> tuple[str, str]:
        """Tell of the -- as well, with which options of the program begin."""
        problem, advice = super().advise(unknown, found)
        if unknown.startswith("-") and not advice and self.get_default("role") in BOTH:
            advice = "if it belongs to the program, write -- in front of the whole command"
        return problem, advice


def _add_command(action: argparse.ArgumentParser, role: Role) -> None:
    if role is Role.PAIR:
        for name in (Role.SERVER, Role.CLIENT):
            action.add_argument(
                f"--{name}", required=True, metavar="CMD", help=f"the command of the {name}"
            )
    else:
        action.add_argument(
            "command",
            nargs=argparse.REMAINDER,
            metavar="COMMAND",
            help=STARTS[role],
        )


def _add_options(action: argparse.ArgumentParser) -> None:
    cases, runs = options.add_case_options(action, jobs=2, default_jobs="2")
    cases.add_argument("--strict", action="store_true", help="count a SHOULD as a MUST")
    runs.add_argument("--repeat", type=number, default=1, metavar="N", help="run each case N times")
    output = action.add_argument_group("the output")
    output.add_argument(
        "-v", "--verbose", action="store_true",
        help="print a line a case, and explain each that falls short, not only three mistakes",
    )  # fmt: skip
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if something falls short"
    )
    options.add_sandbox_options(action, is_default=False)
    pages.add_options(outputs.add_options(action))
