"""The program turnchat-check: grade somebody's server or interactive client."""

from collections.abc import Sequence

from turnchat.cli.check.arguments import parser
from turnchat.cli.startup import StartupError, prepare_process, print_error

PROGRAM = "turnchat-check"


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnchat-check, and return its exit status."""
    prepare_process()
    arguments = parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except StartupError as error:
        print_error(PROGRAM, *error.lines)
        return error.status
    return status
