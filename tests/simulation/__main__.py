"""Run seeds: python -m tests.simulation [--seeds N] [--first SEED] [--jobs N] [--faults]."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import Pool

from tests.simulation.sweeps import KINDS, failures_of, run_seed

CALM_WORLDS = 10


def main() -> int:
    """Run the seeds that the command line names: 1 if one has failed."""
    command_line = argparse.ArgumentParser(prog="python -m tests.simulation")
    command_line.add_argument("--seeds", type=int, default=10_000, metavar="N", help="how many")
    command_line.add_argument("--first", type=int, default=0, metavar="SEED", help="where to begin")
    command_line.add_argument("--jobs", type=int, default=1, metavar="N", help="processes to use")
    command_line.add_argument(
        "--faults", action="store_true", help="let each system call of some seeds fail instead"
    )
    arguments = command_line.parse_args()
    if arguments.faults:
        return _fail_calls()
    began = time.monotonic()
    failed = struck = 0
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    for has_struck, failure in _results(seeds, arguments.jobs):
        struck += has_struck
        if failure:
            failed += 1
            print(failure, end="\n\n", flush=True)
    speed = arguments.seeds / (time.monotonic() - began)
    print(
        f"{arguments.seeds} seeds from {arguments.first} on, {struck} with an error of a system"
        f" call, {failed} failed; {speed:.0f} seeds/s"
    )
    return 1 if failed else 0


def _results(seeds: range, jobs: int) -> Iterator[tuple[bool, str | None]]:
    with ExitStack() as stack:
        if jobs == 1:
            yield from map(run_seed, seeds)
        else:
            pool = stack.enter_context(Pool(jobs))
            yield from pool.imap_unordered(run_seed, seeds, chunksize=200)


def _fail_calls() -> int:
    failed = 0
    for kind in KINDS:
        for failure in failures_of(*kind, CALM_WORLDS):
            failed += 1
            print(failure, end="\n\n", flush=True)
    print(f"{len(KINDS)} kinds of errors in {CALM_WORLDS} worlds, {failed} runs failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
