"""One server, one client, or a pair: run its cases, and report."""

import argparse
import fnmatch
import os
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches
from functools import partial
from itertools import chain

from turnchat.check.case import GROUPS, Case, Role, all_cases, select
from turnchat.check.diagnosis import diagnose
from turnchat.check.formats.text import Text
from turnchat.check.processes import adopt_orphans
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.check.runner import Runner
from turnchat.check.sandbox import Sandbox
from turnchat.check.suite import Suite, Task
from turnchat.cli.check import options, outputs, pages
from turnchat.cli.check.commands import commands_of, must_be_free
from turnchat.cli.check.console import Console
from turnchat.cli.startup import EX_WRONG, StartupError
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher

EX_SHORT = 1
BY_SIGNAL = 128  # and the number of the signal: as a shell tells it
STDOUT, STDERR = 1, 2


def check(arguments: argparse.Namespace) -> int:
    """Run the cases, report, and return the exit status."""
    role = Role(arguments.role)
    commands = commands_of(role, arguments)
    outputs.check_paths(arguments)
    cases = _cases(role, arguments)
    sandbox = options.open_sandbox(arguments, commands.values())
    must_be_free(arguments.port, sandbox)
    task = Task(
        "", role, commands, arguments.port, prefix=sandbox.program_prefix(),
        profile=arguments.profile, timeout=arguments.timeout, seed=arguments.seed,
        memory=sandbox.memory,
    )  # fmt: skip
    descriptor = STDERR if outputs.takes_stdout(arguments) else STDOUT
    with pages.recordings(arguments) as record_at, closing(Console(descriptor)) as console:
        text = Text(colour=console.has_colours, columns=console.columns)
        suite = Suite(
            cases, task, repeat=arguments.repeat, record_at=record_at, is_strict=arguments.strict
        )
        began = time.monotonic()
        _run(suite, arguments, sandbox, console, text)
        report = Report(
            arguments.profile, role, list(chain(*commands.values())), suite.ordered(),
            time.monotonic() - began, arguments.seed,
            {Role(name): words for name, words in commands.items()},
        )  # fmt: skip
        try:
            below = "\n" if arguments.verbose else ""
            console.finish(below + text.report(report, explains_all=arguments.verbose))
        finally:  # a screen that cannot be written is no reason to lose the files
            outputs.write(pages.write(report, arguments), arguments)
    return _status(report, exits_zero=arguments.exit_zero)


def _cases(role: Role, arguments: argparse.Namespace) -> list[Case]:
    """Return the cases that the arguments choose, at least one. Raises StartupError."""
    globs = [*arguments.only, *arguments.skip]
    try:
        cases = select(role, arguments.profile, arguments.only, arguments.skip)
    except ValueError as error:
        raise StartupError(EX_WRONG, str(error), _advice(globs)) from error
    if not cases:
        raise StartupError(EX_WRONG, "--skip leaves no case to try", "leave some of them in")
    return cases


def _advice(globs: Sequence[str]) -> str:
    """Return what to write in place of a glob that no case of this role and profile has."""
    ids = [one.id for one in all_cases()]
    for glob in globs:
        if glob.strip("/") in GROUPS:
            return f"for the whole group: '{glob.strip('/')}/*'"
        if not fnmatch.filter(ids, glob) and (alike := get_close_matches(glob, ids, 1)):
            return f"did you mean {alike[0]}?"
    return "turnchat-check list shows the ids, and the role and profile of each"


def _run(
    suite: Suite, arguments: argparse.Namespace, sandbox: Sandbox, console: Console, text: Text
) -> None:
    """Run the cases of a suite.

    A signal ends all that was started, and then raises StartupError.
    """
    total = len(suite.cases)
    interrupts: list[int] = []

    def begin(_suite: Suite, case: Case) -> None:
        console.progress(f"{len(suite.results) + 1} of {total}  {case.id}")

    def take(_suite: Suite, result: CaseResult) -> None:
        named = result._replace(diagnosis=diagnose(result))
        suite.results[result.id] = named
        if arguments.verbose:
            console.line(text.line(named))

    def interrupt(number: int) -> None:
        interrupts.append(number)
        runner.stop()

    backend = Backend()
    with closing(backend.loop()) as loop, closing(backend.signals(loop)) as signals:
        has_one_port = arguments.port and not sandbox.worker_prefix  # that all workers would share
        jobs = 1 if has_one_port else min(arguments.jobs, total)
        watcher = ChildWatcher(loop, signals)
        adopt_orphans()
        command = options.worker_command(sandbox)
        runner = Runner(loop, watcher, command, [suite], jobs=jobs, on_result=take, on_start=begin)
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            signals.on(number, partial(interrupt, number))
        runner.run()
    if interrupts:
        console.finish()
        by, done = signal.Signals(interrupts[0]), len(suite.results)
        problem = f"ended by {by.name} after {done} of {total} cases, with all it had started"
        raise StartupError(BY_SIGNAL + by, problem)


def _status(report: Report, *, exits_zero: bool) -> int:
    if report.count(Verdict.ERROR):
        return os.EX_SOFTWARE
    return EX_SHORT if report.count(Verdict.FAIL) and not exits_zero else os.EX_OK
