"""Results of a class that are kept, and the suites that give them."""

import subprocess
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest

from turnchat.check.case import BOTH, CLIENT, LAB, MUST, SERVER, Role
from turnchat.check.lab.state import MOST_EVIDENCE, State, shortened
from turnchat.check.lab.suites import SUITES, Budget, LabSuite, cases_of, commands, expected
from turnchat.check.report import CaseResult, Event, EventType, Verdict
from turnchat.check.suite import Task
from turnchat.cli.check.lab import sources


def result(name: str = "frame/message", verdict: Verdict = Verdict.PASS) -> CaseResult:
    return CaseResult(name, MUST, verdict, "A rule.", "", "", seconds=1.0)


def test_a_torn_line_is_no_result_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state"
    state = State(path, {"seed": 1})
    for name in "a", "b":
        state.add("k", "d", "server", result(name))
    state.close()
    path.write_bytes(path.read_bytes()[:-20])
    state = State(path, {"seed": 1})
    assert state.results("k", "d", "server").keys() == {"a"}
    state.add("k", "d", "server", result("c"))
    state.close()
    assert State(path, {"seed": 1}).results("k", "d", "server").keys() == {"a", "c"}


@pytest.mark.parametrize("text", ["", "{", "[]\n", "null\n", '{"options": 3}\n', "\0\xff\n"])
def test_a_damaged_file_of_results_is_no_obstacle(text: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text(text)
    assert State(path, {"seed": 1}).count == 0


def test_results_of_another_digest_are_not_used(tmp_path: Path) -> None:
    state = State(tmp_path / "state", {})
    state.add("k", "old", "server", result())
    state.close()
    assert not State(tmp_path / "state", {}).results("k", "new", "server")


def test_a_large_file_of_results_is_not_kept_in_memory(tmp_path: Path) -> None:
    path, most = tmp_path / "state", 40 * MOST_EVIDENCE
    state = State(path, {})
    event = Event(0.0, EventType.SCREEN, b"x" * MOST_EVIDENCE)
    for nth in range(40):
        state.add(f"k{nth}", "d", "server", result()._replace(events=[event]))
    state.close()
    tracemalloc.start()
    try:
        state = State(path, {})
        assert state.count == 40
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < most / 10
    assert state.results("k39", "d", "server")["frame/message"].events == [event]
    state.close()


def test_results_are_read_while_others_are_written(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for names in ("a", "b"), ("c", "d"):
        state = State(path, {})
        known = [state.results(name, "x", "server") for name in ("a", "b", "c")]
        for name in names:
            state.add(name, "x", "server", result(name))
            assert state.results("a", "x", "server") == known[0]
        state.close()
    assert [one.keys() for one in known] == [{"a"}, {"b"}, set()]
    assert [State(path, {}).results(one, "x", "server").keys() for one in "abcd"] == [
        {one} for one in "abcd"
    ]


def test_errors_of_the_checker_are_tried_again(tmp_path: Path) -> None:
    state = State(tmp_path / "state", {})
    state.add("k", "d", "server", result(verdict=Verdict.ERROR))
    state.close()
    assert State(tmp_path / "state", {}).count == 0


def test_evidence_is_bounded() -> None:
    events = [Event(0.0, EventType.SCREEN, b"x" * 5000)] * 1000
    kept = shortened(result()._replace(events=events, reason="r" * 9000))
    assert sum(len(one.data) for one in kept.events) <= MOST_EVIDENCE
    assert len(kept.reason) == 2000


# Suites


def test_a_spent_budget_leaves_the_rest_out_and_it_does_not_hold() -> None:
    cases = [one._replace(after=()) for one in cases_of(LAB)["server"]]
    suite = LabSuite(
        cases, Task("", SERVER, {}), key="", budget=Budget(1.5), results={}
    )  # fmt: skip
    for name in "start/listens", "start/says":
        found = suite.next_task()
        assert found
        assert found[0].id == name
        suite.take(found[0], result(name, Verdict.WARN))
    assert suite.next_task() is None
    assert suite.is_done
    left_out = suite.results["frame/message"]
    assert left_out.counts
    assert left_out.reason == "not tried: its cases that fall short took 1.5 s together"


def test_cases_that_hold_cost_nothing_of_the_budget() -> None:
    cases = cases_of(LAB)["server"]
    known = {"start/says": result("start/says", Verdict.FAIL)}
    suite = LabSuite(
        cases, Task("", SERVER, {}), key="", budget=Budget(1.5), results=known
    )  # fmt: skip
    found = suite.next_task()
    assert found
    suite.take(found[0], result(found[0].id)._replace(seconds=9.0))
    assert suite.next_task()


def test_what_is_under_way_when_the_budget_is_spent_is_awaited() -> None:
    cases = [one._replace(after=()) for one in cases_of(LAB)["server"]]
    suite = LabSuite(cases, Task("", SERVER, {}), key="", budget=Budget(0.5), results={})
    first, second = suite.next_task(), suite.next_task()
    assert first
    assert second
    suite.take(first[0], result(first[0].id, Verdict.FAIL))
    assert suite.next_task() is None
    assert not suite.is_done
    suite.take(second[0], result(second[0].id))
    assert suite.is_done


def test_the_suites_pair_a_student_with_turnchat() -> None:
    mine: Mapping[Role, list[str]] = {SERVER: ["s"], CLIENT: ["c"]}
    own: Mapping[Role, list[str]] = {SERVER: ["own server"], CLIENT: ["own client"]}
    made = {kind.name: commands(kind, mine, own) for kind in SUITES}
    assert made["pair"] == {"server": ["s"], "client": ["c"]}
    assert made["server"] == {"server": ["s"]}
    assert made["server-turnchat"] == {"server": ["s"], "client": ["own client"]}
    assert made["client-turnchat"] == {"server": ["own server"], "client": ["c"]}


@pytest.mark.parametrize("role", BOTH)
def test_turnchats_own_programs_start_in_any_folder(role: Role, tmp_path: Path) -> None:
    command = [*sources.OWN[role][:-1], "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"turnchat-{role} ")


def test_cases_are_selected_for_each_suite() -> None:
    cases = cases_of(LAB, ["frame/message", "pair/turn"])
    assert {
        *(f"{role}:frame/message" for role in ("server", "client")),
        *(f"{name}:pair/turn" for name in ("pair", "server-turnchat", "client-turnchat")),
    } <= set(expected(cases))
    for name, found in cases.items():
        before = {one for case in found for one in case.after}
        asked_for = {case.id for case in found} - before
        assert asked_for == {"frame/message" if name in ("server", "client") else "pair/turn"}
    with pytest.raises(ValueError, match="like 'nothing'"):
        cases_of(LAB, ["frame/*", "nothing"])
