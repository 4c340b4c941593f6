"""HAProxy in front of four servers: one is killed, one is drained, and nobody else is harmed.

python -m tests.cluster [--conversations N] [--exec COMMAND]
"""

import argparse
import tempfile
from pathlib import Path

from tests.cluster.trial import attempt


def main() -> None:
    """Print the figures of a trial."""
    command_line = argparse.ArgumentParser(prog="tests.cluster")
    command_line.add_argument("--conversations", type=int, default=1000)
    command_line.add_argument("--exec", metavar="COMMAND", help="instead of --echo")
    arguments = command_line.parse_args()
    answer = ["--exec", arguments.exec] if arguments.exec else ["--echo"]
    with tempfile.TemporaryDirectory() as folder:
        found = attempt(Path(folder), arguments.conversations, answer)
    print("\n".join(found.table()))


if __name__ == "__main__":
    main()
