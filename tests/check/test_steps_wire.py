"""The steps that hear, cut, and judge an end, each on a program of a line or two."""

from typing import Any

import pytest

from tests.support.tried import stage
from turnchat.check.case import Script
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, Kind, Verdict
from turnchat.check.steps import (
    Closes,
    Exits,
    Hear,
    HearFrame,
    HearOneOf,
    Meet,
    NoCrash,
    Send,
    Shows,
    ShowsAnything,
    Start,
    Step,
    Taken,
)

WAIT = "s.recv(1)"  # until the checker hangs up


def try_step(step: Step, program: str, **how: Any) -> tuple[CaseResult, Any]:
    """Try a step on a program. Return the result of the case, and of the step."""
    got: list[object] = []

    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        got.append((yield step))

    result = stage(script, program, **how)
    return result, got[0] if got else "none came"


def passes(step: Step, program: str, **how: Any) -> Any:
    result, got = try_step(step, program, **how)
    assert result.verdict is Verdict.PASS, result.reason
    return got


def falls(step: Step, program: str, **how: Any) -> tuple[Kind, str]:
    result, _ = try_step(step, program, **how)
    assert result.verdict is Verdict.FAIL
    assert result.shortfall
    return result.shortfall.kind, result.shortfall.reason


def test_one_of_several_messages_is_heard() -> None:
    assert passes(HearOneOf("one", "two"), f"s.sendall(b'003two'); {WAIT}") == "two"


def test_silence_may_be_right() -> None:
    assert passes(HearOneOf("one", or_nothing=True, seconds=0.05), WAIT) is None


def test_half_a_frame_is_not_silence() -> None:
    step = HearOneOf("one", or_nothing=True, seconds=1.0)
    kind, reason = falls(step, f"s.sendall(b'003o'); {WAIT}")
    assert (kind, reason) == (Kind.WRONG, "a whole frame did not come within 1 s")


def test_an_end_may_be_right() -> None:
    assert passes(HearOneOf("one", or_end=True), f"s.shutdown(1); {WAIT}") is None


@pytest.mark.parametrize("step", [HearOneOf("one"), Hear("one")])
def test_an_end_that_is_not_allowed_falls_short(step: Step) -> None:
    kind, reason = falls(step, f"s.shutdown(1); {WAIT}")
    assert kind is Kind.WRONG
    assert reason.startswith("the program ended its stream while")


def test_an_end_inside_a_frame_falls_short() -> None:
    kind, _ = falls(HearOneOf("one", or_end=True), f"s.sendall(b'00'); s.shutdown(1); {WAIT}")
    assert kind is Kind.WRONG


def test_other_bytes_fall_short_at_once() -> None:
    result, _ = try_step(HearOneOf("one", or_end=True), f"s.sendall(b'3one'); {WAIT}")
    assert result.shortfall
    assert result.shortfall.reason == "the program sent other bytes"
    assert (result.shortfall.expected, result.shortfall.received) == (b"003one", b"3one")


@pytest.mark.parametrize("step", [HearOneOf("one"), Hear("one")])
def test_a_program_that_has_died_is_told_apart(step: Step) -> None:
    kind, reason = falls(step, "sys.exit('no more')")
    assert kind is Kind.DIED
    assert "with status 1" in reason
    assert "no more" in reason


def test_any_frame_is_heard() -> None:
    assert passes(HearFrame(), f"s.sendall('003é!'.encode()); {WAIT}") == "é!".encode()


def test_an_end_between_frames_is_heard() -> None:
    assert passes(HearFrame(), f"s.shutdown(1); {WAIT}") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"300" + b"x" * 300, "no frame"),
        (b"1x", "no frame"),
        (b"002\xc3\xa9"[:4], "inside a frame"),
        (b"001\xc3", "inside a character"),
    ],
)
def test_bytes_that_are_no_frame_fall_short(data: bytes, words: str) -> None:
    kind, reason = falls(HearFrame(), f"s.sendall({data!r}); s.shutdown(1); {WAIT}")
    assert kind is Kind.WRONG
    assert words in reason


def test_a_frame_that_does_not_come_whole_hangs() -> None:
    kind, _ = falls(HearFrame(seconds=0.05), WAIT)
    assert kind is Kind.HANGS


def test_each_piece_is_read_before_the_next() -> None:
    pieces = [b"0", b"0", b"2h", b"i"]

    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        for piece in pieces:
            yield Send(piece)
            while not (yield Taken()):
                pass
        yield HearOneOf(repr(pieces))

    program = (
        f"text = repr([s.recv(9) for _ in range({len(pieces)})]).encode()\n"
        f"s.sendall(b'%03d' % len(text) + text); {WAIT}"
    )
    assert stage(script, program).verdict is Verdict.PASS


def test_a_program_that_does_not_read_is_not_waited_for_without_end() -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        yield Send(b"unread")
        assert (yield Taken()) is False

    assert stage(script, "input()").verdict is Verdict.PASS


def test_words_on_the_screen_are_seen() -> None:
    passes(ShowsAnything(), f"print('ready', flush=True); {WAIT}")


def test_blanks_are_no_words() -> None:
    kind, reason = falls(ShowsAnything(0.3), f"print('  ', flush=True); {WAIT}")
    assert kind is Kind.HANGS
    assert reason.startswith("any text on the screen did not come within 0.3 s")


def test_bytes_before_an_end_may_be_ignored() -> None:
    program = f"s.sendall(b'003one'); s.shutdown(1); {WAIT}"
    passes(Closes(after_anything=True), program)
    assert falls(Closes(), program)[0] is Kind.WRONG


def test_a_program_may_go_on() -> None:
    assert passes(Exits(None, 0.05, or_not=True), WAIT) is None
    assert passes(Exits(None, or_not=True), "sys.exit(3)") == 3


def after_its_end(play: Play) -> Script:
    yield Start()
    yield Meet()
    yield Exits(None)
    yield NoCrash()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os; os.abort()", "by SIGABRT"),
    ],
)
def test_a_crash_is_told_from_an_end_with_a_reason(program: str, words: str) -> None:
    result = stage(after_its_end, program)
    assert result.shortfall
    assert result.shortfall.kind is Kind.DIED
    assert words in result.shortfall.reason


def test_a_trace_that_is_under_way_is_awaited() -> None:
    """It comes in two pieces, the second of them when the checker has looked at the first."""

    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        yield Shows("KeyE")
        later = play.loop.timer("the other piece", lambda: play.peer.send(b"x"))
        later.start(0.1)
        yield NoCrash()

    pieces = (
        "print('Traceback (most recent call last):\\nKeyE', end='', flush=True)",
        "s.recv(1)",
        f"print('rror: 3', flush=True); {WAIT}",
    )
    result = stage(script, "; ".join(pieces))
    assert result.reason == "the program crashed (Python): KeyError: 3"


def test_a_trace_that_does_not_end_is_told_in_time() -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        yield Shows("(most recent call last):")
        yield NoCrash(0.1)

    trace = f"print('Traceback (most recent call last):', end='', flush=True); {WAIT}"
    result = stage(script, trace)
    assert result.reason == "the program crashed (Python): Traceback (most recent call last):"


def test_an_error_in_words_is_no_crash() -> None:
    assert stage(after_its_end, "sys.exit('no more')").verdict is Verdict.PASS
