"""Cases that run alone: when they do, and that no suite waits for the end of all others."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.check.stage import task
from tests.check.test_runner import FIRST, HONEST_AFTER, LOOP, cases, false
from turnchat.check import processes
from turnchat.check import runner as module
from turnchat.check.report import Kind, Shortfall, Verdict
from turnchat.check.runner import Runner
from turnchat.check.suite import MEETING, Suite
from turnchat.core.loop import EventLoop
from turnchat.process.child import ChildWatcher
from turnchat.process.signals import Signals

Play = Callable[..., list[tuple[str, str, str]]]


@pytest.fixture
def play(loop: EventLoop) -> Iterator[Play]:
    """Run suites by false workers; return what began and ended, in its order."""
    with closing(Signals(loop)) as signals:

        def play(code: str, suites: Sequence[Suite], jobs: int) -> list[tuple[str, str, str]]:
            heard: list[tuple[str, str, str]] = []
            Runner(
                loop, ChildWatcher(loop, signals), false(code), suites, jobs=jobs,
                on_result=lambda suite, one: heard.append(("ended", suite.key, one.id)),
                on_start=lambda suite, one: heard.append(("began", suite.key, one.id)),
            ).run()  # fmt: skip
            return heard

        yield play


def suite(number: int, key: str = "") -> Suite:
    return Suite(cases(number), task(["program"], timeout=0.1), key=key)


LATE = json.loads(json.dumps(Shortfall(Kind.HANGS, "late", awaits=MEETING[0]).to_json()))


def test_a_late_case_runs_again_while_no_other_worker_is_at_work(
    play: Play, tmp_path: Path
) -> None:
    """The first run of a/1 is late; each run leaves a file with its time."""
    code = (
        LOOP
        + f"""began, case = time.monotonic(), task["case"].replace("/", "")
    runs = len([name for name in os.listdir({str(tmp_path)!r}) if name.startswith(case)])
    is_late = case == "a1" and not runs
    time.sleep(0.1)
    with open(f"{tmp_path}/{{case}}.{{runs}}", "w") as file:
        file.write(f"{{began}} {{time.monotonic()}}")
    more = dict(verdict="fail", shortfall={LATE!r}) if is_late else {{}}
    print(answer(task, **more), flush=True)"""
    )
    one = suite(6)
    play(code, [one], 3)
    assert {each.verdict for each in one.ordered()} == {Verdict.PASS}
    spans = {path.name: tuple(map(float, path.read_text().split())) for path in tmp_path.iterdir()}
    alone, _ = spans.pop("a1.1")
    assert len(spans) == 6
    assert max(end for _, end in spans.values()) < alone


HANGS = f"print(answer(task, verdict='fail', shortfall={LATE!r}), flush=True)"


def test_a_suite_whose_program_hangs_is_done_before_many_others_begin(play: Play) -> None:
    """Each program hangs in its first case, as all of a class may."""
    suites = [suite(2, str(nth)) for nth in range(8)]
    heard = play(LOOP + FIRST + HANGS + "; continue" + HONEST_AFTER, suites, 2)
    assert len([one for one in heard if one[0] == "ended"]) == 16
    for nth in range(6):
        ends = max(heard.index(("ended", str(nth), f"a/{case}")) for case in (1, 2))
        assert ends < heard.index(("began", str(nth + 2), "a/1"))
    again = [at for at, one in enumerate(heard) if one[0] == "began" and one in heard[:at]]
    assert [heard[at + 1] for at in again] == [("ended", *heard[at][1:]) for at in again]
    assert len(again) == 8
    assert [one.results["a/1"].verdict for one in suites] == [Verdict.FAIL] * 8


def test_what_a_dead_worker_leaves_does_not_hold_up_the_others(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that no signal ends is found at each look."""
    assert 2 * module.KILL_TIMEOUT < module.OVERTIME
    looks = []

    def members(_mark: str, _leader: int | None = None) -> list[processes.Process]:
        looks.append(1)
        return [processes.Process(1 << 30, 0, 0, 1, 0, 0, is_alive=True)]

    monkeypatch.setattr(processes, "members", members)
    monkeypatch.setattr(module, "KILL_TIMEOUT", 0.05)
    one = suite(1)
    play(LOOP + "os._exit(3)", [one], 1)
    assert 0 < len(looks) < 300  # it pauses between them
    assert one.results["a/1"].verdict is Verdict.ERROR
