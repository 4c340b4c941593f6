"""Workers that die, hang, answer rubbish or flood; and a checker that is ended: nothing is left."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.check.stage import case, new_mark, processes_with, task
from tests.support.clock import wait_until
from tests.support.headless import children_of
from tests.support.process import ROOT, Program, Start, descriptors_of
from tests.support.sampling import sampled
from turnchat.check import runner as module
from turnchat.check import suite as suite_module
from turnchat.check.case import Case, Level, Role, Script, all_cases
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, Event, EventType, Verdict
from turnchat.check.runner import Runner
from turnchat.check.suite import MOST_LOST, Suite, Task
from turnchat.cli.check import worker
from turnchat.core.loop import EventLoop
from turnchat.process.child import ChildWatcher
from turnchat.process.signals import Signals

Command = Callable[[int], Sequence[str]]
CHECK = str(ROOT / "bin" / "turnchat-check")
PASSED = CaseResult("", Level.MUST, Verdict.PASS, "A rule.", "Messages", "")
# The beginning of a false worker: answer() gives the right answer to a task.
BEGIN = f"""
import json, os, signal, sys, time
PASSED = json.loads({json.dumps(PASSED.to_json())!r})
def answer(task, **more):
    return json.dumps({{**PASSED, "id": task["case"], **more}})
"""
LOOP = BEGIN + "for line in sys.stdin:\n    task = json.loads(line)\n    "
HONEST = LOOP + "print(answer(task), flush=True)"
FIRST = 'if task["case"] == "a/1":\n        '
HONEST_AFTER = "\n    print(answer(task), flush=True)"


def script(play: Play) -> Script:
    yield from ()


def cases(number: int) -> list[Case]:
    return [case(script, bound=0.2)._replace(id=f"a/{one + 1}") for one in range(number)]


def false(code: str) -> Command:
    return lambda _number: [sys.executable, "-c", code]


@pytest.fixture
def signals(loop: EventLoop) -> Iterator[Signals]:
    with closing(Signals(loop)) as made:
        yield made


@pytest.fixture
def run(loop: EventLoop, signals: Signals) -> Iterator[Callable[..., list[CaseResult]]]:
    before, children = descriptors_of(os.getpid()), children_of(os.getpid())

    def run(command: Command, *suites: Suite, jobs: int = 1) -> list[CaseResult]:
        heard: list[CaseResult] = []
        made = Runner(
            loop, ChildWatcher(loop, signals), command, suites, jobs=jobs,
            on_result=lambda _suite, result: heard.append(result),
        )  # fmt: skip
        made.run()
        results = [one for suite in suites for one in suite.ordered()]
        assert len(heard) == len(results) == sum(len(suite.cases) for suite in suites)
        return results

    yield run
    assert descriptors_of(os.getpid()) == before
    assert children_of(os.getpid()) == children


def suite(number: int = 3, **how: object) -> Suite:
    return Suite(cases(number), task(["program"], timeout=0.1), **how)  # type: ignore[arg-type]


def test_workers_share_the_cases(run: Callable[..., list[CaseResult]]) -> None:
    code = LOOP + "print(answer(task, reason=str(os.getpid())), flush=True)"
    results = run(false(code), suite(8), suite(8), jobs=2)
    assert [one.verdict for one in results] == [Verdict.PASS] * 16
    assert len({one.reason for one in results}) == 2


def test_more_workers_than_cases_are_no_harm(run: Callable[..., list[CaseResult]]) -> None:
    assert len(run(false(HONEST), suite(1), jobs=4)) == 1
    assert run(false(HONEST), suite(0), jobs=2) == []


def test_each_repeat_is_a_run(run: Callable[..., list[CaseResult]]) -> None:
    results = run(false(HONEST), suite(2, repeat=5), jobs=2)
    assert [(one.runs, one.failures) for one in results] == [(5, 0), (5, 0)]


@pytest.mark.parametrize(
    ("deed", "words"),
    sampled(
        [
            ("os._exit(3)", "the worker exited with status 3 in this case: it wrote no error"),
            ("os.kill(os.getpid(), 9)", "was ended by SIGKILL in this case: it wrote no error"),
            ("raise KeyError('peers')", "exited with status 1 in this case: KeyError: 'peers'"),
            ("sys.stdout.write('half a line'); sys.exit()", "exited with status 0 in this case: "),
            ("print('rubbish', flush=True)", "in this case: its answer is no result"),
            ("print('{}', flush=True)", "in this case: its answer is no result"),
            ("print('[' * 100000, flush=True)", "in this case: its answer is no result"),
            ("print(answer({'case': 'a/2'}), flush=True)", "in this case: its answer is no result"),
            ("print(answer(task, verdict='fine'), flush=True)", "in this case: its answer is no"),
            ("os.write(1, 2 * f'{answer(task)}\\n'.encode())", "its answer is no result"),
            ("os.write(1, b'\\xff\\n')", "in this case: its answer is no result"),
        ],
        every=4,
    ),
)
def test_a_worker_that_fails_costs_one_case(
    run: Callable[..., list[CaseResult]], deed: str, words: str
) -> None:
    first, *others = run(false(LOOP + FIRST + deed + HONEST_AFTER), suite(3))
    assert first.verdict is Verdict.ERROR
    assert words in first.reason
    assert [one.verdict for one in others] == [Verdict.PASS] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "deed",
    [
        "time.sleep(60)",
        "signal.signal(15, signal.SIG_IGN); time.sleep(60)",
        "while True: sys.stdout.write('x' * 65536)",
        "while True: os.write(2, b'x' * 65536)",
        "os.close(1); os.close(2); time.sleep(60)",
    ],
    ids=["hangs", "ignores", "floods", "floods errors", "closes"],
)
def test_a_worker_that_does_not_answer_is_ended(
    run: Callable[..., list[CaseResult]], deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OVERTIME", 2.0)
    first, *others = run(false(LOOP + FIRST + deed + HONEST_AFTER), suite(2))
    assert first.verdict is Verdict.ERROR
    assert "the worker was ended by" in first.reason
    assert [one.verdict for one in others] == [Verdict.PASS]


@pytest.mark.slow
def test_a_worker_that_is_stopped_is_ended_at_once_and_after_two_none_is_tried(
    run: Callable[..., list[CaseResult]],
) -> None:
    results = run(false(LOOP + "os.kill(os.getpid(), signal.SIGSTOP)"), suite(5))
    assert [one.verdict for one in results] == [Verdict.ERROR] * 2 + [Verdict.SKIP] * 3
    assert "in this case: it was stopped (SIGSTOP)" in results[0].reason
    assert "not tried: 2 workers died or hung" in results[-1].reason
    assert 0 < results[0].seconds < 10  # the bound of a case is 0.2 s, with OVERTIME 8.2 s


@pytest.mark.parametrize(("fixed_port", "verdict"), [(2322, Verdict.PASS), (None, Verdict.ERROR)])
def test_a_worker_may_wait_for_a_fixed_port(
    fixed_port: int | None,
    verdict: Verdict,
    run: Callable[..., list[CaseResult]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "OVERTIME", 0.5)
    monkeypatch.setattr(suite_module, "PORT_TIMEOUT", 60.0)
    waits = Suite(cases(1), task(["program"], timeout=0.1, port=fixed_port))
    (result,) = run(false(LOOP + "time.sleep(2)" + HONEST_AFTER), waits)
    assert result.verdict is verdict


@pytest.mark.parametrize(
    ("fields", "may_wait"),
    [
        ({"port": 2322}, True),
        ({"port": 2322, "role": Role.PAIR}, True),
        ({"port": 2322, "role": Role.CLIENT}, False),
        ({"port": 2322, "reuses_port": True}, False),
        ({}, False),
    ],
)
def test_only_a_server_with_a_fixed_port_waits_for_it(
    fields: dict[str, Any], may_wait: bool
) -> None:
    assert (
        bool(Task("a/1", **{"role": Role.SERVER, "commands": {}, **fields}).port_timeout)
        is may_wait
    )


def test_a_worker_whose_input_closes_is_replaced(run: Callable[..., list[CaseResult]]) -> None:
    code = BEGIN + (
        "task = json.loads(sys.stdin.readline())\nos.close(0)\n"
        "print(answer(task), flush=True)\ntime.sleep(60)"
    )
    results = run(false(code), suite(3))
    assert [one.verdict for one in results] == [Verdict.PASS, Verdict.ERROR, Verdict.PASS]
    assert results[1].reason.endswith("in this case: it takes no task")


def test_a_worker_that_ends_after_each_answer_loses_none(
    run: Callable[..., list[CaseResult]], tmp_path: Path
) -> None:
    """Each worker appends to a file the answers that it has printed."""
    code = BEGIN + (
        "task = json.loads(sys.stdin.readline())\nprint(answer(task), flush=True)\n"
        f"open({str(tmp_path / 'printed')!r}, 'a').write(task['case'] + '\\n')"
    )
    results = run(false(code), suite(6), jobs=2)
    printed = (tmp_path / "printed").read_text().split()
    assert printed
    # A task that was on its way to a worker that ended is an error. After two, none is tried.
    assert sorted(printed) == [one.id for one in results if one.verdict is Verdict.PASS]
    assert [one.verdict for one in results].count(Verdict.ERROR) <= MOST_LOST


def test_a_result_of_four_mebibytes_arrives_whole(run: Callable[..., list[CaseResult]]) -> None:
    event = Event(0.0, EventType.SCREEN, bytes(range(256)) * (1 << 13))
    fields = "at=0.0, type='screen', data=bytes(range(256)).hex() * (1 << 13)"
    more = f"events=[dict({fields}, peer=0, program=0, note='')]"
    code = LOOP + f"print(answer(task, {more}), flush=True)"
    (result,) = run(false(code), suite(1))
    assert result.events == [event]


def test_what_a_dead_worker_has_started_is_ended(run: Callable[..., list[CaseResult]]) -> None:
    mark = new_mark()
    starts = f"import subprocess; subprocess.Popen([sys.executable, '-c', WAITS, {mark!r}]"
    code = LOOP.replace("import json", "WAITS = 'import signal; signal.pause()'\nimport json", 1)
    code += f"{starts}, start_new_session=True); os.kill(os.getpid(), 9)"
    (result,) = run(false(code), suite(1))
    assert result.verdict is Verdict.ERROR
    assert processes_with(mark) == []


def test_a_worker_that_cannot_be_started_ends_the_run(loop: EventLoop, signals: Signals) -> None:
    children = children_of(os.getpid())

    def command(number: int) -> list[str]:
        return ["/no/such/program"] if number else [sys.executable, "-c", HONEST]

    before = descriptors_of(os.getpid())
    made = Runner(
        loop, ChildWatcher(loop, signals), command, [suite(5)], jobs=2, on_result=lambda *_: None
    )
    with pytest.raises(FileNotFoundError):
        made.run()
    assert descriptors_of(os.getpid()) == before
    assert children_of(os.getpid()) == children


# With real workers

MESSAGE = [one for one in all_cases() if one.id == "frame/message"]


def checked(folder: Path, code: str) -> Suite:
    """The first case, for a program of these lines."""
    (folder / "program.py").write_text("import os, signal, sys, time\n" + code)
    command = [sys.executable, str(folder / "program.py"), "{port}"]
    return Suite(MESSAGE, task(command, timeout=1.0))


@pytest.mark.parametrize(
    ("number", "words"),
    [("SIGKILL", "the worker was ended by SIGKILL"), ("SIGTERM", "it was interrupted")],
)
def test_a_program_that_ends_its_worker_costs_its_own_case(
    run: Callable[..., list[CaseResult]], tmp_path: Path, number: str, words: str
) -> None:
    mark = new_mark()
    code = f"os.kill(os.getppid(), signal.{number})\nsignal.signal(1, signal.SIG_IGN)\n"
    wait = f"sys.argv[1:] == [{mark!r}] or os.execv(sys.executable, [*sys.orig_argv[:2], {mark!r}])"
    (result,) = run(worker.command, checked(tmp_path, f"{wait}\n{code}time.sleep(60)"))
    assert result.verdict is Verdict.ERROR
    assert words in result.reason
    assert processes_with(mark) == []


def test_a_program_cannot_answer_for_its_worker(
    run: Callable[..., list[CaseResult]], tmp_path: Path
) -> None:
    code = """
with open(f"/proc/{os.getppid()}/fd/1", "w") as out:
    out.write('{"verdict": "pass"}\\n')
time.sleep(60)
"""
    (result,) = run(worker.command, checked(tmp_path, code))
    assert result.verdict is Verdict.ERROR
    assert "its answer is no result" in result.reason


# It clears its environment, and leaves group, session and parent.
DAEMON = """
if sys.argv[1] != "daemon":
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(1, signal.SIG_IGN)
            os.execve(sys.executable, [*sys.orig_argv[:2], "daemon", *sys.argv[2:]], {})
        os._exit(0)
    os.wait()
    deed()
    os._exit(1)
time.sleep(60)
"""


@pytest.mark.parametrize("deed", ["pass", "os.kill(os.getppid(), 9)"], ids=["ends", "kills"])
@pytest.mark.parametrize(
    "sandbox",
    [(), pytest.param(("--no-sandbox",), marks=pytest.mark.slow)],
    ids=["nothing", "limits"],
)
def test_a_daemon_that_clears_its_environment_does_not_outlive_its_case(
    program: Start, tmp_path: Path, deed: str, sandbox: Sequence[str]
) -> None:
    mark = new_mark()
    code = f"import os, signal, sys, time\ndef deed(): {deed}\n{DAEMON}"
    (tmp_path / "program.py").write_text(code)
    command = [sys.executable, str(tmp_path / "program.py"), "{port}", mark]
    only = ["--only", "start/listens", "--timeout", "1"]
    checker = program(CHECK, "server", *sandbox, *only, "--", *command)
    checker.wait()
    assert processes_with(mark) == []


LISTENS = """
import signal, socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
peer, _ = listening.accept()
for one in (1, 2, 15): signal.signal(one, signal.SIG_IGN)
while True: signal.pause()
"""


@pytest.mark.slow
def test_no_two_workers_have_the_same_ports(
    run: Callable[..., list[CaseResult]], tmp_path: Path
) -> None:
    def command(_number: int) -> list[str]:
        return worker.command(0)  # both would take the same block

    both = [checked(tmp_path, "time.sleep(1); sys.exit(1)") for _ in range(2)]
    results = run(command, *both, jobs=2)
    ports = [int(one.events[0].note.rsplit(" ", 1)[1]) for one in results]
    assert len({port // worker.PORTS for port in ports}) == 2


def started(program: Start, tmp_path: Path, mark: str) -> Program:
    """A checker of a program that is connected and then waits for ever."""
    path = tmp_path / "program.py"
    path.write_text(LISTENS)
    command = [sys.executable, str(path), "{port}", mark]
    checker = program(CHECK, "server", "--jobs", "2", "--timeout", "300", "--", *command)
    wait_until(lambda: any(catches_nothing(pid) for pid in processes_with(mark)))
    return checker


def catches_nothing(pid: int) -> bool:
    """True if a process ignores SIGTERM: the program has come as far as that."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
    return bool(ignored >> (signal.SIGTERM - 1) & 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_checker_that_is_ended_leaves_nothing(
    program: Start, tmp_path: Path, number: signal.Signals
) -> None:
    mark = new_mark()
    checker = started(program, tmp_path, mark)
    checker.signal(number)
    assert checker.wait() != 0
    wait_until(lambda: not processes_with(mark))
