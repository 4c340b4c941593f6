"""One run of a case: the steps, their time, and each way in which a program falls short."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.check.stage import CALLS, CLIENT, SERVES, case, free_port, run, task
from tests.support.headless import children_of
from turnchat.check.case import Level, Script
from turnchat.check.play import MOST_EVENTS, Play
from turnchat.check.report import CaseResult, EventType, Kind, NotApplicable, Verdict
from turnchat.check.run import Run
from turnchat.check.steps import (
    Closes,
    Exits,
    Hear,
    Meet,
    Pass,
    Quiet,
    Rests,
    Say,
    Send,
    Shows,
    Start,
    Step,
    Type,
)
from turnchat.process.backend import Backend

Body = Callable[[Play], Script]
WAITS = "\nsignal.pause()"


def meets(*steps: Callable[[], Step]) -> Body:
    """A script that starts and meets the program, and then does these steps."""

    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        for step in steps:
            yield step()

    return script


def kind_of(result: CaseResult) -> Kind | None:
    return result.shortfall and result.shortfall.kind


def event_types(result: CaseResult) -> list[EventType]:
    return [event.type for event in result.events]


# A pass


def test_a_client_may_have_connected_before_the_checker_meets_it() -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Shows("connected")
        yield Meet()
        yield Say("hello")

    code = CALLS + "print('connected', flush=True)\nprint(peer.recv(99))\ntime.sleep(60)"
    result = run(script, code, CLIENT)
    assert result.verdict is Verdict.PASS, result.reason


def test_a_script_that_ends_passes_and_all_is_noted() -> None:
    code = SERVES + "print(peer.recv(100).decode()); peer.send(b'002hi'); peer.close()"
    result = run(meets(lambda: Say("hello"), lambda: Hear("hi"), Closes, Exits), code)
    assert (result.verdict, result.reason, result.shortfall) == (Verdict.PASS, "", None)
    assert result.screens == [["005hello"]]
    noted = event_types(result)
    assert noted[0] is EventType.STARTED
    for one in (
        EventType.CONNECTED,
        EventType.SENT,
        EventType.RECEIVED,
        EventType.CLOSED,
        EventType.SCREEN,
        EventType.EXITED,
    ):
        assert one in noted
    assert [event.at for event in result.events] == sorted(event.at for event in result.events)
    assert 0 < result.seconds < 20


def test_a_program_reads_utf_8_whatever_the_locale_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    shows = SERVES + "print(os.environ['LC_ALL'], flush=True); peer.recv(1)"
    result = run(meets(lambda: Shows("C.UTF-8")), shows)
    assert result.verdict is Verdict.PASS


def test_a_command_is_noted_as_it_is_typed() -> None:
    typed = {"server": "python3 mine.py {port}"}
    result = run(meets(lambda: Say("hello")), SERVES + "peer.recv(9)", typed=typed)
    note = result.events[0].note
    assert note.startswith("python3 mine.py ")
    assert note.rpartition(" ")[2].isdigit()


def test_a_client_is_met_when_it_calls() -> None:
    code = CALLS + "peer.send(input().encode()); peer.recv(1)"
    result = run(meets(lambda: Type("002hi"), lambda: Hear("hi")), code, CLIENT)
    assert result.verdict is Verdict.PASS


def test_a_waiting_step_takes_no_longer_than_the_program() -> None:
    result = run(meets(lambda: Shows("here", seconds=20)), SERVES + "print('here')" + WAITS)
    assert result.verdict is Verdict.PASS
    assert result.seconds < 10


def test_a_step_by_time_takes_its_time() -> None:
    result = run(meets(lambda: Pass(0.4), lambda: Quiet(0.3)), SERVES + WAITS)
    assert result.verdict is Verdict.PASS
    assert result.seconds >= 0.7


# Hangs


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda: Hear("hi"), "the frame b'002hi' did not come within 0.3 s"),
        (lambda: Shows("hi"), "the text 'hi' on the screen did not come within 0.3 s"),
        (Exits, "the end of the program did not come within 0.3 s"),
        (Closes, "the end of the program's stream did not come within 0.3 s"),
        (lambda: Hear("hi", seconds=0.1), "the frame b'002hi' did not come within 0.1 s"),
    ],
)
def test_a_program_that_hangs(step: Callable[[], Step], words: str) -> None:
    result = run(meets(step), SERVES + WAITS, timeout=0.3)
    assert (result.verdict, kind_of(result)) == (Verdict.FAIL, Kind.HANGS)
    assert result.reason.startswith(words)


def test_a_program_that_stops_itself_hangs() -> None:
    code = SERVES + "os.kill(os.getpid(), signal.SIGSTOP)"
    assert kind_of(run(meets(lambda: Hear("hi")), code, timeout=0.3)) is Kind.HANGS


def test_a_program_that_never_listens() -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Meet(0.3)

    result = run(script, ["/bin/sh", "-c", "sleep 60"])
    assert kind_of(result) is Kind.HANGS
    assert result.reason.startswith("a connection did not come within 0.3 s")


def test_a_part_of_the_answer_is_there_when_the_time_is_up() -> None:
    result = run(meets(lambda: Hear("hi")), SERVES + "peer.send(b'002h')" + WAITS, timeout=0.5)
    assert result.shortfall
    assert (result.shortfall.expected, result.shortfall.received) == (b"002hi", b"002h")


def test_a_child_that_keeps_the_terminal_is_named() -> None:
    # It is in a session of its own, so it gets no SIGHUP when the program exits.
    code = SERVES + "if not os.fork():\n os.setsid()\n signal.pause()"
    result = run(meets(Exits), code, timeout=1.0)
    assert kind_of(result) is Kind.HANGS
    assert "has ended, but a process that it has started" in result.reason


# Died


def test_a_program_that_dies_while_it_is_waited_for() -> None:
    result = run(meets(lambda: Hear("hi", seconds=20)), SERVES + "raise KeyError('peers')")
    assert kind_of(result) is Kind.DIED
    assert "ended with status 1 while the checker waited for the frame" in result.reason
    assert "Traceback" in result.reason
    assert "KeyError: 'peers'" in result.reason
    assert result.seconds < 10


def test_a_program_that_a_signal_has_ended() -> None:
    result = run(meets(lambda: Hear("hi")), SERVES + "os.kill(os.getpid(), signal.SIGSEGV)")
    assert "ended by SIGSEGV" in result.reason


def test_a_wrong_status() -> None:
    result = run(meets(Exits), SERVES + "sys.exit(3)")
    assert (kind_of(result), result.reason) == (
        Kind.DIED, "the program ended with status 3 and not with status 0",
    )  # fmt: skip
    assert run(meets(lambda: Exits(None)), SERVES + "sys.exit(3)").verdict is Verdict.PASS


def test_what_it_sent_before_it_died_still_counts() -> None:
    for _ in range(5):
        code = SERVES + "peer.send(b'002hi'); os._exit(0)"
        assert run(meets(lambda: Hear("hi")), code).verdict is Verdict.PASS


def test_words_on_a_screen_that_a_child_writes_on_do_not_hold_up_its_end() -> None:
    chatter = "import time\nwhile True: print('still here', flush=True); time.sleep(0.1)"
    code = SERVES + f"if not os.fork():\n os.setsid()\n exec({chatter!r})"
    result = run(meets(lambda: Hear("hi", seconds=15)), code)
    assert kind_of(result) is Kind.DIED
    assert result.seconds < 10


@pytest.mark.parametrize("command", [["/no/such/program"], ["/etc/passwd"], [os.devnull]])
def test_a_program_that_cannot_be_started(command: list[str]) -> None:
    result = run(meets(), command)
    assert (result.verdict, kind_of(result)) == (Verdict.FAIL, Kind.DIED)
    assert "the program could not be started" in result.reason


# Wrong


def test_other_bytes_than_expected() -> None:
    result = run(meets(lambda: Hear("hi")), SERVES + "peer.send(b'2hi')" + WAITS)
    assert kind_of(result) is Kind.WRONG
    assert result.shortfall
    assert (result.shortfall.expected, result.shortfall.received) == (b"002hi", b"2hi")


def test_bytes_out_of_turn() -> None:
    result = run(meets(lambda: Quiet(20)), SERVES + "peer.send(b'002hi')" + WAITS)
    assert (kind_of(result), result.shortfall and result.shortfall.received) == (
        Kind.WRONG, b"002hi",
    )  # fmt: skip
    assert result.seconds < 10


@pytest.mark.parametrize("step", [lambda: Pass(20), lambda: Hear("hi"), Exits, lambda: Shows("y")])
def test_a_flood_on_the_screen(step: Callable[[], Step]) -> None:
    result = run(meets(step), SERVES + "while True: os.write(1, b'x' * 60000)", timeout=20)
    assert (kind_of(result), result.reason) == (
        Kind.WRONG, "the program writes to its screen without end",
    )  # fmt: skip


def test_a_flood_on_the_wire_is_kept_up_to_a_bound() -> None:
    result = run(meets(lambda: Pass(20)), SERVES + "while True: peer.send(b'x' * 60000)")
    assert (kind_of(result), result.reason) == (Kind.WRONG, "the program sends without end")
    assert sum(len(event.data) for event in result.events) < 3 << 20


def test_events_are_kept_up_to_a_bound() -> None:
    def script(play: Play) -> Script:
        for number in range(2 * MOST_EVENTS):
            play.note(str(number))
        yield Start()

    result = run(script, SERVES)
    assert len(result.events) == MOST_EVENTS + 1
    assert result.events[-1].note == "no more events are kept"


@pytest.mark.slow
def test_a_program_that_spins() -> None:
    result = run(meets(lambda: Rests(1.0)), SERVES + "while True: pass")
    assert kind_of(result) is Kind.SPINS
    assert run(meets(lambda: Rests(0.3)), SERVES + WAITS).verdict is Verdict.PASS


def test_a_should_only_warns() -> None:
    body = meets(lambda: Hear("hi"))
    result = run(body, SERVES + "peer.send(b'2hi')" + WAITS, level=Level.SHOULD)
    assert result.verdict is Verdict.WARN


# The checker's own


def test_a_defect_in_a_script_is_an_error() -> None:
    def script(play: Play) -> Script:
        yield Start()
        raise KeyError("of the script")

    result = run(script, SERVES)
    assert (result.verdict, result.shortfall) == (Verdict.ERROR, None)
    assert "KeyError: 'of the script'" in result.reason


def test_a_defect_in_a_step_is_an_error() -> None:
    class Broken(Step):
        def late(self, play: Play):  # type: ignore[no-untyped-def]
            raise ZeroDivisionError

        def look(self, play: Play) -> bool:
            return False

    result = run(meets(lambda: Broken(0.1)), SERVES + WAITS)
    assert result.verdict is Verdict.ERROR
    assert "ZeroDivisionError" in result.reason


def test_what_is_not_applicable_is_skipped() -> None:
    def script(play: Play) -> Script:
        yield Start()
        raise NotApplicable("it is no server")

    result = run(script, SERVES)
    assert (result.verdict, result.reason) == (Verdict.SKIP, "it is no server")
    assert (result.depends_on, result.counts) == (None, False)


def test_a_case_has_a_bound() -> None:
    result = run(meets(lambda: Pass(20)), SERVES + WAITS, bound=0.2, timeout=0.2)
    assert result.verdict is Verdict.FAIL
    assert result.reason.startswith("the case took over 0.4 s together")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_the_program(number: signal.Signals) -> None:
    children = children_of(os.getpid())
    code = SERVES + f"os.kill(os.getppid(), {number:d})" + WAITS
    result = run(meets(lambda: Pass(20)), code)
    assert (result.verdict, result.reason) == (Verdict.ERROR, "it was interrupted")
    assert result.seconds < 10
    assert children_of(os.getpid()) == children


def test_a_script_is_closed_when_it_falls_short() -> None:
    closed = []

    def script(play: Play) -> Script:
        try:
            yield Start()
            yield Shows("never", seconds=0.1)
        finally:
            closed.append(True)

    assert run(script, SERVES).verdict is Verdict.FAIL
    assert closed == [True]


def test_what_is_random_comes_from_the_seed() -> None:
    def numbers(seed: int) -> list[float]:
        play = Run(case(meets()), task(["x"], seed=seed), Backend(), free_port).play
        made = [play.random.random() for _ in range(3)]
        play.close()
        return made

    assert numbers(1) == numbers(1) != numbers(2)


def test_the_program_gets_its_host_and_port() -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Exits()

    command = ["/bin/sh", "-c", "echo {host}-{port}"]
    result = run(script, command, port=(port := free_port()))
    assert result.screens == [[f"127.0.0.1-{port}"]]
    assert result.events[0].note.endswith(f"echo 127.0.0.1-{port}")


def test_time_is_the_clocks() -> None:
    began = time.monotonic()
    result = run(meets(lambda: Send(b"")), SERVES)
    assert result.seconds <= time.monotonic() - began
