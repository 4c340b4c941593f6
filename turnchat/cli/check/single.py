"""One server, one client, or a pair: run its cases, and report."""

import argparse
import os
import signal
import time
from contextlib import closing
from functools import partial

from turnchat.check.case import Case, Role, select
from turnchat.check.diagnosis import diagnose
from turnchat.check.formats.text import Text
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.check.runner import Runner
from turnchat.check.sandbox import Sandbox
from turnchat.check.suite import Suite, Task
from turnchat.cli.check import outputs, pages, sandboxed
from turnchat.cli.check.commands import commands_of, must_be_free
from turnchat.cli.check.console import Console
from turnchat.cli.startup import StartupError
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher

EX_SHORT = 1
EX_WRONG = 2
BY_SIGNAL = 128  # and the number of the signal: as a shell tells it
STDOUT, STDERR = 1, 2


class Interrupted(Exception):
    """A signal has ended the run. number: of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def check(arguments: argparse.Namespace) -> int:
    """Run the cases, and return the exit status."""
    role = Role(arguments.role)
    commands = commands_of(role, arguments)
    outputs.check_paths(arguments)
    try:
        cases = select(role, arguments.profile, arguments.only, arguments.skip)
    except ValueError as error:
        raise StartupError(EX_WRONG, str(error), "turnchat-check list shows the ids") from error
    sandbox = sandboxed.open_sandbox(arguments, commands.values())
    if not sandbox.worker_prefix:
        must_be_free(arguments.port)
    task = Task(
        "", role, commands, arguments.port, prefix=sandbox.program_prefix(),
        profile=arguments.profile, timeout=arguments.timeout, seed=arguments.seed,
    )  # fmt: skip
    descriptor = STDERR if outputs.takes_stdout(arguments) else STDOUT
    with pages.recordings(arguments) as record_at, closing(Console(descriptor)) as console:
        text = Text(colour=console.has_colours)
        suite = Suite(
            cases, task, repeat=arguments.repeat, record_at=record_at, is_strict=arguments.strict
        )
        began = time.monotonic()
        try:
            _run(suite, arguments, sandbox, console, text)
        except Interrupted as error:
            console.finish()
            done, name = len(suite.results), signal.Signals(error.number).name
            problem = f"ended by {name} after {done} of {len(cases)} cases; all was ended with it"
            raise StartupError(BY_SIGNAL + error.number, problem) from error
        all_words = [word for words in commands.values() for word in words]
        report = Report(
            arguments.profile, role, all_words, suite.ordered(), time.monotonic() - began,
            arguments.seed, {Role(name): words for name, words in commands.items()},
        )  # fmt: skip
        console.finish(text.report(report, explains_all=arguments.verbose))
        outputs.write(pages.write(report, arguments), arguments)
    return _status(report, exits_zero=arguments.exit_zero)


def _run(
    suite: Suite, arguments: argparse.Namespace, sandbox: Sandbox, console: Console, text: Text
) -> None:
    """Run the cases of a suite. Raises Interrupted, when all that was started has been ended."""
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
        command = sandboxed.worker_command(sandbox)
        runner = Runner(loop, watcher, command, [suite], jobs=jobs, on_result=take, on_start=begin)
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            signals.on(number, partial(interrupt, number))
        runner.run()
    if interrupts:
        raise Interrupted(interrupts[0])


def _status(report: Report, *, exits_zero: bool) -> int:
    if report.count(Verdict.ERROR):
        return os.EX_SOFTWARE
    return EX_SHORT if report.count(Verdict.FAIL) and not exits_zero else os.EX_OK
