"""The order of cases, and what becomes of those that stand behind another."""

from collections.abc import Sequence

import pytest

from tests.check.stage import case, task
from turnchat.check.case import Case, Level, Profile, Role, Script
from turnchat.check.lab.suites import Budget, LabSuite
from turnchat.check.play import Play
from turnchat.check.report import Awaited, CaseResult, Kind, Report, Shortfall, Verdict
from turnchat.check.steps import Meet
from turnchat.check.steps.crowd import Listens
from turnchat.check.steps.pair import Joined, Relay
from turnchat.check.suite import MEETING, MOST_LOST, Suite


def script(play: Play) -> Script:
    yield from ()


def named(name: str, *after: str, level: Level = Level.MUST) -> Case:
    return case(script, level=level)._replace(id=name, after=after)


def outcome(one: Case, verdict: Verdict, reason: str = "why") -> CaseResult:
    return CaseResult(one.id, one.level, verdict, one.rule, one.section, one.hint, reason=reason)


def suite_of(*cases: Case, repeat: int = 1) -> Suite:
    return Suite(cases, task(["program"], seed=7), repeat=repeat)


def play_all(suite: Suite, verdicts: dict[str, Verdict]) -> list[str]:
    """Run a suite with the verdicts given, else a pass. Return the ids in the order of runs."""
    order = []
    while found := suite.next_task():
        one, todo = found
        assert todo.case == one.id
        assert todo.seed == 7
        order.append(one.id)
        suite.take(one, outcome(one, verdicts.get(one.id, Verdict.PASS)))
    return order


def verdicts_of(suite: Suite) -> dict[str, Verdict]:
    return {one.id: one.verdict for one in suite.ordered()}


FOUR = (named("a/1"), named("a/2", "a/1"), named("a/3", "a/2"), named("b/1"))


def test_cases_run_in_their_order() -> None:
    suite = suite_of(*FOUR)
    assert play_all(suite, {}) == ["a/1", "a/2", "a/3", "b/1"]
    assert suite.is_done
    assert set(verdicts_of(suite).values()) == {Verdict.PASS}


def test_a_case_waits_for_what_it_comes_after_and_others_run_meanwhile() -> None:
    suite = suite_of(*FOUR)
    first, second = suite.next_task(), suite.next_task()
    assert first
    assert second
    assert (first[0].id, second[0].id) == ("a/1", "b/1")
    assert suite.next_task() is None
    assert not suite.is_done
    assert suite.take(first[0], outcome(first[0], Verdict.PASS))
    third = suite.next_task()
    assert third
    assert third[0].id == "a/2"


def test_what_comes_later_in_the_list_can_be_needed() -> None:
    suite = suite_of(named("a/1", "b/1"), named("b/1"))
    assert play_all(suite, {}) == ["b/1", "a/1"]
    assert [one.id for one in suite.ordered()] == ["a/1", "b/1"]


def test_a_chain_of_skips_names_its_root() -> None:
    suite = suite_of(*FOUR)
    assert play_all(suite, {"a/1": Verdict.FAIL}) == ["a/1", "b/1"]
    assert verdicts_of(suite)["a/3"] is Verdict.SKIP
    assert [suite.results[name].depends_on for name in ("a/2", "a/3")] == ["a/1", "a/1"]
    assert suite.results["a/3"].reason == "it needs a/1, which falls short"
    assert suite.results["a/3"].counts
    assert suite.is_done


def test_a_long_chain_of_skips_is_no_deep_recursion() -> None:
    cases = [named("a/0"), *(named(f"a/{n + 1}", f"a/{n}") for n in range(500))]
    suite = suite_of(*cases)
    play_all(suite, {"a/0": Verdict.FAIL})
    assert {one.depends_on for one in suite.ordered()[1:]} == {"a/0"}


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.SKIP])
def test_an_error_and_what_is_not_applicable_hold_nothing_up(verdict: Verdict) -> None:
    suite = suite_of(*FOUR)
    assert play_all(suite, {"a/1": verdict}) == ["a/1", "a/2", "a/3", "b/1"]


def test_a_should_holds_nothing_up_unless_it_counts_as_a_must() -> None:
    should = named("a/1", level=Level.SHOULD)
    suite = suite_of(should, named("a/2", "a/1"))
    assert play_all(suite, {"a/1": Verdict.WARN}) == ["a/1", "a/2"]
    strict = suite_of(should._replace(level=Level.MUST), named("a/2", "a/1"))
    assert play_all(strict, {"a/1": Verdict.FAIL}) == ["a/1"]


def test_what_is_not_in_the_suite_is_not_waited_for() -> None:
    assert play_all(suite_of(named("a/2", "a/1")), {}) == ["a/2"]


def test_a_former_run_is_gone_on_with() -> None:
    first, second, *_ = FOUR
    done = {first.id: outcome(first, Verdict.FAIL)}
    suite = Suite(FOUR, task(["program"], seed=7), results=done)
    assert play_all(suite, {}) == ["b/1"]
    assert suite.results[second.id].depends_on == first.id


def repeated(*verdicts: Verdict) -> CaseResult:
    one = named("a/1")
    suite = suite_of(one, repeat=len(verdicts))
    for number, verdict in enumerate(verdicts):
        found = suite.next_task()
        assert found
        assert suite.take(one, outcome(one, verdict, f"run {number}")) is suite.is_done
        if suite.is_done:
            break
    assert suite.is_done
    assert suite.next_task() is None
    return suite.results["a/1"]


P, F, S, E = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.ERROR


@pytest.mark.parametrize(
    ("verdicts", "runs", "failures", "reason"),
    [
        ([P, P, P], 3, 0, "run 2"),
        ([P, F, P, F], 4, 2, "in 2 of 4 runs: run 1"),
        ([F], 1, 1, "run 0"),
        ([S, S], 2, 0, "run 1"),
        ([P, E, P], 2, 1, "in 1 of 2 runs: run 1"),
    ],
)
def test_of_many_runs_each_counts(
    verdicts: Sequence[Verdict], runs: int, failures: int, reason: str
) -> None:
    result = repeated(*verdicts)
    assert (result.runs, result.failures, result.reason) == (runs, failures, reason)
    assert result.verdict is next((one for one in verdicts if one in (F, E)), verdicts[-1])


def test_a_strict_suite_has_musts_alone() -> None:
    cases = named("a/1", level=Level.SHOULD), named("a/2", "a/1"), named("b/1", level=Level.SHOULD)
    lenient, strict = (Suite(cases, task(["x"], seed=7), is_strict=one) for one in (False, True))
    assert play_all(lenient, {"a/1": Verdict.WARN}) == ["a/1", "a/2", "b/1"]
    assert verdicts_of(lenient)["a/1"] is Verdict.WARN
    assert play_all(strict, {"a/1": Verdict.WARN}) == ["a/1", "b/1"]
    assert verdicts_of(strict) == {"a/1": F, "a/2": S, "b/1": P}
    assert {one.level for one in strict.ordered()} == {Level.MUST}
    report = Report(Profile.LAB, Role.SERVER, [], strict.ordered())
    assert round(report.score) == 33


def test_the_score_is_that_of_the_musts() -> None:
    suite = suite_of(*FOUR, named("c/1", level=Level.SHOULD))
    play_all(suite, {"a/2": F, "c/1": Verdict.WARN})
    report = Report(Profile.LAB, Role.SERVER, [], suite.ordered())
    assert report.score == 50.0  # a/1 and b/1 of four; a/3 is skipped for the sake of a/2
    assert report._replace(cases=[]).score == 0.0


# A program that is late to be met


def late(one: Case, kind: Kind = Kind.HANGS) -> CaseResult:
    reason = "a connection did not come within 5 s"
    fall = Shortfall(kind, reason, awaits=Awaited.CONNECTION)
    return outcome(one, F, fall.reason)._replace(shortfall=fall)


def put_off(*cases: Case, repeat: int = 1) -> Suite:
    """A suite each of whose cases was late; nothing else is to be done in it."""
    suite = suite_of(*cases, repeat=repeat)
    while found := suite.next_task():
        assert not suite.take(found[0], late(found[0]))
    assert not suite.results
    return suite


def test_a_late_case_is_tried_once_more_alone_and_others_wait_for_it() -> None:
    suite = put_off(*FOUR)
    found = suite.next_late()
    assert found
    one, todo = found
    assert (one.id, todo.case) == ("a/1", "a/1")
    assert suite.take(one, outcome(one, P))
    assert play_all(suite, {}) == ["a/2", "a/3"]
    assert not suite.is_done
    found = suite.next_late()
    assert found
    assert suite.take(found[0], outcome(found[0], F, "another reason"))
    assert suite.is_done
    assert verdicts_of(suite) == {"a/1": P, "a/2": P, "a/3": P, "b/1": F}
    assert suite.next_late() is None


def test_a_program_that_is_late_alone_is_not_tried_again_for_other_cases() -> None:
    suite = put_off(*FOUR[:1], named("b/1"), named("c/1"))
    found = suite.next_late()
    assert found
    assert suite.take(found[0], late(found[0]))
    assert suite.next_late() is None
    assert suite.next_task() is None
    assert set(verdicts_of(suite).values()) == {F}
    assert suite.is_done


def test_each_repeat_is_tried_alone_if_it_is_late() -> None:
    suite = put_off(named("a/1"), repeat=2)
    for is_last in False, True:
        found = suite.next_late()
        assert found
        assert suite.take(found[0], outcome(found[0], P)) is is_last
        if not is_last:
            found = suite.next_task()
            assert found
            assert not suite.take(found[0], late(found[0]))
    assert (suite.results["a/1"].runs, suite.results["a/1"].failures) == (2, 0)


@pytest.mark.parametrize(
    "fall",
    [
        Shortfall(Kind.DIED, "the program ended", awaits=Awaited.CONNECTION),
        Shortfall(Kind.HANGS, "the text did not come within 2 s", awaits=Awaited.SCREEN),
        Shortfall(Kind.HANGS, "the next client was not served", awaits=Awaited.NEXT_CLIENT),
    ],
)
def test_any_other_shortfall_counts_at_once(fall: Shortfall) -> None:
    one = named("a/1")
    suite = suite_of(one)
    assert suite.take(one, outcome(one, F)._replace(shortfall=fall))


def test_the_steps_that_meet_a_program_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relay, "__init__", lambda _self: None)
    made = Meet(), Listens(), Joined(Relay())  # type: ignore[call-arg]
    assert {step.awaits for step in made} == set(MEETING)


def test_a_program_that_is_at_work_when_it_is_late_is_tried_alone() -> None:
    one = named("a/1")
    assert not suite_of(one).take(one, late(one, Kind.SPINS))


def test_what_was_late_counts_when_the_budget_of_a_hand_in_is_spent() -> None:
    one, other = named("a/1"), named("b/1")
    suite = LabSuite([one, other], task(["program"], seed=7), key="", budget=Budget(5), results={})
    assert suite.next_task()
    assert not suite.take(one, late(one)._replace(seconds=5.0))
    assert suite.next_task() is None
    assert suite.is_done
    assert verdicts_of(suite) == {"a/1": F, "b/1": S}


# Workers that are lost


def test_a_program_whose_workers_are_lost_is_tried_no_further() -> None:
    suite = suite_of(*(named(f"a/{number}") for number in range(5)), named("b/1", "a/4"))
    for number in range(MOST_LOST):
        found = suite.next_task()
        assert found
        suite.lose()
        suite.take(found[0], outcome(found[0], E, f"lost {number}"))
    assert suite.next_task() is None
    assert suite.is_done
    assert [one.verdict for one in suite.ordered()] == [E, E, S, S, S, S]
    rest = suite.ordered()[MOST_LOST:]
    assert {one.reason for one in rest} == {
        "not tried: 2 workers died or hung in the cases before it"
    }
    assert all(one.counts for one in rest)


def test_what_was_late_counts_when_workers_are_lost() -> None:
    suite = put_off(named("a/1"))
    for _ in range(MOST_LOST):
        suite.lose()
    assert suite.next_task() is None
    assert verdicts_of(suite) == {"a/1": F}
