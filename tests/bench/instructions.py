"""Count the instructions of a turn and of a visitor, and hold them against the figures kept here.

python -m tests.bench.instructions [--keep]

Seconds move with the other work of a machine; instructions do not. valgrind counts those of a
server, without the kernel's. Two runs of different length differ by turns or visitors alone: start
and end cancel out. Turns come in CONVERSATIONS, visitors AT_ONCE. strace counts system calls in the
same way.

Each build of Python has its own figures. The profiles stay in build/bench for callgrind_annotate.
"""

import argparse
import json
import platform
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.bench import runner
from tests.bench.runner import BODY, BUILT, TURNCHAT, Server

KEPT = Path(__file__).parent / "instructions.json"
MARGIN = 0.03  # more than this is not the noise of the order in which events come
CONVERSATIONS = 100
AT_ONCE = 50  # visitors
HOW_TO_KEEP = "make bench-instructions ARGS=--keep"


def take_turns(server: Server, times: int) -> None:
    with ExitStack() as stack:
        conversations = [stack.enter_context(server.connect()) for _ in range(CONVERSATIONS)]
        for one in conversations:  # one after the other, so that each run begins in the same way
            runner.exchange([one], b"a" * BODY)
        for _ in range(times):
            runner.exchange(conversations, b"a" * BODY)


def visit(server: Server, times: int) -> None:
    for _ in range(times):
        with ExitStack() as stack:
            visitors = [stack.enter_context(server.connect()) for _ in range(AT_ONCE)]
            runner.exchange(visitors, b"a" * BODY)
            runner.leave(visitors)


class Load(NamedTuple):
    """The work for a server: `each` turns or visitors, in a short run and in a long one."""

    run: Callable[[Server, int], None]
    each: int
    short: int
    long: int


TURNS = Load(take_turns, CONVERSATIONS, 2, 12)
VISITS = Load(visit, AT_ONCE, 1, 4)
MANY_VISITS = VISITS._replace(long=21)  # their system calls are more or less, as events come


def count_instructions(
    command: list[str], load: Load, profile: Path = BUILT / "callgrind.out"
) -> float:
    """Return the instructions of a turn or a visitor."""
    with runner.serving(command):
        pass  # its modules are compiled now, which the short run would count
    counting = ["env", "PYTHONHASHSEED=0", "valgrind", "--quiet", "--tool=callgrind"]
    counting += [f"--callgrind-out-file={profile}", *command]
    return _slope(counting, load, profile, r"^totals: (\d+)")


def count_calls(command: list[str], load: Load = MANY_VISITS) -> float:
    """Return the system calls of a visitor."""
    summary = BUILT / "strace.out"
    counting = ["strace", "--follow-forks", "--summary-only", f"--output={summary}", *command]
    return _slope(counting, load, summary, r"(\d+)(?: +\d+)? total$")


def _slope(command: list[str], load: Load, counted: Path, total: str) -> float:
    """Return the cost of one, by two runs of a command that writes a total to a file."""
    totals = []
    for times in (load.short, load.long):
        counted.unlink(missing_ok=True)
        with runner.serving(command) as server, server.connect() as bystander:
            load.run(server, times)
            runner.exchange([bystander], b"by now it has seen that the others are gone")
            server.end()
        found = re.search(total, counted.read_text(), re.MULTILINE)
        assert found, f"no {total} in {counted}"
        totals.append(int(found[1]))
    return (totals[1] - totals[0]) / ((load.long - load.short) * load.each)


def require(*tools: str) -> None:
    """Exit where a tool is missing."""
    for tool in tools:
        if not shutil.which(tool):
            sys.exit(f"{tool} counts what a server does, and is not here: apt install {tool}")


def name_build() -> str:
    """Name this build of Python, as far as its number of instructions goes."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimized = ", optimized" if "--enable-optimizations" in options else ""
    return f"{platform.python_version()} ({platform.python_compiler()}{optimized})"


class Verdict(NamedTuple):
    """A line for each figure. is_good: none has grown; is_news: one is to be kept."""

    lines: list[str]
    is_good: bool
    is_news: bool


def compare(kept: dict[str, int], now: dict[str, int]) -> Verdict:
    """Hold figures against those that are kept, if there are any."""
    changes = {what: count / kept[what] - 1 for what, count in now.items() if what in kept}
    lines = [
        f"a {what}: {count:,} instructions, "
        + (f"{kept[what]:,} are kept: {changes[what]:+.1%}" if what in changes else "none are kept")
        for what, count in now.items()
    ]
    return Verdict(
        lines,
        is_good=all(change <= MARGIN for change in changes.values()),
        is_news=any(abs(change) > MARGIN for change in changes.values()),
    )


def count_all() -> dict[str, int]:
    """Count what is kept."""
    runner.BUILT.mkdir(parents=True, exist_ok=True)
    command = runner.commands()[TURNCHAT]
    counts = {}
    for what, chosen, load in (
        ("turn", command, TURNS),
        ("recorded turn", runner.recorded(command), TURNS),
        ("visitor", command, VISITS),
    ):
        profile = BUILT / f"{what.replace(' ', '-')}.callgrind"
        counts[what] = round(count_instructions(chosen, load, profile))
    return counts


def main() -> None:
    command_line = argparse.ArgumentParser(prog="tests.bench.instructions")
    command_line.add_argument("--keep", action="store_true", help="keep the new figures")
    arguments = command_line.parse_args()
    require("valgrind")
    now, build = count_all(), name_build()
    kept = json.loads(KEPT.read_text())
    verdict = compare(kept.get(build, {}), now)
    print(f"Python {build}:", *verdict.lines, sep="\n")
    if arguments.keep:
        KEPT.write_text(json.dumps({**kept, build: now}, indent=1) + "\n")
        print(f"kept in {KEPT.name}")
    elif not verdict.is_good:
        sys.exit(
            f"more than {MARGIN:.0%} over the figure that is kept: callgrind_annotate"
            f" build/bench/*.callgrind shows where, or keep the new one: {HOW_TO_KEEP}"
        )
    elif verdict.is_news:
        print(f"more than {MARGIN:.0%} less: please keep the new figure: {HOW_TO_KEEP}")


if __name__ == "__main__":
    main()
