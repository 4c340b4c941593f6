"""Test the tests: put one small defect into the code, and see whether they notice. For 200 defects.

python -m tests.tools.mutate [--mutants N] [--seed S] [PATH or KEY ...]

Each mutant is run in a copy of the tree, two of them side by side; the user's files stay as they
are. Its tests are those of its package, the quickest first, to the first that fails. A mutant that
exceeds the time limit is killed as well: a test that hangs is noticed.

Some mutants behave as the original does. They are listed in equivalent.txt, each with its reason,
and are not counted. The exit status is 1 if the score of a package is below its goal. Ctrl-C ends
the run early, with its report. On a machine that is busy with other things tests may fail for want
of time, which looks like a kill.
"""

import argparse
import json
import os
import queue
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.support import ROOT
from tests.tools.equivalent import Equivalents
from tests.tools.mutants import Mutant, mutants_of

WORKERS = 2
MARK = "TURNCHAT_MUTANT"  # the environment variable of what a mutant's tests start: forks.py
LONGEST = 1200  # seconds for tests without a defect
MEMORY, FILE_SIZE = 4 << 30, 1 << 28  # bytes that a mutant may use, and write into a file
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "build", "__pycache__", ".hypothesis", ".*_cache", "*.egg-info"
)
KILLED, TIME, SURVIVED, STILLBORN = "killed", "killed by time", "SURVIVED", "not importable"

SIMULATION = "tests/simulation/test_simulation.py::test_what_must_hold_does_for_every_seed"
PROGRAMS = "tests/programs/test_"
FACES = "tests/house/test_faces.py::test_a_face_imports_nothing_before_it_is_used"


class Package(NamedTuple):
    """What part of its mutants must be killed, in per cent, and by which tests beside its own."""

    goal: int
    tests: tuple[str, ...]


PACKAGES = {
    "core": Package(90, (f"{PROGRAMS}core_programs.py", f"{SIMULATION}[0]")),
    "net": Package(80, (
        f"{FACES}[net]", "tests/chat/test_client.py",
        f"{PROGRAMS}headless_limits.py::test_peers_on_a_unix_socket_are_one_host_if_they_have_one_user",
        f"{PROGRAMS}pipes_server.py::test_other_addresses")),
    "process": Package(80, (
        f"{FACES}[process]", "tests/responders/test_program.py",
        "tests/responders/test_program_end.py", "tests/responders/test_program_start.py",
        f"{PROGRAMS}headless_last_words.py",
        f"{PROGRAMS}written_files.py::test_sighup_without_a_terminal_opens_the_files_again")),
    # For these two, single tests of programs: their files wait for many seconds.
    "responders": Package(80, (
        f"{FACES}[responders]",
        f"{PROGRAMS}pipes_server.py::test_commands_work_in_a_script_each_in_its_place",
        f"{PROGRAMS}pipes_server.py::test_a_script_can_hang_up_on_a_client",
        f"{PROGRAMS}pipes_server.py::test_a_command_that_there_is_not_ends_a_script",
        f"{PROGRAMS}pipes_status.py::test_a_file_is_counted_to_its_end",
        f"{PROGRAMS}terminal_operator.py::test_who_shows_whose_turn_it_is")),
    "chat": Package(80, (
        f"{FACES}[chat]",
        f"{PROGRAMS}headless_transcript.py::test_the_transcript_has_a_line_for_each_message",
        f"{PROGRAMS}headless_log.py::test_the_log_has_a_line_at_each_start_and_end",
        f"{PROGRAMS}headless_log.py::test_quiet_keeps_only_where_it_listens_and_errors",
        f"{PROGRAMS}headless_log.py::test_verbose_adds_the_length_of_each_message",
        f"{PROGRAMS}headless_log.py::test_once_with_an_echo",
        f"{PROGRAMS}pipes_server.py::test_once_serves_one_conversation_and_exits_with_its_status",
        f"{PROGRAMS}pipes_server.py::test_a_second_signal_closes_at_once",
        f"{PROGRAMS}pipes_client.py::test_an_interrupted_client_says_byebye_if_it_is_its_turn",
        f"{PROGRAMS}written_files.py::test_sighup_without_a_terminal_opens_the_files_again")),
}  # fmt: skip


class Copy:
    """A copy of the tree, and the tests that are run in it."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        self.environment = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",  # the next mutant could be taken for this one
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # to import them takes as long as the tests
        }
        self._output = Path(f"{tree}.output")
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.tools.forks", str(self._output)],
            cwd=tree,
            env=self.environment,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process alone
        )

    def prepare(self, package: str) -> float:
        """Run a package's tests without a defect. Return the seconds they take."""
        stages = [*stages_of(self.tree, package), list(PACKAGES[package].tests)]
        command = [sys.executable, "-m", "pytest", "--collect-only", *self._options, "tests"]
        compiling = {**self.environment, "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run(command, cwd=self.tree, env=compiling, capture_output=True, check=False)
        before = time.monotonic()
        for tests in stages:
            if self.status(tests, LONGEST):
                sys.exit(f"the tests fail without a defect, too:\n{self._output.read_text()}")
        return time.monotonic() - before

    def outcome(self, mutant: Mutant, limit: float) -> str:
        """Return what becomes of the mutant."""
        path = self.tree / mutant.path
        source = path.read_bytes()
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()
        mutant.apply(self.tree)
        try:
            return self._judge(mutant, time.monotonic() + limit)
        finally:
            path.write_bytes(source)

    def _judge(self, mutant: Mutant, end: float) -> str:
        package = mutant.path.split("/")[1]
        stages = [*stages_of(self.tree, package, mutant.path), list(PACKAGES[package].tests)]
        for tests in stages:
            status = self.status(tests, end - time.monotonic())
            if status is None:
                return TIME
            if status:
                return KILLED if self._is_importable(mutant.path) else STILLBORN
        return SURVIVED

    def status(self, tests: list[str], limit: float) -> int | None:
        """Run tests. Return their exit status, or None after `limit` seconds."""
        stdin, stdout = self._forks.stdin, self._forks.stdout
        assert stdin
        assert stdout
        stdin.write(json.dumps([*self._options, *tests]).encode() + b"\n")
        pid = int(stdout.readline())
        is_over = select.select([stdout], [], [], max(limit, 0))[0]
        if not is_over:
            os.kill(pid, signal.SIGKILL)
        status = int(stdout.readline())
        self._end_what_is_left()
        return status if is_over else None

    def close(self) -> None:
        self._forks.communicate()

    @property
    def _options(self) -> list[str]:
        return ["-x", "-q", "-p", "no:cacheprovider", "--basetemp", f"{self.tree}.files"]

    def _is_importable(self, path: str) -> bool:
        module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        command = [sys.executable, "-c", f"import {module}"]
        done = subprocess.run(
            command, cwd=self.tree, env=self.environment, capture_output=True, check=False
        )
        return not done.returncode

    def _end_what_is_left(self) -> None:
        """End the programs that the tests have started, and that a failure has left running."""
        mark = f"{MARK}={self.tree}".encode()
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in environment.read_bytes().split(b"\0"):
                    os.kill(int(environment.parent.name), signal.SIGKILL)


def stages_of(tree: Path, package: str, path: str = "") -> Iterator[list[str]]:
    """Yield the package's tests in groups: first those named after the file at `path`."""
    folder = tree / "tests" / package
    tests = sorted(str(test.relative_to(tree)) for test in folder.glob("test_*.py"))
    prefix = f"tests/{package}/test_{Path(path).stem.strip('_')}"
    own = [test for test in tests if test.startswith(prefix)] if path else []
    if own:
        yield [path, *own]  # with the examples in its docstrings
    if others := [test for test in tests if test not in own]:
        yield others


class Run:
    """A sample of mutants, and what becomes of them."""

    def __init__(self, mutants: list[Mutant]) -> None:
        self.mutants = mutants
        self.counts = {package: Counter[str]() for package in PACKAGES}
        self.survivors: list[Mutant] = []

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="turnchat-mutate-") as folder:
            copies = queue.SimpleQueue[Copy]()
            for number in range(WORKERS):
                copies.put(Copy(Path(folder, str(number), "tree")))
            limits = self._limits(copies)

            def judge(mutant: Mutant) -> str:
                copy = copies.get()
                try:
                    return copy.outcome(mutant, limits[mutant.path.split("/")[1]])
                finally:
                    copies.put(copy)

            with ThreadPoolExecutor(WORKERS) as pool:
                try:
                    waiting = {pool.submit(judge, mutant): mutant for mutant in self.mutants}
                    for number, future in enumerate(as_completed(waiting), 1):
                        self._note(number, waiting[future], future.result())
                except KeyboardInterrupt:
                    print("interrupted: here is what there is so far", flush=True)
                finally:
                    pool.shutdown(cancel_futures=True)
                    for _ in range(WORKERS):
                        copies.get().close()

    def _limits(self, copies: "queue.SimpleQueue[Copy]") -> dict[str, float]:
        """Return the seconds for a mutant of each package: 20, and twice what it should need."""
        all_copies = [copies.get() for _ in range(WORKERS)]
        limits = {}
        with ThreadPoolExecutor(WORKERS) as pool:
            for package in sorted({mutant.path.split("/")[1] for mutant in self.mutants}):
                longest = max(pool.map(lambda copy: copy.prepare(package), all_copies))  # noqa: B023
                limits[package] = 20 + 2 * longest
                print(f"{package}: its tests take {longest:.1f} s without a defect", flush=True)
        for copy in all_copies:
            copies.put(copy)
        return limits

    def _note(self, number: int, mutant: Mutant, outcome: str) -> None:
        self.counts[mutant.path.split("/")[1]][outcome] += 1
        if outcome == SURVIVED:
            self.survivors.append(mutant)
        place = f"{mutant.path}:{mutant.line} {mutant.place}"
        print(f"{number}/{len(self.mutants)} {mutant.key} {outcome}: {place}", flush=True)

    def report(self) -> bool:
        """Print the survivors and the scores. Return True if each goal is reached."""
        is_enough = True
        for mutant in sorted(self.survivors):
            print(f"\n{mutant.key} survived: {mutant.path}:{mutant.line} {mutant.place}")
            print(mutant.difference)
        print()
        for package, counts in self.counts.items():
            killed = counts[KILLED] + counts[TIME]
            if number := killed + counts[SURVIVED]:
                goal = PACKAGES[package].goal
                is_enough = is_enough and 100 * killed >= goal * number
                print(
                    f"{package}: {100 * killed / number:.1f} % killed, {killed} of {number}"
                    f" ({counts[TIME]} by time); the goal is {goal} %"
                )
        return is_enough


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.mutate")
    parser.add_argument("--mutants", default="200", help='a number, or "all" (%(default)s)')
    parser.add_argument("--seed", type=int, help="draw the sample of that run again")
    parser.add_argument("what", nargs="*", metavar="PATH or KEY", help="of files or mutants")
    chosen = parser.parse_args()
    paths = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / "turnchat" / package).glob("*.py"))
    ]
    starts = tuple(chosen.what)
    if chosen.what and all("/" in start for start in starts):
        paths = [path for path in paths if path.startswith(starts)]
    mutants = [mutant for path in paths for mutant in mutants_of(ROOT, path)]
    if chosen.what:
        mutants = [one for one in mutants if one.path.startswith(starts) or one.key in starts]
    known = Equivalents.read()
    counted = [mutant for mutant in mutants if not known.has(mutant)]
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    number = len(counted) if chosen.mutants == "all" else min(int(chosen.mutants), len(counted))
    print(
        f"{number} of {len(counted)} mutants, with SEED={seed};"
        f" {len(mutants) - len(counted)} more are equivalent",
        flush=True,
    )
    # Each mutant has its own place in the order, which others that come and go do not change.
    order = sorted(counted, key=lambda mutant: random.Random(f"{seed} {mutant.key}").random())
    run = Run(order[:number])
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE_SIZE)):
        resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    run.run()
    sys.exit(not run.report())


if __name__ == "__main__":
    main()
