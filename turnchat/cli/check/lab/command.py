"""The lab: all hand-ins of a class, by one command."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import turnchat
from turnchat.check.case import Case, Role
from turnchat.check.diagnosis import diagnose
from turnchat.check.lab.classroom import Classroom, Settings, Work
from turnchat.check.lab.state import State
from turnchat.check.lab.suites import expected
from turnchat.check.processes import adopt_orphans
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.runner import Runner
from turnchat.check.sandbox import Sandbox
from turnchat.check.scratch import scratch
from turnchat.check.suite import Suite
from turnchat.cli.check import options
from turnchat.cli.check.commands import must_be_free
from turnchat.cli.check.console import Console
from turnchat.cli.check.lab import books, sources
from turnchat.cli.startup import StartupError
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher
from turnchat.text import counted, duration

EX_SHORT, EX_INTERRUPTED = 1, 130
STDOUT = 1
JOBS_PER_PROCESSOR = 3  # cases wait most of the time
BUDGET = 600.0  # seconds for all cases of a hand-in; a good one takes 60, and 200 if it is busy
STATE = "results.jsonl"
COPIES = "turnchat-lab-copies-"  # in the folder for temporary files
SCRATCH = ".turnchat-lab-scratch-"  # in the output folder, which is hidden from programs
AS_OF_SERVER = "as in turnchat-check server --help"
GOES_ON = "the same command goes on where it stopped"

HELP = """\
Find the hand-ins in a folder or zip file, check each student's server and
client, and write marks.csv, index.html and a report for each student. A run
that was interrupted goes on where it stopped.

Programs in Python, JavaScript, shell, and in one file of Java or C are started
by their suffix; --server-command and --client-command start all others. {file}
is the program. Programs that have a port written in them need --port."""


def add_parser(actions: Any) -> None:
    """Add the command lab."""
    action = actions.add_parser(
        "lab",
        help="check and mark the hand-ins of a class",
        description=HELP,
    )
    action.set_defaults(run=run)
    action.add_argument("folder", metavar="DIR", help="the folder of the hand-ins, or a zip file")
    for name, metavar, text in (
        ("--rubric", "FILE", "the points, in TOML: list --rubric prints the usual one"),
        ("--output", "DIR", "the folder for marks and reports; without it, DIR-marks"),
        ("--match", "REGEX", "for other names: with the groups (?P<role>...) and (?P<id>...)"),
        ("--server-command", "CMD", "starts a server: 'python3 {file} {port}'"),
        ("--client-command", "CMD", "starts a client: 'python3 {file} {host} {port}'"),
        ("--linter", "CMD", "for Python programs; without it, ruff or pyflakes if it is there"),
    ):
        action.add_argument(name, metavar=metavar, help=text)
    _, runs = options.add_case_options(action, jobs=None, default_jobs="3 a processor")
    runs.add_argument(
        "--budget", type=options.budget, default=BUDGET, metavar="S",
        help="seconds for those cases of a hand-in that fall short; once they are spent, the rest "
        "counts as not held (default: 600)",
    )  # fmt: skip
    action.add_argument("-v", "--verbose", action="store_true", help="a line for each hand-in")
    action.add_argument("--exit-zero", action="store_true", help="even if a hand-in has a problem")
    options.add_sandbox_options(action, is_default=True)


def run(arguments: argparse.Namespace) -> int:
    """Check and mark a class, and return the exit status."""
    for stop in signal.SIGINT, signal.SIGTERM:  # until the loop takes over, and after it
        signal.signal(stop, signal.default_int_handler)
    try:
        return _check(arguments)
    except KeyboardInterrupt:
        raise StartupError(EX_INTERRUPTED, "interrupted", GOES_ON) from None


def _check(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    root = Path(arguments.folder)
    cases, rubric = sources.cases(arguments), sources.rubric(arguments)
    templates = {Role.SERVER: arguments.server_command, Role.CLIENT: arguments.client_command}
    with ExitStack() as stack:
        output = stack.enter_context(sources.output(root, arguments.output))
        with sources.writing(output):
            folder = stack.enter_context(scratch(output, SCRATCH))
        found = sources.found(root, folder, arguments.match)
        console = stack.enter_context(closing(Console(STDOUT)))
        linter = sources.linter(arguments.linter)
        in_use = sources.commands_in_use(found.hand_ins, templates)
        sandbox = options.open_sandbox(arguments, in_use)
        must_be_free(arguments.port, sandbox)
        copies = folder / "copies"
        if sandbox.lets_strangers_in():  # the output is closed to them
            copies = stack.enter_context(scratch(Path(gettempdir()), COPIES))
            copies.chmod(0o711)
        console.line(sandbox.describe(str(copies.parent)))
        hidden = [str(root), str(output)]
        of_tools = options.open_sandbox(arguments, [*in_use, *sources.tools_in_use(linter)])
        of_tools_prefix = sources.prefix_of_tools(of_tools, hidden)
        works = list(
            sources.works(found.hand_ins, linter, of_tools_prefix, copies, console.progress)
        )  # fmt: skip

        def prefix(place: Path) -> Sequence[str]:
            sandbox.give(str(place))
            return sandbox.program_prefix(str(place), hidden=hidden)

        settings = Settings(
            arguments.profile, arguments.timeout, arguments.seed, arguments.port, arguments.budget,
            templates, sources.OWN, prefix, sandbox.memory,
        )  # fmt: skip
        with sources.writing(output):
            state = stack.enter_context(closing(_state(output, arguments, cases, sandbox, console)))
            library = books.Library(output, rubric, expected(cases), arguments, console.line)
            room = Classroom(
                works, cases=cases, settings=settings, state=state, scratch=copies,
                on_done=library.write_report,
            )  # fmt: skip
            _run(room, sandbox, arguments, console)
            problems = library.write_class(works, found.notices)
        status, summary = _summary(works, output, problems, time.monotonic() - began, arguments)
        console.finish(summary)
        return status


def _state(
    output: Path, arguments: argparse.Namespace, cases: Mapping[str, Sequence[Case]],
    box: Sandbox, console: Console,
) -> State:  # fmt: skip
    dependencies = {
        "turnchat": turnchat.__version__,
        "python": sys.version,
        **{
            name: getattr(arguments, name)
            for name in (
                "profile", "timeout", "seed", "port", "budget", "server_command", "client_command"
            )
        },
        "cases": sorted(expected(cases)),
        "sandbox": box.describe(),
    }  # fmt: skip
    state = State(output / STATE, dependencies)
    if state.restarted_since:
        console.line(f"it starts from the beginning: {state.restarted_since}")
    elif state.count:
        console.line(f"it goes on: {state.count} results are known from before")
    return state


def _run(
    room: Classroom, sandbox: Sandbox, arguments: argparse.Namespace, console: Console
) -> None:
    jobs = arguments.jobs or JOBS_PER_PROCESSOR * (os.cpu_count() or 1)
    if arguments.port and not sandbox.worker_prefix and jobs > 1:
        jobs = 1
        console.line(
            "one case at a time, since all use one port and there is no network of their own"
        )

    def take(suite: Suite, result: CaseResult) -> None:
        suite.results[result.id] = result._replace(diagnosis=diagnose(result))
        room.take(suite, suite.results[result.id])
        done = room.progress
        left = "" if done.left is None else f", about {duration(done.left)} left"
        console.progress(f"{done.hand_ins} of {done.of_hand_ins} hand-ins{left}  {result.id}")

    was_stopped = []

    def stop() -> None:
        was_stopped.append(True)
        runner.stop()

    backend = Backend()
    with closing(backend.loop()) as loop, closing(backend.signals(loop)) as signals:
        adopt_orphans()
        runner = Runner(
            loop, ChildWatcher(loop, signals), options.worker_command(sandbox), room.suites(),
            jobs=jobs, on_result=take,
        )  # fmt: skip
        signals.on_stop(stop, stop)
        runner.run()
    if was_stopped:
        console.finish()
        done = room.progress
        raise StartupError(
            EX_INTERRUPTED,
            f"interrupted after {done.hand_ins} of {done.of_hand_ins} hand-ins",
            GOES_ON,
        )


def _summary(
    works: Sequence[Work],
    output: Path,
    problems: int,
    took: float,
    arguments: argparse.Namespace,
) -> tuple[int, str]:
    """Return the exit status, and the words at the end."""
    text = f"{counted(len(works), 'hand-in')} in {duration(took)}: {output / 'index.html'}, "
    text += f"{output}/marks.csv\n"
    if problems:
        have = "of them has" if problems == 1 else "of them have"
        text += f"{problems} {have} a problem for you to look at: see marks.csv\n"
    results = (one for work in works for them in work.results.values() for one in them.values())
    if any(one.verdict is Verdict.ERROR for one in results):
        return os.EX_SOFTWARE, text
    return (EX_SHORT if problems and not arguments.exit_zero else os.EX_OK), text
