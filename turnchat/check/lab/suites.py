"""The suites of a hand-in: its programs with the checker, with each other, and with turnchat's.

A program that hangs costs the time of each step that it hangs in. So all cases of a hand-in that
fall short have a budget together; when it is spent, the rest of its cases count as not held, and it
says so. Cases that hold cost nothing: a slow program may be right, and a busy machine is slow.
Cases are not stopped by the number of failures: a program that fails many may still hold others.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from turnchat.check.case import CLIENT, PAIR, SERVER, Case, Level, Profile, Role, select
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.suite import Suite, Task

ADDRESS = "{host}:{port}"


class SuiteKind(NamedTuple):
    """A suite's name, the role that is played, and the programs of the student in it."""

    name: str
    role: Role
    students: Sequence[Role]


SUITES = (
    SuiteKind("server", SERVER, (SERVER,)),
    SuiteKind("client", CLIENT, (CLIENT,)),
    SuiteKind("pair", PAIR, (SERVER, CLIENT)),
    SuiteKind("server-turnchat", PAIR, (SERVER,)),
    SuiteKind("client-turnchat", PAIR, (CLIENT,)),
)


def cases_of(
    profile: Profile, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> dict[str, list[Case]]:
    """Return the cases of each suite. Raises ValueError for a glob that no suite knows."""
    found: dict[str, list[Case]] = {}
    unknown = {*only, *skip}
    for kind in SUITES:
        everything = select(kind.role, profile)
        asked, left_out = (_known(globs, everything) for globs in (only, skip))
        unknown -= {*asked, *left_out}
        found[kind.name] = [] if only and not asked else select(kind.role, profile, asked, left_out)
    if unknown:
        raise ValueError(f"no case of this profile has an id like {min(unknown)!r}")
    return found


def expected(cases: Mapping[str, Sequence[Case]]) -> dict[str, Level]:
    """Return the level of each "SUITE:ID"."""
    return {f"{suite}:{one.id}": one.level for suite, them in cases.items() for one in them}


def commands(
    kind: SuiteKind, of_student: Mapping[Role, Sequence[str]], own: Mapping[Role, Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Return the words of each program of a suite: the student's, and turnchat's own otherwise."""
    roles = (SERVER, CLIENT) if kind.role is PAIR else (kind.role,)
    return {str(role): (of_student if role in kind.students else own)[role] for role in roles}


def commands_as_typed(kind: SuiteKind, of_student: Mapping[Role, str]) -> dict[str, str]:
    """Return the commands of a suite as people type them, for reports."""
    roles = (SERVER, CLIENT) if kind.role is PAIR else (kind.role,)
    return {
        str(role): of_student[role] if role in kind.students else f"turnchat-{role} {ADDRESS}"
        for role in roles
    }


class Budget:
    """The seconds that the cases of one hand-in that fall short may take together."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.spent = seconds, 0.0

    @property
    def is_spent(self) -> bool:
        return self.spent >= self.seconds

    def take(self, result: CaseResult) -> None:
        if result.verdict is not Verdict.PASS:
            self.spent += result.seconds


class LabSuite(Suite):
    """A suite of a hand-in, which ends early if the budget of the hand-in is spent."""

    def __init__(
        self, cases: Sequence[Case], task: Task, *, key: str, budget: Budget,
        results: Mapping[str, CaseResult],
    ) -> None:  # fmt: skip
        super().__init__(cases, task, key=key, results=results)
        self._budget = budget
        for one in self.results.values():
            budget.take(one)

    def next_task(self) -> tuple[Case, Task] | None:
        if self._budget.is_spent:
            self.give_up(f"its cases that fall short took {self._budget.seconds:g} s together")
        return super().next_task()

    def take(self, one: Case, result: CaseResult) -> bool:
        self._budget.take(result)
        return super().take(one, result)


def _known(globs: Sequence[str], cases: Sequence[Case]) -> list[str]:
    return [glob for glob in globs if any(fnmatchcase(one.id, glob) for one in cases)]
