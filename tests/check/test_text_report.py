"""The report as text: what a student sees on a terminal of 80 columns and 24 rows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth, wcwidth

from tests.support.evidence import (
    CLOSES,
    CONNECTED,
    HANG_UP,
    event,
    fallen,
    hears,
    passed,
    report,
    says,
    shows,
    skipped,
    typed,
)
from turnchat.check.case import Profile, Role
from turnchat.check.formats.diagram import Lane, draw, rows
from turnchat.check.formats.dump import MOST_ROWS, compare, dump, in_words
from turnchat.check.formats.text import Text
from turnchat.check.report import CaseResult, Event, Kind, Report, Verdict, What
from turnchat.check.screen import width_of

PLAIN = Text(colour=False)
STARTED = event(What.STARTED, "python3 server.py 20000")
UNPADDED = fallen(
    STARTED, CONNECTED, hears(b"002hi"), shows(b"client: hi\r\n"), shows(b"you> "), typed("hello"),
    shows(b"hello\r\n"), says(b"5hello"),
    step="the frame 005hello", expected=b"005hello", received=b"5hello",
    screen=("client: hi", "you> hello"),
)._replace(diagnosis=["The length is not padded to three digits: 5hello came."])  # fmt: skip


def columns(line: str) -> int:
    return wcswidth(re.sub(r"\x1b\[[0-9;]*m", "", line))


def named(name: str, result: CaseResult = UNPADDED) -> CaseResult:
    return result._replace(id=name)


# The diagram


def test_the_steps_are_rows_in_their_order() -> None:
    found = [(row.lane, row.to_program, row.text) for row in rows(UNPADDED)]
    assert found == [
        (Lane.NOTE, False, "started: python3 server.py 20000"),
        (Lane.NOTE, False, "connected"),
        (Lane.WIRE, True, "002hi"),
        (Lane.TERMINAL, False, "client: hi⏎you>"),
        (Lane.TERMINAL, True, "hello⏎"),
        (Lane.WIRE, False, "5hello"),
    ]


def test_the_data_of_a_row_is_whole() -> None:
    row = rows(UNPADDED)[3]
    assert row.data == b"client: hi\r\nyou> "


def test_text_that_follows_an_echo_is_kept() -> None:
    result = fallen(typed("hello"), shows(b"hello\r\nsent\r\n"), shows(b"hello\r\n"))
    assert [row.text for row in rows(result)] == ["hello⏎", "sent⏎hello"]


def test_the_ends_are_arrows_on_the_wire() -> None:
    exited = event(What.EXITED, "with status 1")
    reset = event(What.HUNG_UP, peer=1, data=b"reset")
    found = [(row.lane, row.to_program, row.text) for row in rows(fallen(CLOSES, reset, exited))]
    assert found == [
        (Lane.WIRE, False, "(ends its stream)"),
        (Lane.WIRE, True, "(resets the connection)"),
        (Lane.NOTE, False, "the program ended with status 1"),
    ]


def test_the_drawing() -> None:
    assert [line.rstrip() for line in draw(UNPADDED)] == [
        "     s terminal                        program                         checker",
        "  0.00 │                  started: python3 server.py 20000                   │",
        "  0.01 │                              connected                              │",
        "  0.02 │                                  │◄────────────────────────── 002hi │",
        "  0.03 │◄──────────────── client: hi⏎you> │                                  │",
        "  0.05 │ hello⏎ ─────────────────────────►│                                  │",
        "  0.07 │                                  │ 5hello ─────────────────────────►│",
    ]


def test_many_steps_are_cut_in_the_middle() -> None:
    many = [says(b"%03d" % number) for number in range(100)]
    lines = draw(fallen(*many))
    assert len(lines) == 26
    assert "76 steps are left out here" in lines[6]
    assert "004" in lines[5]
    assert "081" in lines[7]


def test_conversations_and_programs_have_numbers_if_there_are_several() -> None:
    two = draw(fallen(hears(b"002hi", 1), hears(b"002ho", 2)))
    assert "#1 002hi" in two[1]
    assert "#2 002ho" in two[2]


def of_program(number: int, *happened: Event) -> list[Event]:
    return [one._replace(program=number) for one in happened]


def test_a_program_that_is_started_again_and_those_of_a_pair_are_told_apart() -> None:
    happened = of_program(0, shows(b"one")) + of_program(1, shows(b"two"))
    again, pair = (draw(fallen(*happened, name=name)) for name in ("start/again", "pair/turn"))
    assert "─ one │" in again[1]
    assert "─ second start: two │" in again[2]
    assert "─ server: one │" in pair[1]
    assert "─ client: two │" in pair[2]


def test_a_pair_is_named_by_both_of_its_commands() -> None:
    commands = {Role.SERVER: ["python3", "a b.py", "{port}"], Role.CLIENT: ["./client", "{port}"]}
    cases = [fallen(name=f"pair/{number}") for number in range(20)]
    lines = PLAIN.summary(Report(Profile.LAB, Role.PAIR, [], cases, commands=commands))
    assert lines[0].startswith("── pair, profile lab ──")
    assert lines[1:3] == ["server: python3 'a b.py' {port}", "client: ./client {port}"]
    assert len(lines) <= 22


events = st.one_of(
    st.builds(typed, st.text()),
    st.builds(shows, st.binary() | st.text().map(str.encode)),
    st.builds(says, st.binary() | st.text().map(str.encode), st.integers(1, 12)),
    st.builds(hears, st.binary(), st.integers(1, 2)),
    st.sampled_from([STARTED, CONNECTED, CLOSES, HANG_UP, event(What.NOTE, "你好" * 40)]),
)


@given(st.lists(events, max_size=40), st.binary(max_size=40), st.text(), st.booleans())
def test_any_evidence_is_shown_safely_in_80_columns(
    happened: list[Event], data: bytes, words: str, is_coloured: bool
) -> None:
    screen = tuple(re.sub(r"[\x00-\x1f\x7f-\x9f]", "", words).splitlines())
    result = fallen(
        *happened, reason=words, step=words, expected=data, received=data[::-1], screen=screen
    )
    text = Text(colour=is_coloured).report(report(result), explains_all=True)
    for line in text.splitlines():
        plain = re.sub(r"\x1b\[[0-9;]*m", "", line) if is_coloured else line
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", plain)
        if all(wcwidth(char) == width_of(char) for char in plain):
            assert columns(line) <= 80


# Bytes


def test_a_dump() -> None:
    assert dump(b"005hello\xff\x00 and more") == [
        "  0000  30 30 35 68 65 6c 6c 6f ff 00 20 61 6e 64 20 6d  |005hello.. and m|",
        "  0010  6f 72 65                                         |ore|",
    ]


def test_two_dumps_side_by_side() -> None:
    assert compare(b"005hello", b"5hello") == [
        "        expected                            received",
        "  0000  30 30 35 68 65 6c 6c 6f  005hello   35 68 65 6c 6c 6f        5hello",
        "        ^^                                  ^^ they differ from here on",
    ]


def test_the_first_difference_is_marked_where_it_is() -> None:
    lines = compare(b"0123456789ab", b"0123456789xb")
    assert lines[2].index("61") == lines[3].index("^^")
    assert lines[2].rindex("78") == lines[3].rindex("^^ they")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("expected", "received", "words"),
    [
        (b"005hello", b"5hello", "Byte 1 should be '0', and is '5'."),
        (b"005hello", b"005he", "Nothing more came: 3 of 8 bytes are missing."),
        (b"005hello", b"005hello\n", "More came than expected: from byte 9 on, which is '\\\\n'."),
        (b"005hello", b"005hello", "They are equal."),
    ],
)
def test_a_difference_in_words(expected: bytes, received: bytes, words: str) -> None:
    assert in_words(expected, received) == words


def test_a_message_is_dumped_whole_and_a_flood_is_not() -> None:
    assert len(dump(b"x" * 258)) == 17
    assert len(dump(b"x" * 16 * MOST_ROWS)) == MOST_ROWS
    assert "  ..." in dump(b"x" * (1 << 20))
    lines = compare(b"x" * (1 << 20), b"x" * 99_999 + b"y")
    assert len(lines) < 100
    assert any("^^" in line for line in lines)


# A case that falls short


def explained(result: CaseResult = UNPADDED) -> str:
    return "\n".join(PLAIN.explain(result))


def test_a_shortfall_explains_itself() -> None:
    assert "FAIL  frame/message" in explained()
    assert "Rule     A message is its length and its body.\n" in explained()
    assert 'MUST; PROTOCOL.md, "Messages"' in explained()
    assert "Wrong    The program sent other bytes.\n" in explained()
    assert "The checker waited for the frame 005hello." in explained()
    assert "Mistake  The length is not padded to three digits: 5hello came.\n" in explained()
    assert "Hint     Count the bytes.\n" in explained()
    assert "✗ the program sent other bytes" in explained()
    assert "Expected (8 bytes): 005hello\nReceived (6 bytes): 5hello\n" in explained()
    assert "30 30 35 68 65 6c 6c 6f  005hello   35 68 65 6c 6c 6f        5hello" in explained()
    assert "Sent by the checker (5 bytes):\n  0000  30 30 32 68 69" in explained()
    frame = "┌ terminal ─┐\n│ client: hi │\n│ you> hello │\n└────────────┘"
    assert frame.replace(" ─┐", " ──┐") in explained()


def test_a_frame_is_text_for_people_who_know_no_python() -> None:
    step = f"the frame {'005é你'.encode()!r} or the frame b'000'"
    late = fallen(kind=Kind.HANGS, reason=f"{step} did not come within 2 s", step=step)
    assert "Hangs    The frame 005é你 or the frame 000 did not come within 2 s." in explained(late)
    assert "the frame 005é你 or the frame 000 did not" in PLAIN.line(late)
    cut = fallen(step="the frame b'005\\xc3")
    assert "The checker waited for the frame b'005\\xc3." in explained(cut)


@pytest.mark.parametrize(
    ("kind", "word"),
    [(Kind.DIED, "Died"), (Kind.HANGS, "Hangs"), (Kind.SPINS, "Spins"), (Kind.WRONG, "Wrong")],
)
def test_the_kinds_are_told_apart(kind: Kind, word: str) -> None:
    assert f"\n{word:9}It is so.\n" in explained(fallen(kind=kind, reason="it is so"))


def test_the_last_lines_are_not_told_twice() -> None:
    reason = "the program ended with status 1; its last lines: Traceback; ValueError"
    text = explained(fallen(kind=Kind.DIED, reason=reason, screen=("Traceback", "ValueError")))
    assert text.count("ValueError") == 1


def test_a_wide_screen_keeps_its_rows() -> None:
    text = explained(fallen(screen=("x" * 80, "you> ")))
    assert f"┐\n{'x' * 80}\nyou> \n└" in text


def test_long_text_is_whole_below_the_drawing() -> None:
    body = "word " * 51
    result = fallen(says(body.encode()), expected=b"x", received=body.encode())
    lines = PLAIN.explain(result)
    joined = "".join(line.strip() + " " for line in lines)
    assert joined.replace(" ", "").count("word" * 51) == 1


def test_a_screen_is_not_compared_as_bytes() -> None:
    step = "the text 'hello' on the screen"
    result = fallen(step=step, expected=b"hello", received=b"jello", screen=("jello",))
    assert "Expected on the screen (5 bytes): hello" in explained(result)
    assert "Received" not in explained(result)


def test_an_error_of_the_checker_has_its_last_line() -> None:
    reason = 'File "x.py", line 1\n    1 / 0\nZeroDivisionError: division by zero'
    error = fallen(reason=reason, verdict=Verdict.ERROR)._replace(shortfall=None)
    assert PLAIN.line(error) == "ERROR frame/message            ZeroDivisionError: division by zero"
    assert "Error    File" in explained(error)
    assert "Hint" not in explained(error)


# The summary


def summary(*cases: CaseResult) -> list[str]:
    return PLAIN.summary(report(*cases))


def test_the_summary_of_a_program_without_a_mistake() -> None:
    assert summary(passed("frame/message"), passed("frame/empty")) == [
        "── server, profile lab: python3 server.py {port} ───────────────────────────────",
        "All that was tried holds. Score 100.0 of 100: 2 pass in 12 s.",
    ]


def test_failures_come_first_and_then_warnings() -> None:
    late = named("turn/one", fallen(kind=Kind.HANGS, reason="nothing came"))
    warning = named("frame/segment", fallen(verdict=Verdict.WARN, reason="4 segments"))
    lines = summary(warning, passed("frame/empty"), named("frame/message"), late)
    assert lines[1:4] == [
        "FAIL  frame/message            The length is not padded to three digits: 5hello…",
        "FAIL  turn/one                 nothing came",
        "WARN  frame/segment            4 segments",
    ]
    assert lines[-1] == "Score 33.3 of 100: 1 pass, 2 fail, 1 warn in 12 s."


def test_the_mistake_that_costs_most_is_to_be_mended_first() -> None:
    early = named("a/early", fallen(reason="one thing"))
    costly = named("b/costly", fallen())._replace(diagnosis=["It costs: twice."])
    lines = summary(early, costly, skipped("c/one", "b/costly"), skipped("c/two", "b/costly"))
    assert "skip  2 cases not tried, since b/costly falls short" in lines
    at = lines.index("Mend this first: b/costly (3 cases)")
    assert lines[at + 1] == "  It costs: twice."


def test_equal_mistakes_are_counted_together() -> None:
    same = [named(f"x/{n}")._replace(diagnosis=[f"The same: {n} came."]) for n in range(3)]
    assert "Mend this first: x/0 (3 cases)" in summary(named("w/first"), *same)


def test_a_summary_fits_on_a_screen() -> None:
    many = [named(f"frame/size/{number}") for number in range(40)]
    long = [one._replace(diagnosis=["word " * 200]) for one in many]
    others = [skipped(f"s/{n}", f"frame/size/{n}") for n in range(20)]
    lines = summary(*long, *others, skipped("loop/cpu", None, "there is no /proc"))
    assert len(lines) <= 22
    assert max(map(columns, lines)) <= 80
    assert "      and 32 more" in lines


def test_cases_that_do_not_apply_are_named() -> None:
    lines = summary(passed("a/b"), skipped("loop/cpu", None, "there is no /proc"))
    assert "skip  does not apply: loop/cpu: there is no /proc" in lines


def test_the_first_shortfalls_are_explained_and_all_if_asked() -> None:
    many = report(*(named(f"x/{number}") for number in range(5)))
    some, every = (PLAIN.report(many, explains_all=all_) for all_ in (False, True))
    assert (some.count("Rule "), every.count("Rule ")) == (3, 5)
    assert "Not explained here: 2 more cases. -v explains all" in some
    assert "Not explained" not in every


def test_colours_are_for_terminals() -> None:
    assert "\x1b" not in PLAIN.report(report(UNPADDED), explains_all=True)
    assert "\x1b[1;31mFAIL" in Text(colour=True).report(report(UNPADDED), explains_all=True)
