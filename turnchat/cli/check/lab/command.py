"""The lab: all hand-ins of a class, by one command."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import turnchat
from turnchat.check.case import Case, Profile, Role
from turnchat.check.diagnosis import diagnose
from turnchat.check.lab.classroom import Classroom, Settings, Work
from turnchat.check.lab.hand_ins.copies import throw_away
from turnchat.check.lab.state import State
from turnchat.check.lab.suites import expected
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.runner import Runner
from turnchat.check.sandbox import Sandbox
from turnchat.check.suite import Suite
from turnchat.cli.check import sandboxed
from turnchat.cli.check.console import Console
from turnchat.cli.check.lab import books, sources
from turnchat.cli.options import number, seconds
from turnchat.cli.startup import StartupError
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher
from turnchat.text import counted, duration

EX_SHORT, EX_WRONG, EX_INTERRUPTED = 1, 2, 130
STDOUT = 1
JOBS_PER_PROCESSOR = 3  # cases wait most of the time
BUDGET = 600.0  # seconds for all cases of a hand-in; a good one takes 60, and 200 if it is busy
STATE = "results.jsonl"
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
    action.add_argument("folder", metavar="DIR", help="of the hand-ins, or a zip file of it")
    for name, metavar, text in (
        ("--rubric", "FILE", "the points, in TOML: list --rubric prints the usual one"),
        ("--output", "DIR", "for marks and reports; without it, beside the hand-ins: DIR-marks"),
        ("--match", "REGEX", "for other names: with the groups (?P<role>...) and (?P<id>...)"),
        ("--server-command", "CMD", "starts a server: 'python3 {file} {port}'"),
        ("--client-command", "CMD", "starts a client: 'python3 {file} {host} {port}'"),
        ("--linter", "CMD", "for Python programs; without it, ruff or pyflakes if it is there"),
    ):
        action.add_argument(name, metavar=metavar, help=text)
    action.add_argument("--port", type=number, metavar="N", help="the one that is written in them")
    action.add_argument("--profile", type=Profile, choices=list(Profile), default=Profile.LAB)
    action.add_argument("--only", action="append", default=[], metavar="GLOB")
    action.add_argument("--skip", action="append", default=[], metavar="GLOB")
    action.add_argument("--timeout", type=seconds, default=2.0, metavar="S", help="for a step")
    action.add_argument(
        "--budget", type=seconds, default=BUDGET, metavar="S",
        help="for all cases of a hand-in; those left over count as not held (600)",
    )  # fmt: skip
    action.add_argument("--jobs", type=number, metavar="N", help="cases at a time (3 a processor)")
    action.add_argument("--seed", type=int, default=0, metavar="N")
    action.add_argument("-v", "--verbose", action="store_true", help="a line for each hand-in")
    action.add_argument("--exit-zero", action="store_true", help="even if a hand-in has a problem")
    sandboxed.add_options(action, is_default=True)


def run(arguments: argparse.Namespace) -> int:
    """Check and mark a class, and return the exit status."""
    for stop in signal.SIGINT, signal.SIGTERM:  # until the loop takes over, and after it
        signal.signal(stop, signal.default_int_handler)
    try:
        return _check(arguments)
    except KeyboardInterrupt:
        raise StartupError(EX_INTERRUPTED, "interrupted", GOES_ON) from None


def _check(arguments: argparse.Namespace) -> int:
    root = Path(arguments.folder)
    cases, rubric = sources.cases(arguments), sources.rubric(arguments)
    templates = {Role.SERVER: arguments.server_command, Role.CLIENT: arguments.client_command}
    with ExitStack() as stack:
        scratch = Path(mkdtemp(prefix="turnchat-lab-"))
        stack.callback(throw_away, scratch)
        scratch.chmod(0o711)  # a sandbox may run programs as another user
        found = sources.found(root, scratch, arguments.match)
        output = sources.output(root, arguments.output)
        console = stack.enter_context(closing(Console(STDOUT)))
        works = list(sources.works(found, arguments.linter, scratch, console.progress))
        sandbox = sandboxed.open_sandbox(arguments, sources.commands_in_use(works, templates))
        console.line(sandbox.describe())
        settings = Settings(
            arguments.profile, arguments.timeout, arguments.seed, arguments.port, arguments.budget,
            templates,
            lambda folder: sandbox.program_prefix(str(folder), hidden=[str(root), str(output)]),
        )  # fmt: skip
        with sources.writing(output):
            state = stack.enter_context(closing(_state(output, arguments, cases, sandbox, console)))
            library = books.Library(output, rubric, expected(cases), arguments, console.line)
            room = Classroom(
                works, cases=cases, settings=settings, state=state, scratch=scratch / "copies",
                on_done=library.write_report,
            )  # fmt: skip
            began = time.monotonic()
            _run(room, sandbox, arguments, console)
            problems = library.write_class(works, found.notices)
        status, summary = _summary(works, output, problems, time.monotonic() - began, arguments)
        console.finish(summary)
        return status


def _state(
    output: Path, arguments: argparse.Namespace, cases: Mapping[str, Sequence[Case]],
    box: Sandbox, console: Console,
) -> State:  # fmt: skip
    options = {
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
    state = State(output / STATE, options)
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
        runner = Runner(
            loop, ChildWatcher(loop, signals), sandboxed.worker_command(sandbox), room.suites(),
            jobs=jobs, on_result=take,
        )  # fmt: skip
        signals.on_stop(stop, stop)
        try:
            runner.run()
        finally:
            runner.close()
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
