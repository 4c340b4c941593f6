"""The targets of the Makefile that run a program."""

import os
import re
import socket
import subprocess
import sys

from tests.support import PATIENCE, ROOT


def test_make_names_the_status_of_a_client_that_reaches_no_server() -> None:
    """The status of make is 2 for each failure (POSIX), so its last line has that of the client."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"ADDRESS=127.0.0.1:{taken.getsockname()[1]}"
        result = subprocess.run(
            ["make", "run-client", address, f"PYTHON={sys.executable}"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert result.returncode == 2
    *lines, last = result.stderr.splitlines()
    assert re.fullmatch(r"make: \*\*\* \[.*run-client.*\] Error 69", last)
    assert len(lines) == 2
    assert all(line.startswith("turnchat-client: ") for line in lines)
