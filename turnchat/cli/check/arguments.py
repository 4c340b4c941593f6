"""The arguments of turnchat-check."""

import argparse
from typing import Any

import turnchat
from turnchat.check.case import Profile, Role
from turnchat.cli.check import listing, outputs, pages, sandboxed, single
from turnchat.cli.check.commands import port
from turnchat.cli.check.lab import command
from turnchat.cli.options import number, seconds

DESCRIPTION = """\
Check a server or an interactive client that somebody has written for turnchat's
protocol, in any language: run it on a terminal, be its peer and its person, and
show why it fails."""

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
  70   the checker itself has failed
  73   standard output or a report cannot be written
  130  Ctrl-C; 143: SIGTERM"""

COMMAND = """\
{host} and {port} in the command are replaced. The program is started afresh for
each case, on a terminal of its own, and ended after it."""

HELPS = {
    Role.SERVER: "check a server",
    Role.CLIENT: "check an interactive client",
    Role.PAIR: "check a server and a client with each other",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line. `run` of its result carries the command out."""
    command_line = _Parser(prog="turnchat-check", description=DESCRIPTION, epilog=EXAMPLES)
    command_line.add_argument(
        "--version", action="version", version=f"turnchat-check {turnchat.__version__}"
    )
    actions = command_line.add_subparsers(required=True, metavar="COMMAND")
    for role in Role:
        action = actions.add_parser(
            role.value, help=HELPS[role], description=f"{HELPS[role].capitalize()}.", epilog=COMMAND
        )
        action.set_defaults(run=single.check, role=role)
        _add_command(action, role)
        _add_options(action)
    command.add_parser(actions)
    lists = actions.add_parser("list", help="list the cases", description="List the cases.")
    listing.add_options(lists)
    lists.set_defaults(run=listing.show)
    return command_line


class _Parser(argparse.ArgumentParser):
    def __init__(self, **how: Any) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(formatter_class=formatter, allow_abbrev=False, **how)


def _add_command(action: argparse.ArgumentParser, role: Role) -> None:
    if role is Role.PAIR:
        for name in (Role.SERVER, Role.CLIENT):
            action.add_argument(
                f"--{name}", required=True, metavar="CMD", help=f"the command of the {name}"
            )
    else:
        action.add_argument(
            "command", nargs="*", metavar="WORD", help="behind --: the command of the program"
        )


def _profile(text: str) -> Profile:
    if text not in list(Profile):
        raise argparse.ArgumentTypeError(f"{text!r} must be one of {', '.join(Profile)}")
    return Profile(text)


def _add_options(action: argparse.ArgumentParser) -> None:
    cases = action.add_argument_group("the cases")
    cases.add_argument(
        "--profile", type=_profile, choices=list(Profile), default=Profile.LAB,
        help="lab: one conversation, and calls may block; turnchat: all (default: lab)",
    )  # fmt: skip
    cases.add_argument(
        "--only", action="append", default=[], metavar="GLOB",
        help="try the cases with such an id, and those that they build on; may be repeated",
    )  # fmt: skip
    cases.add_argument(
        "--skip", action="append", default=[], metavar="GLOB", help="leave these cases out"
    )
    cases.add_argument("--strict", action="store_true", help="count a SHOULD as a MUST")
    runs = action.add_argument_group("the runs")
    runs.add_argument(
        "--timeout", type=seconds, default=2.0, metavar="S", help="seconds for a step (default: 2)"
    )
    runs.add_argument(
        "--port", type=port, metavar="N",
        help="the port that is written in the program; one case at a time then, without --sandbox",
    )  # fmt: skip
    runs.add_argument(
        "--jobs", type=number, default=2, metavar="N", help="cases at a time (default: 2)"
    )
    runs.add_argument("--repeat", type=number, default=1, metavar="N", help="run each case N times")
    runs.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of what is random (default: 0)"
    )
    output = action.add_argument_group("the output")
    output.add_argument(
        "-v", "--verbose", action="store_true",
        help="print a line a case, and explain each that falls short, not the first three alone",
    )  # fmt: skip
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if something falls short"
    )
    sandboxed.add_options(action, is_default=False)
    outputs.add_options(action)
    pages.add_options(action)
