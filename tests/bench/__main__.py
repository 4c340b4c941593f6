"""Measure turnchat and its peers side by side, and write the results.

python -m tests.bench [--rounds N] [--seconds S] [--python PATH] [--dry] [--tls-alone]

All servers of a comparison run from its beginning to its end, and idle until they are measured.
Each round measures all of them, one after the other, so a busy moment of the machine strikes them
alike. Ratios are taken within a round; the median of the rounds is printed.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import date

from tests.bench import instructions, runner
from tests.bench.goals import HELD
from tests.bench.instructions import AT_ONCE, TURNS, VISITS, count_calls, count_instructions
from tests.bench.measured import RESULTS, SIZES, TROUBLES, Measured
from tests.bench.report import tables, write
from tests.bench.runner import (
    ASYNCIO,
    BODY,
    FLOOR,
    NAKED,
    RECORDED,
    TURNCHAT,
    UVLOOP,
    LoadFailed,
    commands,
    commands_by,
    recorded,
    serving,
)
from tests.support import SERVER

SWEEP = [(number, BODY) for number in SIZES] + [(100, 255)]
TLS_SIZES = (1, 100, 1000)
MOST_THREADS = 1000  # with ten times as many a round takes minutes
TURNS_A_SECOND = 8000  # of all conversations together: so that each has some, in any round
MEMORY_OF = 10_000  # conversations
SYSTEM_PYTHON = "/usr/bin/python3"
WITH_OTHERS = (100, 1000)  # conversations, with the system's own Python
COUNTED = (FLOOR, NAKED, TURNCHAT, UVLOOP, ASYNCIO)  # the bounds, and the best of each library
ALONE = "alone"
PEERS = dict(zip(TROUBLES, ((5000, 500, 0), (0, 0, 1000)), strict=True))
IMPORTS = "import argparse, socket, selectors"
STARTS = 21

Commands = dict[str, list[str]]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def rotated(names: list[str], count: int) -> list[str]:
    """Begin each round with another server, so that none always follows the same one."""
    start = count % len(names)
    return names[start:] + names[:start]


def compare_turns(measured: Measured, others: Commands, rounds: int, seconds: float) -> None:
    for number, body in SWEEP:
        chosen = commands()
        if number > MOST_THREADS:
            del chosen["threads"]
        if body == BODY and number in WITH_OTHERS:
            chosen |= others
        if (number, body) == (100, BODY):  # what it costs to be recorded
            chosen[RECORDED] = recorded(chosen[TURNCHAT])
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
            figures = runner.turns(server, 1, BODY, seconds)
            measured.note_turns("the naive lesson", 1, BODY, figures)


def compare_visits(measured: Measured, others: Commands, rounds: int, seconds: float) -> None:
    chosen = {name: command for name, command in commands().items() if name != "threads"} | others
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


def compare_tls(measured: Measured, rounds: int, seconds: float) -> None:
    """Measure turns and handshakes over TLS: all servers have the same certificate and ciphers."""
    for what in [one for one in measured.figures if one.startswith("TLS")]:
        del measured.figures[what]
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(serving(command))
            for name, command in runner.commands_with_tls().items()
        }
        for number, count in ((number, count) for number in TLS_SIZES for count in range(rounds)):
            say(f"TLS, {number} conversations, round {count + 1} of {rounds}")
            for name in rotated(list(servers), count):
                figures = runner.turns(servers[name], number, BODY, seconds)
                for field in ("rate", "cpu", "p99", "failures"):
                    measured.note(f"TLS {field}: {number} x {BODY}", name, getattr(figures, field))
        for count in range(rounds):
            say(f"TLS, visitors, round {count + 1} of {rounds}")
            for name in rotated(list(servers), count):
                rate, failures = runner.visits(servers[name], AT_ONCE, seconds)
                measured.note("TLS visits", name, rate)
                measured.note("TLS visit failures", name, failures)


def count_costs(measured: Measured, others: Commands) -> None:
    """Count once what does not move from round to round."""
    chosen = commands()
    for name, command in ({name: chosen[name] for name in COUNTED} | others).items():
        say(f"instructions and system calls of {name}")
        measured.note("instructions: turn", name, count_instructions(command, TURNS))
        measured.note("instructions: visitor", name, count_instructions(command, VISITS))
        measured.note("system calls: visitor", name, count_calls(command))


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
        for name in (FLOOR, NAKED, TURNCHAT):
            for what in (ALONE, *TROUBLES):
                with serving(commands()[name]) as server, ExitStack() as stack:
                    if what in PEERS:
                        stack.enter_context(runner.trouble(server, *PEERS[what]))
                    figures = runner.turns(server, 1, BODY, seconds)
                measured.note(f"trouble: {what}", name, figures.p99)
                measured.note(f"trouble: {what}, median", name, figures.p50)


def compare_starts(measured: Measured) -> None:
    """Time turnchat-server up to its first line, and a program of bare imports up to its end.

    As where they are installed: with modules that were compiled at the first start. Without the
    module site, since a file of another package may have it import anything.
    """
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(runner.BUILT / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    starts = {
        "imports": (["-c", IMPORTS], b""),
        "server": ([SERVER, "--echo", "127.0.0.1:0"], rb".* listening on .*\n"),
    }
    for count in range(-1, STARTS):
        for name, (arguments, expected) in starts.items():
            command = [sys.executable, "-S", *arguments]
            began = time.perf_counter()
            with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
                assert process.stderr
                line = process.stderr.readline()
                spent = time.perf_counter() - began
                process.kill()
            assert re.fullmatch(expected, line), line
            if count >= 0:
                measured.note("start", name, 1000 * spent)


def words_of(python: str, others: Commands) -> str:
    """Say what the rows with the system's own Python are."""
    if not others:
        return "No Python of the system's own was measured."
    version = subprocess.check_output([python, "-c", "import sys; print(sys.version)"], text=True)
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"The system's own Python is {version.strip()} of {system}."


def measure_all(arguments: argparse.Namespace) -> Measured:
    """Measure everything but TLS."""
    others = commands_by(arguments.python)
    measured = Measured(
        date=date.today().isoformat(),
        machine=f"{len(runner.CORES)} shared cores, {runner.processor()}, {platform.system()}"
        f" {platform.release().partition('-')[0]}",
        python=instructions.name_build(),
        other=words_of(arguments.python, others),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
    )
    compare_starts(measured)
    compare_turns(measured, others, arguments.rounds, arguments.seconds)
    compare_visits(measured, others, arguments.rounds, arguments.seconds)
    count_costs(measured, others)
    compare_memory(measured)
    bear_trouble(measured, arguments.rounds, 2 * arguments.seconds)
    return measured


def main() -> None:
    command_line = argparse.ArgumentParser(prog="tests.bench")
    command_line.add_argument("--rounds", type=int, default=7)
    command_line.add_argument("--seconds", type=float, default=0.4, help="for each measurement")
    command_line.add_argument(
        "--python", default=SYSTEM_PYTHON, help="the system's own, measured too"
    )
    command_line.add_argument("--dry", action="store_true", help="write no file")
    command_line.add_argument(
        "--tls-alone", action="store_true", help="measure TLS again, and keep the other figures"
    )
    arguments = command_line.parse_args()
    instructions.require("valgrind", "strace", "openssl")
    runner.build()
    runner.prepare_tls()
    measured = Measured.load() if arguments.tls_alone else measure_all(arguments)
    compare_tls(measured, arguments.rounds, arguments.seconds)
    print(tables(measured))
    if not arguments.dry:
        RESULTS.write_text(json.dumps(measured.as_json(), indent=1) + "\n")
        write(measured)


if __name__ == "__main__":
    main()
