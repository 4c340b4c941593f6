"""Measure turnchat and its peers side by side, and write the results.

python -m tests.bench [--rounds N] [--seconds S] [--dry]

All servers of a comparison run from its beginning to its end, and idle until they are measured.
Each round measures all of them, one after the other, so a busy moment of the machine strikes them
alike. Ratios are taken within a round; the median of the rounds is printed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import date

from tests.bench import runner
from tests.bench.report import RESULTS, TROUBLES, Measured, write
from tests.bench.runner import FLOOR, TURNCHAT, LoadFailed, commands, serving
from tests.support import CLIENT

SWEEP = [(number, runner.BODY) for number in (1, 10, 100, 1000, 10000)] + [(100, 1), (100, 255)]
MOST_THREADS = 1000  # with ten times as many a round takes minutes
TURNS_A_SECOND = 5000  # of all conversations together: so that each has some, in any round
HELD = 15_000  # conversations
MEMORY_OF = 10_000  # conversations
AT_ONCE = 50  # visitors
ALONE = "alone"
PEERS = dict(zip(TROUBLES, ((5000, 500, 0), (0, 0, 100), (0, 0, 1000)), strict=True))
IMPORTS = "import argparse, socket, selectors"
STARTS = 21


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def rotated(names: list[str], count: int) -> list[str]:
    """Begin each round with another server, so that none always follows the same one."""
    start = count % len(names)
    return names[start:] + names[:start]


def compare_turns(measured: Measured, rounds: int, seconds: float) -> None:
    for number, body in SWEEP:
        chosen = commands()
        if number > MOST_THREADS:
            del chosen["threads"]
        if (number, body) == (100, runner.BODY):  # what it costs to be recorded
            chosen["turnchat --record"] = [*chosen[TURNCHAT], "--record", "/dev/null"]
        with ExitStack() as stack:
            servers = {
                name: stack.enter_context(serving(command)) for name, command in chosen.items()
            }
            for count in range(rounds):
                say(f"{number} conversations, {body} bytes, round {count + 1} of {rounds}")
                enough = max(seconds, number / TURNS_A_SECOND)
                for name in rotated(list(servers), count):
                    try:
                        figures = runner.turns(servers[name], number, body, enough)
                    except LoadFailed:
                        say(f"{name} cannot serve {number} conversations")
                        measured.note(f"failures: {number} x {body}", name, 1)
                        del servers[name]
                    else:
                        measured.note_turns(name, number, body, figures)
    for _ in range(rounds):
        with runner.serving_naively() as server:
            figures = runner.turns(server, 1, runner.BODY, seconds)
            measured.note_turns("the naive lesson", 1, runner.BODY, figures)


def compare_visits(measured: Measured, rounds: int, seconds: float) -> None:
    chosen = {name: command for name, command in commands().items() if name != "threads"}
    chosen[f"{TURNCHAT} --quiet"] = [*chosen[TURNCHAT], "--quiet"]
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(command)) for name, command in chosen.items()}
        for count in range(rounds):
            say(f"visitors, round {count + 1} of {rounds}")
            for name in rotated(list(servers), count):
                server = servers[name]
                rate, failures = runner.visits(server, AT_ONCE, seconds)
                measured.note("visits", name, rate)
                measured.note("visit failures", name, failures)


def compare_memory(measured: Measured) -> None:
    chosen = commands()
    del chosen["threads"]
    for name, command in chosen.items():
        say(f"memory of {name}")
        with serving(command) as server:
            try:
                grown, failures = runner.hold(server, MEMORY_OF)
            except LoadFailed:
                measured.note("memory failures", name, MEMORY_OF)
                continue
            measured.note("memory", name, grown)
            measured.note("memory failures", name, failures)
    with serving(commands()[TURNCHAT]) as server:
        try:
            _, failures = runner.hold(server, HELD)
        except LoadFailed:
            failures = HELD
        measured.note("held", TURNCHAT, HELD - failures)


def bear_trouble(measured: Measured, rounds: int, seconds: float) -> None:
    for count in range(rounds):
        say(f"trouble, round {count + 1} of {rounds}")
        for name in (TURNCHAT, FLOOR):
            for what in (ALONE, *TROUBLES):
                with serving(commands()[name]) as server, ExitStack() as stack:
                    if what in PEERS:
                        stack.enter_context(runner.trouble(server, *PEERS[what]))
                    figures = runner.turns(server, 1, runner.BODY, seconds)
                measured.note(f"trouble: {what}", name, figures.p99)
                measured.note(f"trouble: {what}, median", name, figures.p50)


def compare_starts(measured: Measured) -> None:
    """As where it is installed: with modules that were compiled at the first start."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(runner.BUILT / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    starts = {"imports": ["-c", IMPORTS], "client": [CLIENT, "--version"]}
    for count in range(-1, STARTS):
        for name, arguments in starts.items():
            command = [sys.executable, *arguments]
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
            if count >= 0:
                measured.note("start", name, (time.perf_counter() - began) * 1000)


def main() -> None:
    command_line = argparse.ArgumentParser(prog="tests.bench")
    command_line.add_argument("--rounds", type=int, default=7)
    command_line.add_argument("--seconds", type=float, default=0.4, help="for each measurement")
    command_line.add_argument("--dry", action="store_true", help="write no file")
    arguments = command_line.parse_args()
    runner.build()
    measured = Measured(
        date=date.today().isoformat(),
        machine=f"{len(runner.CORES)} shared cores, {runner.processor()}, {platform.system()}"
        f" {platform.release().partition('-')[0]}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        rounds=arguments.rounds,
        seconds=arguments.seconds,
    )
    compare_starts(measured)
    compare_turns(measured, arguments.rounds, arguments.seconds)
    compare_visits(measured, arguments.rounds, arguments.seconds)
    compare_memory(measured)
    bear_trouble(measured, arguments.rounds, 2 * arguments.seconds)
    print(measured.tables())
    if not arguments.dry:
        RESULTS.write_text(json.dumps(measured.as_json(), indent=1) + "\n")
        write(measured)


if __name__ == "__main__":
    main()
