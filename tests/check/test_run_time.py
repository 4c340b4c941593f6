"""The time of a step: a program has all of it, on a busy system too; a checker takes little."""

import math
import time
from collections.abc import Callable
from itertools import count

import pytest

from tests.check.stage import SERVES, case, free_port, python, run, task
from tests.support.sampling import sampled
from turnchat.check.case import Script, all_cases
from turnchat.check.cases import many
from turnchat.check.play import Play
from turnchat.check.processes import Usage
from turnchat.check.processes.load import Load, busy_of_all, spinning, starved
from turnchat.check.report import CaseResult, EventType, Kind, Verdict
from turnchat.check.run import Run
from turnchat.check.steps import Closes, Ends, Hear, Meet, Polling, Shows, Start, Step, Type
from turnchat.check.steps.program import START_TIMEOUT
from turnchat.check.subject import Subject
from turnchat.process.backend import Backend

WAITS = SERVES + "signal.pause()"
SPINS = SERVES + "while True: pass"
Number = Callable[[], float]


class Lasts(Step):
    """Wait for a moment, of which an event tells or not. due: when its time is up."""

    due = math.inf

    def __init__(self, moment: float, *, by_event: bool = True, seconds: float = 0.1) -> None:
        super().__init__(seconds)
        self._moment, self._by_event = moment, by_event

    def start(self, play: Play) -> None:
        Lasts.due = play.loop.now + (self.seconds or 0.0)  # as the loop counts it
        self._end = play.loop.now + self._moment
        if self._by_event:
            play.loop.timer("the moment", play.wake).start(self._moment)

    def look(self, play: Play) -> bool:
        return play.loop.now >= self._end


def with_step(make: Callable[[Play], Step | Script]) -> CaseResult:
    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        made = make(play)
        if isinstance(made, Step):
            yield made
        else:
            yield from made

    return run(script, WAITS)


def starve(patch: pytest.MonkeyPatch, queued: Number, checker: Number = lambda: 0.0) -> None:
    """Let the system tell how long a program has waited for a processor.

    checker: the same of the checker's own process. Others are at work on all processors.
    """
    patch.setattr(Lasts, "due", math.inf)
    patch.setattr(Subject, "usage", lambda _: Usage(0.0, 1, 1, 3, queued()))
    patch.setattr("turnchat.check.play.queued_of", lambda _: checker())
    patch.setattr("turnchat.check.play.busy_of_all", rising(1000.0))


def rising(step: float) -> Number:
    """Give a number that is larger by `step` each time."""
    numbers = count()
    return lambda: step * next(numbers)


def later(seconds: float) -> Number:
    """Give 0, and `seconds` when the time of a step is up."""
    return lambda: seconds if time.monotonic() >= Lasts.due else 0.0


def never() -> float:
    return 0.0


def test_what_has_come_when_the_time_is_up_is_in_time() -> None:
    # A checker that could not run for a while finds both in one round.
    result = with_step(lambda _: Lasts(0.1, by_event=False))
    assert result.verdict is Verdict.PASS, result.reason


def test_a_program_that_could_not_run_gets_its_time_back(monkeypatch: pytest.MonkeyPatch) -> None:
    starve(monkeypatch, never)
    assert with_step(lambda _: Lasts(0.15)).verdict is Verdict.FAIL
    starve(monkeypatch, later(0.3))
    assert with_step(lambda _: Lasts(0.15)).verdict is Verdict.PASS


def test_the_time_that_is_given_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    starve(monkeypatch, later(0.1))
    words = "lasts did not come within 0.1 s, and 0.1 s more since the system was busy"
    assert with_step(lambda _: Lasts(9.0)).reason == words


def test_a_program_gets_no_time_for_what_its_own_processes_took() -> None:
    before = Load(at=10.0, used=1.0, queued=2.0, waited=0.5, busy=100.0)
    alone = Load(at=15.0, used=11.0, queued=32.0, waited=0.5, busy=110.0)  # 8 spin on 2 processors
    assert starved(before, alone, 2) == 0.0
    beside = alone._replace(used=6.0)  # another one had half of both
    assert starved(before, beside, 2) == 2.5
    waited = before._replace(at=15.0, used=2.0, queued=3.0, waited=0.75, busy=110.0)
    assert starved(before, waited, 2) == 1.25  # all that it waited for
    untold = before._replace(at=15.0, busy=before.busy, queued=9.0, used=2.0)
    assert starved(before, untold, 2) == 0.0


def test_the_work_of_all_processors_is_known() -> None:
    began = busy_of_all()
    while time.process_time() < 0.1:
        pass
    assert 0 < began <= busy_of_all()


@pytest.mark.parametrize(
    "step", sampled([lambda: Hear("an-answer"), lambda: Shows("a-text"), Closes, Ends], every=4)
)
def test_a_program_that_is_at_work_all_the_time_of_a_step_spins(step: Callable[[], Step]) -> None:
    def script(_: Play) -> Script:
        yield Start()
        yield Meet()
        yield step()

    result = run(script, SPINS, timeout=0.6)
    assert result.shortfall
    assert result.shortfall.kind is Kind.SPINS
    assert " did not come within 0.6 s" in result.reason
    assert ": the program spins: it used " in result.reason


def test_a_program_that_had_rested_before_it_span_is_told() -> None:
    def load(at: float, used: float) -> Load:
        return Load(at, used, 0.0, 0.0, 0.0)

    assert spinning(load(4.0, 0.1), load(6.0, 0.9)) == ""
    words = "the program spins: it used 1.9 s of processor time in 2.0 s"
    assert spinning(load(4.0, 3.9), load(6.0, 5.8)) == words
    assert spinning(load(4.0, 0.1), load(6.0, 2.0)) == f"{words}, and had rested before"
    assert spinning(load(4.0, 0.1), load(6.0, 2.0), are_two=True).startswith("one of the two")


# The time of a case


def slowly(_: Play) -> Script:
    yield Start()
    yield Meet()
    for _number in range(20):
        yield Lasts(0.2, seconds=0.6)


def lasts_for_ever(_: Play) -> Script:
    yield Start()
    yield Lasts(99.0, seconds=0.5)


@pytest.mark.slow
def test_a_program_that_keeps_the_time_of_each_step_passes() -> None:
    slow = case(slowly, bound=0.5)._replace(waits=20)
    made = Run(slow, task(python(WAITS), timeout=0.6), Backend(), free_port)
    assert made.run().verdict is Verdict.PASS


def test_a_program_whose_case_takes_too_long_hangs() -> None:
    result = run(slowly, WAITS, bound=0.5, timeout=0.5)
    assert result.verdict is Verdict.FAIL
    assert result.shortfall
    assert result.shortfall.kind is Kind.HANGS
    words = "the case took over 1 s together, and the checker still waited for lasts"
    assert result.reason == result.shortfall.reason == words


@pytest.mark.slow
def test_a_case_that_takes_too_long_on_a_busy_system_is_no_shortfall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starve(monkeypatch, rising(1.0))
    result = run(lasts_for_ever, WAITS, bound=1.5, timeout=0.5)
    assert (result.verdict, result.reason) == (Verdict.ERROR, "the case took over 2 s")


def test_long_cases_have_the_time_of_all_their_turns() -> None:
    for name in ("turn/twenty", "end/after-20-turns", "pair/turns"):
        one = next(one for one in all_cases() if one.id == name)
        for timeout in (2.0, 10.0):
            assert one.most_seconds(timeout) >= 2 * 20 * timeout + START_TIMEOUT


def test_the_time_in_which_the_checker_could_not_run_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starve(monkeypatch, never, later(0.3))
    assert with_step(lambda _: Lasts(0.15)).verdict is Verdict.PASS
    starve(monkeypatch, never, lambda: 9.0)
    assert with_step(lambda _: Lasts(0.15)).verdict is Verdict.FAIL


def test_the_time_that_a_step_had_is_told() -> None:
    def script(_: Play) -> Script:
        yield Start()
        yield Meet()
        yield Ends()

    result = run(script, WAITS, timeout=0.3)
    assert " did not come within 0.3 s" in result.reason


def test_time_is_given_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    starve(monkeypatch, later(0.3))
    result = with_step(lambda _: Lasts(5.0))
    assert result.shortfall
    assert result.shortfall.kind is Kind.HANGS
    assert result.seconds < 4


@pytest.mark.slow
def test_a_program_that_never_can_run_falls_short_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    starve(monkeypatch, rising(1.0))
    result = with_step(lambda _: Lasts(15.0))
    assert result.verdict is Verdict.FAIL
    assert result.seconds < 10


def test_a_line_is_typed_when_a_program_could_show_its_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starve(monkeypatch, rising(0.5))
    result = with_step(lambda _: Type("a-line"))
    at = {event.type: event.at for event in result.events}
    assert at[EventType.TYPED] - at[EventType.CONNECTED] >= 0.5


@pytest.mark.slow
def test_looks_take_a_small_part_of_a_processor() -> None:
    looks = 0

    class Costs(Polling):
        is_done_by_time = True

        def has_come(self, play: Play) -> bool:
            nonlocal looks
            looks += 1
            began = time.process_time()
            while time.process_time() - began < 0.02:
                pass
            return False

    assert with_step(lambda _: Costs(1.0)).verdict is Verdict.PASS
    assert 1 < looks <= 6


def test_a_turn_that_takes_too_long_is_told_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST", 0.1)
    starve(monkeypatch, never)
    result = with_step(lambda play: many.in_time(play, Lasts(0.3)))
    assert result.shortfall
    assert result.shortfall.kind is Kind.WRONG
    assert result.reason.startswith("lasts came after 0.3")
    assert result.reason.endswith(" s, and 0.1 s would be the most")


def test_a_turn_may_take_the_time_in_which_a_server_could_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(many, "MOST", 0.1)
    starve(monkeypatch, rising(9.0))
    assert with_step(lambda play: many.in_time(play, Lasts(0.3))).verdict is Verdict.PASS


def test_a_defect_in_the_end_of_a_script_is_an_error() -> None:
    def script(_: Play) -> Script:
        try:
            yield Start()
            yield Lasts(9.0)
        finally:
            raise KeyError("of the end")

    result = run(script, WAITS)
    assert (result.verdict, result.shortfall) == (Verdict.ERROR, None)
    assert "KeyError: 'of the end'" in result.reason
