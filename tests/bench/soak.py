"""One server, ten minutes of a thousand conversations: do its memory and its speed stay the same?

python -m tests.bench.soak [--slices N] [--seconds S] [--conversations N]

Each slice begins a thousand conversations of its own, and leaves them. A row a slice is printed,
and at the end how the last quarter compares with the second: the first one warms up.
"""

import argparse
from statistics import median

from tests.bench import runner


def main() -> None:
    command_line = argparse.ArgumentParser(prog="tests.bench.soak")
    command_line.add_argument("--slices", type=int, default=20)
    command_line.add_argument("--seconds", type=float, default=30.0)
    command_line.add_argument("--conversations", type=int, default=1000)
    arguments = command_line.parse_args()
    runner.build()
    rates, memories, failures = [], [], 0
    print(f"{'slice':>5}{'turns/s':>10}{'KiB':>9}")
    with runner.serving(runner.commands()[runner.TURNCHAT]) as server:
        for count in range(arguments.slices):
            figures = runner.turns(server, arguments.conversations, runner.BODY, arguments.seconds)
            rates.append(figures.rate)
            memories.append(server.memory)
            failures += figures.failures
            print(f"{count + 1:5}{figures.rate:10,.0f}{server.memory:9,}", flush=True)
    quarter = max(1, arguments.slices // 4)
    early, late = slice(quarter, 2 * quarter), slice(-quarter, None)
    faster = median(rates[late]) / median(rates[early])
    larger = median(memories[late]) / median(memories[early])
    print(f"last quarter against the second: turns/s x {faster:.2f}, memory x {larger:.3f}")
    print(f"{failures} failures")


if __name__ == "__main__":
    main()
