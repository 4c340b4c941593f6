"""One run of one case, in one event loop: the program, the person at its terminal, and its peer.

The script yields steps. A step that is done at once lets the script go on in the same round. One
that waits is looked at again whenever something has happened: bytes on the socket or the screen, an
end, a timer. So a case takes as long as the program does.

A program has a time for each step. A busy system must not make it late: the time in which it could
have run, and others did, is given back to it. One that was at work in all of its time does not
hang, it spins.
"""

import signal
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from turnchat.check.case import Case, Level, Role
from turnchat.check.play import Play
from turnchat.check.processes.load import spinning
from turnchat.check.report import (  # fmt: skip
    CaseResult,
    Fallen,
    Kind,
    NotApplicable,
    Shortfall,
    Verdict,
)
from turnchat.check.subject import Subject, words_for
from turnchat.check.suite import Task
from turnchat.process.backend import Backend

if TYPE_CHECKING:
    from turnchat.check.steps import Step

LAST_LINES = 6  # of the screen, in the words about a program that died
MOST_EXTENSIONS = 5  # of a step's time, each as long as that time at most
SHORTEST_EXTENSION = 0.05  # seconds; every program waits for a processor now and then
UNMEASURED = 0.1  # the share of a step's time before its program is measured: most are done by then


class Run:
    """Lets a script play, from its first step to its result. play: what the script may use."""

    def __init__(
        self, case: Case, task: Task, backend: Backend, free_port: Callable[[], int]
    ) -> None:
        self.play = Play(case.id, task, backend, free_port, self._wake)
        self._case, self._script = case, case.script(self.play)
        self._step: Step | None = None
        self._result: CaseResult | None = None
        loop = self.play.loop
        self._soon = loop.timer("script", self._advance, self._on_error)
        self._deadline = loop.timer("deadline", self._on_deadline, self._on_error)
        self._extensions = 0  # of the present step's time
        self._given_back = 0.0  # seconds, to all steps
        self._before = self.play.load()
        self._measure = loop.timer("measure", self._on_measure, self._on_error)
        self._bound = case.most_seconds(task.timeout)
        self._limit = loop.timer("limit", self._on_limit, self._on_error)
        self.is_interrupted = False
        for number in signal.SIGINT, signal.SIGTERM:
            self.play.signals.on(number, self.interrupt)

    def run(self) -> CaseResult:
        """Run the script to its end. Whatever was started is ended."""
        self._limit.start(self._bound)
        self._wake()
        try:
            while self._result is None:
                self.play.loop.run_once()
        finally:
            self.play.close()
        return self._result

    def interrupt(self) -> None:
        """End the run now: for signals, and for a runner that is gone."""
        self.is_interrupted = True
        self._finish(Verdict.ERROR, "it was interrupted")

    def _wake(self) -> None:
        if self._result is None:
            self._soon.start(0)

    def _advance(self, *, is_late: bool = False) -> None:
        """Take the script as far as it goes now. is_late: the time of the present step is up."""
        try:
            if self._step is None and self._result is None:  # an interrupt may come first
                self._begin(next(self._script))
            while self._step and self._result is None:
                if not self._step.look(self.play):
                    self._check_alive(self._step)
                    if is_late:
                        raise Fallen(self._late(self._step))
                    return
                is_late, result, self._step = False, self._step.result, None
                self._begin(self._script.send(result))
        except StopIteration:
            self._finish(Verdict.PASS)

    def _begin(self, step: "Step") -> None:
        self._step, self._extensions = step, 0
        self._began = self.play.elapsed
        self._deadline.start(self._seconds(step))
        self._measure.start(UNMEASURED * self._seconds(step))
        step.start(self.play)

    def _seconds(self, step: "Step") -> float:
        return self.play.task.timeout if step.seconds is None else step.seconds

    def _on_deadline(self) -> None:
        step = self._step
        if step is None or self._result:
            return
        if step.is_done_by_time:
            step.finish(self.play)
            step.is_done = True
            self._advance()
        elif extension := self._extension(step):
            self._deadline.start(extension)
        else:  # what it waits for may have come in this very round
            self._advance(is_late=True)

    def _extension(self, step: "Step") -> float:
        """Return the seconds to give back to a step, of those in which others had the processor."""
        if self._extensions == MOST_EXTENSIONS:
            return 0.0
        owed = min(self.play.starved(self._before) - step.extension, self._seconds(step))
        if owed < SHORTEST_EXTENSION:
            return 0.0
        self._extensions += 1
        self._given_back += owed
        step.extension += owed
        return owed

    def _on_measure(self) -> None:
        """Measure the program from now on, as for each step that is not done at once.

        If the checker could not run meanwhile, it is too late for that: an older measure counts.
        """
        step = self._step
        if step is None or step.is_done_by_time or self._result:
            return
        if self.play.elapsed - self._began < self._seconds(step) / 2:
            self._before = self.play.load()

    def _late(self, step: "Step") -> Shortfall:
        """Return the shortfall of a step whose time is up: its program hangs, or spins."""
        short = step.late(self.play).shortfall
        if short.kind is not Kind.HANGS:
            return short
        are_two = self.play.role is Role.PAIR
        words = spinning(self._before, self.play.load(), are_two=are_two)
        if not words:
            return short
        return short._replace(kind=Kind.SPINS, reason=f"{short.reason}: {words}")

    def _on_limit(self) -> None:
        """Judge the program by the step under way. What others took of the time is not its own."""
        step, took = self._step, f"the case took over {self._bound:g} s"
        if step is None or self.play.elapsed - self._given_back < self._bound:
            self._finish(Verdict.ERROR, took)
            return
        short, reason = self._late(step), f"{took} together"
        if not step.is_done_by_time:
            reason += f", and the checker still waited for {step.waiting()}"
        self._on_error(Fallen(short._replace(reason=reason)))

    def _check_alive(self, step: "Step") -> None:
        """Raise Fallen if no step can get anything from the program: it floods, or has died."""
        play = self.play
        if not play.programs:
            return
        if excess := next(filter(None, (one.excess for one in play.programs)), None):
            raise step.fallen(Kind.WRONG, excess)
        if any(peer.is_flooding for peer in play.peers):
            raise step.fallen(Kind.WRONG, "the program sends without end")
        if not step.needs_program:
            return
        for program in play.programs if play.role is Role.PAIR else [play.program]:
            if program.status is not None:
                self._check_over(step, program, program.status)

    def _check_over(self, step: "Step", program: Subject, status: int) -> None:
        """Raise Fallen if all that a program has done before its end has been seen."""
        play = self.play
        is_over = program.has_output_ended and all(peer.is_over for peer in play.peers)
        if is_over or step.has_settled(play):
            last = "; ".join(program.screen.text.splitlines()[-LAST_LINES:])
            how = f"the {play.name_of(program)} ended {words_for(status)}"
            reason = f"{how} while the checker waited for {step.waiting()}"
            raise step.fallen(Kind.DIED, f"{reason}; its last lines: {last}" if last else reason)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, Fallen):
            is_must = self._case.level is Level.MUST
            verdict = Verdict.FAIL if is_must else Verdict.WARN
            self._finish(verdict, error.shortfall.reason, error.shortfall)
        elif isinstance(error, NotApplicable):
            self._finish(Verdict.SKIP, str(error))
        else:
            self._finish(Verdict.ERROR, _words_for(error))

    def _finish(
        self, verdict: Verdict, reason: str = "", shortfall: Shortfall | None = None
    ) -> None:
        try:
            self._script.close()
        except Exception as error:  # noqa: BLE001 - a defect of the script, and told as one
            verdict, reason, shortfall = Verdict.ERROR, _words_for(error), None
        case, play = self._case, self.play
        self._result = CaseResult(
            case.id, case.level, verdict, case.rule, case.section, case.hint,
            seconds=play.elapsed, reason=reason, shortfall=shortfall, events=tuple(play.events),
            screens=[program.screen.text.splitlines() for program in play.programs],
            recording=play.task.record,
        )  # fmt: skip


def _words_for(error: Exception) -> str:
    """Return a defect in words: where it is, and the error."""
    return "".join(traceback.format_exception(error)[-2:]).strip()
