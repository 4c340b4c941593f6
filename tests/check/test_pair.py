"""The cases of a pair: two programs that talk with each other, through the checker's relay."""

import sys
from pathlib import Path

import pytest

from tests.check.stage import free_port
from tests.support.process import ROOT
from turnchat.check.case import LAB, PAIR, Case, Script, select
from turnchat.check.cases.pair import meet, turn
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, Event, EventType, Kind, Verdict
from turnchat.check.run import Run
from turnchat.check.steps import Start, Step
from turnchat.check.steps.crowd import Listens
from turnchat.check.steps.pair import SIDES, Joined, Relay, TypeAt
from turnchat.check.subject import Subject
from turnchat.check.suite import Task
from turnchat.process.backend import Backend

GOOD = ROOT / "tests" / "zoo" / "good"
SERVER, CLIENT = (GOOD / f"blocking_{role}.py" for role in ("server", "client"))
CASES = {one.id: one for one in select(PAIR, LAB)}
ARGUMENTS = {"server": ["{port}"], "client": ["{host}", "{port}"]}


def play(
    case: Case, programs: dict[str, str], port: int | None = None, timeout: float = 10.0
) -> CaseResult:
    """Run a case with a server and a client in Python, given as their text."""
    commands = {
        role: [sys.executable, "-c", program, *ARGUMENTS[role]]
        for role, program in programs.items()
    }
    task = Task(case.id, PAIR, commands, port, folder=str(ROOT), timeout=timeout)
    return Run(case, task, Backend(), free_port).run()


def changed(program: Path, old: str, new: str) -> str:
    """Return the text of a program with one mistake in it."""
    text = program.read_text()
    assert old in text
    return text.replace(old, new)


def pair(server: str | None = None, client: str | None = None) -> dict[str, str]:
    return {
        "server": server or SERVER.read_text(),
        "client": client or CLIENT.read_text(),
    }


@pytest.mark.parametrize("name", CASES)
def test_a_good_pair_passes(name: str) -> None:
    result = play(CASES[name], pair())
    assert result.verdict is Verdict.PASS, result.reason


def test_a_pair_with_a_port_of_its_own_needs_no_relay() -> None:
    result = play(CASES["pair/turn"], pair(), port=free_port())
    assert result.verdict is Verdict.PASS, result.reason
    assert not [event for event in result.events if event.peer]


def test_a_client_may_throw_away_what_is_typed_before_its_question() -> None:
    flushes = "import termios, time; time.sleep(0.05); termios.tcflush(0, termios.TCIFLUSH)"
    client = changed(CLIENT, "        talk(connected)\n", f"        {flushes}; talk(connected)\n")
    result = play(CASES["pair/turn"], pair(client=client))
    assert result.verdict is Verdict.PASS, result.reason


def of(result: CaseResult, event_type: EventType, program: int) -> list[Event]:
    return [
        event for event in result.events if (event.type, event.program) == (event_type, program)
    ]


def bytes_of(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events)


def test_each_byte_is_passed_on_and_kept() -> None:
    result = play(CASES["pair/turn"], pair())
    question, answer = b"015from-the-client", b"015from-the-server"
    assert bytes_of(of(result, EventType.RECEIVED, 1)) == question
    assert bytes_of(of(result, EventType.SENT, 0)) == question
    assert bytes_of(of(result, EventType.RECEIVED, 0)) == answer
    assert bytes_of(of(result, EventType.SENT, 1)) == answer
    assert [event.peer for event in of(result, EventType.CONNECTED, 1)] == [1]
    assert [event.peer for event in of(result, EventType.CONNECTED, 0)] == [2]


FOR_EVER, NINE_TURNS = "while True:\n        if hear", "for _ in range(9):\n        if hear"
LENGTH = 'b"%03d" % len(body)'
ONE_MISTAKE = {
    "pair/turn": (
        pair(client=changed(CLIENT, LENGTH, 'b"%d" % len(body)')),
        Kind.DIED,
        "the server ended with status 1 while the checker waited for the text 'from-the-client'",
    ),
    "pair/turns": (
        pair(server=changed(SERVER, FOR_EVER, NINE_TURNS)),
        Kind.DIED,
        "while the checker waited for the text 'question-number-10-ends' on the server's screen",
    ),
    "pair/utf-8": (
        pair(server=changed(SERVER, LENGTH, 'b"%03d" % len(text)')),
        Kind.HANGS,
        "on the client's screen did not come",
    ),
    "pair/longest": (
        pair(client=changed(CLIENT, "MOST = 255", "MOST = 250")),
        Kind.HANGS,
        "on the server's screen did not come",
    ),
    "pair/bye-client": (
        pair(client=changed(CLIENT, 'speak(connected) == b"BYEBYE"', "not speak(connected)")),
        Kind.DIED,
        "the client ended with status 1 and not with status 0",
    ),
    "pair/bye-server": (
        pair(client=changed(CLIENT, 'hear(connected) == b"BYEBYE"', "not hear(connected)")),
        Kind.HANGS,
        "the end of the client's stream did not come",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_mistake_makes_its_case_fall_short(name: str) -> None:
    programs, kind, reason = ONE_MISTAKE[name]
    result = play(CASES[name], programs, timeout=4.0)
    assert result.verdict is Verdict.FAIL
    assert result.shortfall
    assert (result.shortfall.kind, reason in result.reason) == (kind, True), result.reason


def test_a_server_that_goes_on_may() -> None:
    again = changed(SERVER, "    main()\n", "    main()\n    main()\n")
    result = play(CASES["pair/bye-client"], pair(server=again))
    assert result.verdict is Verdict.PASS, result.reason


def test_a_server_that_ends_with_an_error_falls_short() -> None:
    ends = changed(SERVER, "    main()\n", "    main()\n    sys.exit(3)\n")
    result = play(CASES["pair/bye-client"], pair(server=ends))
    assert result.verdict is Verdict.FAIL
    assert result.reason == "the server ended with status 3 and not with status 0"


@pytest.mark.slow
def test_a_server_that_does_not_close_falls_short() -> None:
    keeps = changed(SERVER, "            hang_up(connected)\n", "            input()\n")
    result = play(CASES["pair/bye-client"], pair(server=keeps), timeout=2.0)
    assert result.verdict is Verdict.FAIL
    assert "the end of the server's stream did not come" in result.reason


@pytest.mark.parametrize(
    ("name", "place"), [("server", "a socket"), ("client", "the client's con")]
)
def test_the_program_of_the_two_that_ends_at_its_start_is_told(name: str, place: str) -> None:
    result = play(CASES["pair/turn"], pair(**{name: "raise SystemExit(2)"}))
    assert result.verdict is Verdict.FAIL
    words = f"the {name} ended with status 2 while the checker waited for {place}"
    assert result.reason.startswith(words)


def test_a_server_that_ends_while_its_client_starts_is_told() -> None:
    ends = "import socket, sys\nsocket.create_server(('', int(sys.argv[1]))).accept(); sys.exit(3)"
    slow = "import sys, time; sys.stdin.readline()"
    result = play(CASES["pair/turn"]._replace(script=knocks), pair(server=ends, client=slow))
    assert result.reason.startswith("the server ended with status 3 while the checker waited for ")


def knocks(play: Play) -> Script:
    server_port = play.port
    yield Start(SIDES[0])
    yield Listens()
    relay = Relay(play)
    yield Start(SIDES[1])
    play.connect(server_port)
    yield Joined(relay)


@pytest.mark.parametrize("name", ["server", "client"])
def test_a_program_of_the_two_that_cannot_be_started_falls_short(name: str, tmp_path: Path) -> None:
    both = {role: [sys.executable, "-c", text, *ARGUMENTS[role]] for role, text in pair().items()}
    nothing = tmp_path / "nothing"
    for path, words in ((nothing, "could not be started"), (tmp_path / "x", "has no format that")):
        if path != nothing:
            path.write_bytes(b"\0")
            path.chmod(0o755)
        task = Task("pair/turn", PAIR, {**both, name: [str(path)]}, timeout=10.0)
        result = Run(CASES["pair/turn"], task, Backend(), free_port).run()
        assert result.verdict is Verdict.FAIL, result.reason
        assert result.shortfall
        assert result.shortfall.kind is Kind.DIED
        assert result.reason.startswith(f"the {name} {words}")


class Reads(Step):
    """Wait for a text on a screen, whatever becomes of the other program."""

    needs_program = False

    def __init__(self, program: Subject, text: str) -> None:
        super().__init__()
        self._program, self._text = program, text

    def look(self, play: Play) -> bool:
        return self._program.screen.shows(self._text)


def reset_by_the_client(play: Play) -> Script:
    both = yield from meet(play)
    yield from turn(both, "a-question", "an-answer")
    yield TypeAt(both.client, "BYEBYE")
    yield Reads(both.server, "it heard of a reset:")


def test_a_reset_is_passed_on() -> None:
    reset = "NOW = bytes([1, 0, 0, 0, 0, 0, 0, 0])  # struct linger\n" + changed(
        CLIENT,
        "            hang_up(connected)\n",
        "            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)\n",
    )
    again = changed(
        SERVER, 'sys.exit(f"server: {error}")', 'print("it heard of a reset:", error); input()'
    )
    assert (
        play(
            CASES["pair/turn"]._replace(script=reset_by_the_client),
            pair(server=again, client=reset),
        ).verdict
        is Verdict.PASS
    )
