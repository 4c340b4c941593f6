"""The program turnchat-check: grade a server or an interactive client."""

import errno
import os
from collections.abc import Sequence

from turnchat.cli.check.arguments import parser
from turnchat.cli.startup import StartupError, prepare_process, print_error
from turnchat.text import reason

PROGRAM = "turnchat-check"
SCARCE = {  # what the system may lack, and what to try
    errno.EMFILE: "raise the limit: ulimit -n 256",
    errno.ENFILE: "end other programs",
    errno.EAGAIN: "end other processes, or raise the limit: ulimit -u",
    errno.ENOMEM: "end other programs, or run fewer cases at a time: --jobs 1",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnchat-check, and return its exit status."""
    prepare_process()
    arguments = parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except StartupError as error:
        print_error(PROGRAM, *error.lines)
        return error.status
    except OSError as error:
        if error.errno not in SCARCE:
            raise
        print_error(PROGRAM, f"the system gives no more: {reason(error)}", SCARCE[error.errno])
        return os.EX_SOFTWARE
    return status
