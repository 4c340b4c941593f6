"""Run seeds: python -m tests.simulation [--seeds N] [--first SEED]."""

import argparse
import sys
import time

from tests.simulation.scenario import failures


def main() -> int:
    """Run the seeds that the command line names: 1 if one has failed."""
    command_line = argparse.ArgumentParser(prog="python -m tests.simulation")
    command_line.add_argument("--seeds", type=int, default=10_000, metavar="N", help="how many")
    command_line.add_argument("--first", type=int, default=0, metavar="SEED", help="where to begin")
    arguments = command_line.parse_args()
    began = time.monotonic()
    failed = 0
    for failure in failures(arguments.first, arguments.seeds):
        failed += 1
        print(failure, end="\n\n")
    speed = arguments.seeds / (time.monotonic() - began)
    print(f"{arguments.seeds} seeds, {failed} failed; {speed:.0f} seeds/s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
