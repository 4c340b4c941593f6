"""The run of a class: the suites of each hand-in, one after the other, and their results.

It hands suites to the Runner as workers become free. When the last case of a hand-in is done, its
owner hears of it, and its evidence is let go: a hundred hand-ins need no more memory than a few.
"""

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from turnchat.check.case import Case, Profile, Role
from turnchat.check.lab.evidence import without_folder
from turnchat.check.lab.hand_ins.copies import copy, copy_classes
from turnchat.check.lab.hand_ins.languages import clean_environment, command, typed
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.check.lab.inspection.look import Look
from turnchat.check.lab.inspection.tools import Prefix
from turnchat.check.lab.state import State, shortened
from turnchat.check.lab.suites import (
    SUITES,
    Budget,
    LabSuite,
    SuiteKind,
    commands,
    commands_as_typed,
)
from turnchat.check.report import CaseResult
from turnchat.check.scratch import throw_away
from turnchat.check.suite import Suite, Task

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE)  # it concerns all, not one


class Settings(NamedTuple):
    """The way in which all hand-ins are run. templates: the command of a role, if not the usual.

    own: the command of turnchat's own program of a role. budget: seconds for all cases of a
    hand-in. prefix, memory: of a sandbox.
    """

    profile: Profile
    timeout: float
    seed: int
    port: int | None
    budget: float
    templates: Mapping[Role, str | None]
    own: Mapping[Role, Sequence[str]]
    prefix: Prefix = lambda _folder: ()
    memory: int | None = None


class Work:
    """A hand-in on its way. results: of each suite, by id, when it is done."""

    def __init__(self, hand_in: HandIn, looks: Mapping[Role, Look], digest: str) -> None:
        self.hand_in, self.looks, self.digest = hand_in, looks, digest
        self.results: dict[str, Mapping[str, CaseResult]] = {}
        self.problems: list[str] = []
        self.is_done = False

    @property
    def name(self) -> str:
        """The student's name: that of the course system, else the one at the top of a program."""
        names = (look.header.name for look in self.looks.values())
        return self.hand_in.name or next(filter(None, names), "")

    @property
    def id(self) -> str:
        """The student's ID: that of the names, else the one at the top of all programs."""
        ids = {look.header.id or "" for look in self.looks.values()}
        at_top = ids.pop() if len(ids) == 1 else ""
        return self.hand_in.own_id or at_top or self.hand_in.id

    def parses(self, role: Role) -> bool:
        """Return True if the program of a role is there and has no error in its grammar."""
        return role in self.looks and self.looks[role].error is None


class Progress(NamedTuple):
    """The way so far. left: seconds, estimated; None before there is anything to go by."""

    hand_ins: int
    of_hand_ins: int
    left: float | None


class Classroom:
    """Gives out suites, and takes in results. on_done hears of each hand-in that is done."""

    def __init__(
        self,
        works: Sequence[Work],
        *,
        cases: Mapping[str, Sequence[Case]],
        settings: Settings,
        state: State,
        scratch: Path,
        on_done: Callable[[Work], object],
    ) -> None:
        self._works, self._cases, self._settings = works, cases, settings
        self._state, self._scratch, self._on_done = state, scratch, on_done
        self._open: dict[str, tuple[Work, dict[str, LabSuite]]] = {}
        self._done = self._done_now = self._hand_ins_done = 0
        self._total = sum(
            len(cases[kind.name])
            for work in works
            for kind in SUITES
            if self._can_run(work, kind)
        )  # fmt: skip
        self._began = time.monotonic()

    @property
    def progress(self) -> Progress:
        left = None
        if self._done_now:
            each = (time.monotonic() - self._began) / self._done_now
            left = each * (self._total - self._done)
        return Progress(self._hand_ins_done, len(self._works), left)

    def suites(self) -> Iterator[Suite]:
        """Give all suites that have anything to run, each when it is asked for. Raises OSError."""
        for number, work in enumerate(self._works):
            budget = Budget(self._settings.budget)
            suites: dict[str, LabSuite] = {}
            folder = self._scratch / f"hand-in-{number}"
            for kind in SUITES:
                if self._can_run(work, kind) and self._cases[kind.name]:
                    key = f"{number}:{kind.name}"
                    suite = self._suite(work, kind, key, folder / kind.name, budget)
                    if suite:
                        suites[key] = suite
                        self._open[key] = work, suites
                        self._done += len(suite.results)
            yield from [suite for suite in suites.values() if not suite.is_done]
            self._look_whether_done(work, suites)

    def take(self, suite: Suite, result: CaseResult) -> None:
        """Take in the result of a case. Raises OSError if it cannot be written down."""
        self._done, self._done_now = self._done + 1, self._done_now + 1
        if suite.key not in self._open:
            return  # its hand-in is done: several cases are skipped at once, and each is told
        work, suites = self._open[suite.key]
        suite.results[result.id] = shortened(without_folder(result, self._folder_of(suite)))
        name = suite.key.partition(":")[2]
        self._state.add(work.hand_in.key, work.digest, name, suite.results[result.id])
        if suite.is_done:
            throw_away(self._folder_of(suite))
        self._look_whether_done(work, suites)

    def _can_run(self, work: Work, kind: SuiteKind) -> bool:
        return all(
            role in work.hand_in.files
            and (work.parses(role) or self._settings.templates.get(role) is not None)
            for role in kind.students
        )

    def _suite(
        self, work: Work, kind: SuiteKind, key: str, folder: Path, budget: Budget
    ) -> LabSuite | None:
        """Return a suite, with what is known of it; None if its programs cannot be started.

        Its folder is filled if it has cases to run. Raises OSError if there is no room for it.
        """
        cases, settings = self._cases[kind.name], self._settings
        known = self._state.results(work.hand_in.key, work.digest, kind.name)
        known = {one.id: known[one.id] for one in cases if one.id in known}
        if len(known) == len(cases):
            task = Task("", kind.role, {})
            return LabSuite(cases, task, key=key, budget=budget, results=known)
        try:
            names = copy(work.hand_in, folder)
            words = {role: self._command(work, role, names[role], folder) for role in kind.students}
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise
            if str(error) not in work.problems:
                work.problems.append(str(error))
            throw_away(folder)
            self._total -= len(cases)
            return None
        task = Task(
            "", kind.role, commands(kind, words, settings.own), settings.port, str(folder),
            clean_environment(folder), tuple(settings.prefix(folder)), settings.profile,
            settings.timeout, settings.seed, memory=settings.memory,
            typed=commands_as_typed(
                kind,
                {
                    role: typed(settings.templates.get(role), role, names[role])
                    for role in kind.students
                },
            ),
        )  # fmt: skip
        return LabSuite(cases, task, key=key, budget=budget, results=known)

    def _command(self, work: Work, role: Role, name: str, folder: Path) -> list[str]:
        """Return the words that start a program; put its classes into the folder."""
        template, compiled = self._settings.templates.get(role), work.looks[role].compiled
        if template is not None or compiled is None:
            return command(template, role, name)
        classes = f".{role}-classes"
        copy_classes(compiled.classes, folder / classes)
        return command(None, role, name, (classes, compiled.main))

    def _folder_of(self, suite: Suite) -> Path:
        number, _, name = suite.key.partition(":")
        return self._scratch / f"hand-in-{number}" / name

    def _look_whether_done(self, work: Work, suites: Mapping[str, LabSuite]) -> None:
        if work.is_done or not all(suite.is_done for suite in suites.values()):
            return
        work.is_done = True
        self._hand_ins_done += 1
        for key, suite in suites.items():
            ordered = {one.id: one for one in suite.ordered()}
            work.results[key.partition(":")[2]] = ordered
        self._on_done(work)
        work.results = {
            name: {
                one.id: one._replace(events=(), screens=()) for one in results.values()
            }
            for name, results in work.results.items()
        }  # fmt: skip
        for key in suites:
            self._open.pop(key, None)
