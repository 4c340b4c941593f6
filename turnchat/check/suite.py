"""The cases of one program: which of them can be run now, and what their results mean for others.

Nothing is run here: the runner asks for tasks, and brings results.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from turnchat.check.case import Case, Level, Profile, Role
from turnchat.check.report import NOT_HELD, Awaited, CaseResult, Kind, Verdict
from turnchat.text import counted

REUSES_PORT = "start/again"  # held by a program that need not wait for a fixed port
PORT_TIMEOUT = 70.0  # seconds for old connections to leave a port; TIME_WAIT takes 60 on Linux
# Of a program that has to start: it is late on a busy machine, too.
MEETING = (Awaited.LISTENER, Awaited.CONNECTION)
LATE = (Kind.HANGS, Kind.SPINS)
MOST_LOST = 2  # workers, after which a program is not tried further: each may cost a minute


class Task(NamedTuple):
    """One run of a case: what the worker is told.

    commands: the words of each role's program, with {host} and {port}. port: the fixed one, None
    for a free one. environment: None for the checker's own. timeout: seconds a step.
    prefix: words in front of each command (sandbox/). memory: the bytes that all processes of the
    case may use, None for any. record: the path of a recording. reuses_port: the program can listen
    on a port that an old connection still holds. typed: the commands as people type them, for
    reports, if they are others.
    """

    case: str
    role: Role
    commands: Mapping[str, Sequence[str]]
    port: int | None = None
    folder: str | None = None
    environment: Mapping[str, str] | None = None
    prefix: Sequence[str] = ()
    profile: Profile = Profile.LAB
    timeout: float = 2.0
    seed: int = 0
    record: str | None = None
    reuses_port: bool = False
    typed: Mapping[str, str] | None = None
    memory: int | None = None

    @property
    def port_timeout(self) -> float:
        """The seconds that a worker may wait until its fixed port can be had."""
        listens = self.port is not None and self.role is not Role.CLIENT
        return PORT_TIMEOUT if listens and not self.reuses_port else 0.0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, "role": Role(value["role"]), "profile": Profile(value["profile"])})


class Suite:
    """The cases of one program, in an order that respects what each comes after.

    A case whose program was late to be met is put off: next_late() gives it out once more, to be
    run while nothing else runs. A program that is late even then is late by itself, and so the
    others that were put off count as they are.

    results: what is known so far, by id. key: the suite's name for its owner.
    """

    def __init__(
        self, cases: Sequence[Case], task: Task, *, key: str = "", repeat: int = 1,
        results: Mapping[str, CaseResult] | None = None,
        record_at: Callable[[str, int], str] | None = None, is_strict: bool = False,
    ) -> None:  # fmt: skip
        """`task`: the one to run each case by. `results`: those of a former run.

        `record_at`: names the file for the recording of a case, by its id and the run, from 0.
        `is_strict`: each SHOULD is a MUST.
        """
        if is_strict:
            cases = [one._replace(level=Level.MUST) for one in cases]
        self.cases, self.key = cases, key
        self.results: dict[str, CaseResult] = dict(results or {})
        self._task, self._repeat, self._record_at = task, repeat, record_at
        self._waiting = [one for one in cases if one.id not in self.results]
        self._ids = {one.id for one in cases}
        self._runs: dict[str, list[CaseResult]] = {}
        self._late: list[tuple[Case, CaseResult]] = []
        self._alone = ""  # the case that runs while nothing else runs
        self._is_late_alone = False
        self._lost = 0

    @property
    def is_done(self) -> bool:
        return len(self.results) == len(self.cases)

    @property
    def has_late(self) -> bool:
        """True if a case waits to be run alone."""
        return bool(self._late) and not self._is_late_alone

    def next_task(self) -> tuple[Case, Task] | None:
        """Return what can be run now, or None: all is under way, or waits for a result."""
        if self._is_late_alone:
            self.accept_late()
        if self._lost >= MOST_LOST:
            self.give_up(f"{counted(self._lost, 'worker')} died or hung in the cases before it")
        for one in self._waiting:
            needed = [name for name in one.after if name in self._ids]
            short = next((name for name in needed if self._fell_short(name)), None)
            if short:
                self._waiting.remove(one)
                self._skip(one, short)
                return self.next_task()
            if all(name in self.results for name in needed):
                self._waiting.remove(one)
                return one, self._task_of(one)
        return None

    def next_late(self) -> tuple[Case, Task] | None:
        """Return a case that was put off, to be run while nothing else runs."""
        if self._is_late_alone or not self._late:
            return None
        one, _ = self._late.pop(0)
        self._alone = one.id
        return one, self._task_of(one)

    def accept_late(self) -> None:
        """Let the results of all cases that were put off count."""
        for one, result in self._late:
            self._settle(one, result)
        self._late.clear()

    def give_up(self, reason: str) -> None:
        """Try no more cases: those that wait do not hold, and those that were late count so."""
        self.accept_late()
        for one in self._waiting:
            skip = without_run(one, Verdict.SKIP, f"not tried: {reason}", one.id)
            self.results[one.id] = skip
        self._waiting.clear()

    def lose(self) -> None:
        """Take in that a worker has died or hung in a case. After MOST_LOST, no more are tried."""
        self._lost += 1

    def take(self, one: Case, result: CaseResult) -> bool:
        """Take in a result. Return True if the case is done, False if it is to run again.

        A worker knows nothing of is_strict, so the level is that of the suite.
        """
        was_alone, self._alone = self._alone == one.id, ""
        if _was_late(result) and not self._is_late_alone:
            if not was_alone:
                self._late.append((one, result))
                return False
            self._is_late_alone = True
        return self._settle(one, result)

    def _settle(self, one: Case, result: CaseResult) -> bool:
        if one.level is Level.MUST and result.verdict is Verdict.WARN:
            result = result._replace(verdict=Verdict.FAIL)
        result = result._replace(level=one.level)
        runs = self._runs.setdefault(one.id, [])
        runs.append(result)
        if len(runs) < self._repeat and result.verdict is not Verdict.ERROR:
            self._waiting.insert(0, one)
            return False
        fallen = [run for run in runs if run.verdict in NOT_HELD]
        shown = fallen[0] if fallen else result
        reason = shown.reason
        if len(runs) > 1 and fallen:
            reason = f"in {len(fallen)} of {len(runs)} runs: {reason}"
        self.results[one.id] = shown._replace(reason=reason, runs=len(runs), failures=len(fallen))
        if one.id == REUSES_PORT and not fallen:
            self._task = self._task._replace(reuses_port=True)
        return True

    def ordered(self) -> list[CaseResult]:
        """Return the results in the order of the cases."""
        return [self.results[one.id] for one in self.cases if one.id in self.results]

    def _task_of(self, one: Case) -> Task:
        task = self._task._replace(case=one.id)
        if self._record_at:
            run = len(self._runs.get(one.id, ()))
            return task._replace(record=self._record_at(one.id, run))
        return task

    def _fell_short(self, name: str) -> bool:
        result = self.results.get(name)
        if result is None or result.level is Level.SHOULD:
            return False
        return result.counts and result.verdict not in (Verdict.PASS, Verdict.ERROR)

    def _skip(self, one: Case, name: str) -> None:
        before = self.results[name]
        root = before.depends_on or name
        reason = f"it needs {root}, which falls short"
        self.results[one.id] = without_run(one, Verdict.SKIP, reason, root)


def _was_late(result: CaseResult) -> bool:
    """Return True if the program did not come as far as to be met."""
    fall = result.shortfall
    return fall is not None and fall.kind in LATE and fall.awaits in MEETING


def without_run(
    case: Case, verdict: Verdict, reason: str, depends_on: str | None = None
) -> CaseResult:
    """Return the result of a case that has not been run."""
    return CaseResult(
        case.id, case.level, verdict, case.rule, case.section, case.hint,
        reason=reason, depends_on=depends_on,
    )  # fmt: skip
