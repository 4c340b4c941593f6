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
from turnchat.check.formats.text import Text
from turnchat.check.report import CaseResult, Event, EventType, Kind, Report, Verdict
from turnchat.check.screen import width_of

PLAIN = Text(colour=False)
STARTED = event(EventType.STARTED, "python3 server.py 20000")
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
    exited = event(EventType.EXITED, "with status 1")
    reset = event(EventType.HUNG_UP, peer=1, data=b"reset")
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


def test_the_bytes_of_a_pair_have_their_sender() -> None:
    client, server = of_program(1, says(b"002hi", 1)), of_program(0, hears(b"002hi", 2))
    text = "\n".join(PLAIN.explain(fallen(*client, *server, says(b"002ho", 2), name="pair/turn")))
    assert "Sent by the client (5 bytes):" in text
    assert "Sent by the server (5 bytes):" in text
    assert "checker (" not in text
    assert "conversation #2" not in text


def test_keys_that_erase_are_explained() -> None:
    for keys, words in ((b"\x15", "\\x15 (erases the line)"), (b"\x7f" * 2, "(erases 2 char")):
        assert words in draw(fallen(event(EventType.TYPED, data=keys)))[1]
    assert "erases" not in draw(fallen(typed("hello")))[1]


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
    st.sampled_from([STARTED, CONNECTED, CLOSES, HANG_UP, event(EventType.NOTE, "你好" * 40)]),
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
    assert "Hint" not in explained()  # the diagnosis says more
    assert "Hint     Count the bytes.\n" in explained(UNPADDED._replace(diagnosis=[]))
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


def test_a_wide_screen_keeps_its_sides() -> None:
    text = explained(fallen(screen=("x" * 80, "you> ")))
    rows = [f"│ {'x' * 76} ┊", f"┊ {'xxxx':76} │", f"│ {'you> ':76} │"]
    assert "┐\n" + "\n".join(rows) + "\n└" in text


def test_a_long_screen_keeps_its_ends() -> None:
    text = explained(fallen(screen=tuple(f"row {number}" for number in range(200))))
    assert "│ row 9      │\n  … 180 lines are left out …\n│ row 190    │" in text
    assert "left out" not in explained(fallen(screen=("row",) * 24))


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


def same(name: str, sentence: str = "It is the same: twice.") -> CaseResult:
    return named(name, fallen())._replace(diagnosis=[sentence])


def test_the_costly_mistake_is_to_be_mended_first_and_then_the_early_one() -> None:
    late, cheap, early = same("turn/a", "Late."), same("frame/a", "Cheap."), same("start/refused")
    waiting = [skipped(f"turn/{number}", "turn/a") for number in range(9)]
    lines = summary(cheap, early, skipped("frame/c", "frame/a"), late, *waiting)
    assert lines[1:5] == [
        "FAIL  turn/a                   Late.",
        "FAIL  frame/a                  Cheap.",
        "FAIL  start/refused            It is the same: twice.",
        "skip  10 cases not tried: 9 after turn/a, 1 after frame/a",
    ]
    at = lines.index("Mend this first: turn/a; it costs 10 cases")
    assert lines[at + 1] == "  Late."
    lines = summary(cheap, early)  # at equal cost, the order of the groups decides
    assert lines[1].startswith("FAIL  start/refused")


def test_a_failure_comes_before_an_early_warning() -> None:
    warning = named("start/says", fallen(verdict=Verdict.WARN, reason="it is silent"))
    assert "Mend this first: end/bye" in summary(warning, same("end/bye"))


def test_cases_with_one_mistake_are_one_line() -> None:
    cases = [same(f"frame/{number}", f"The same: {number} came.") for number in range(3)]
    other = named("frame/other", fallen(reason="nothing came"))
    assert summary(*cases, other)[1:5] == [
        "FAIL  frame/0                  The same: 0 came.",
        "      also frame/1, frame/2",
        "FAIL  frame/other              nothing came",
        "",
    ]


def test_an_error_of_the_checker_is_not_to_be_mended() -> None:
    error = fallen(verdict=Verdict.ERROR, reason="OSError")._replace(shortfall=None)
    text = PLAIN.report(report(error), explains_all=False)
    assert "mend this first" not in text.lower()
    assert "This is a defect of the checker, and no mistake of the program." in text


def test_a_summary_fits_on_a_screen() -> None:
    long = [same(f"frame/size/{number}", f"{number} {'word ' * 200}") for number in range(40)]
    others = [skipped(f"s/{n}", f"frame/size/{n}") for n in range(20)]
    lines = summary(*long, *others, skipped("loop/cpu", None, "there is no /proc"))
    assert len(lines) <= 22
    assert max(map(columns, lines)) <= 80
    assert "      and 32 more cases" in lines


def test_cases_that_do_not_apply_are_named() -> None:
    lines = summary(passed("a/b"), skipped("loop/cpu", None, "there is no /proc"))
    assert "skip  does not apply: loop/cpu: there is no /proc" in lines


def explained_ids(text: str) -> list[str]:
    return re.findall(r"^━━ \w+  (\S+) ━", text, re.MULTILINE)


def test_the_mistake_to_be_mended_first_stands_last_and_is_explained() -> None:
    cases = [same(f"frame/{number}", f"Mistake {number // 2}: so.") for number in range(10)]
    some, every = (PLAIN.report(report(*cases), explains_all=all_) for all_ in (False, True))
    assert explained_ids(some) == ["frame/2", "frame/4"]
    assert explained_ids(every) == [f"frame/{number}" for number in range(1, 10)]
    for text in some, every:
        last = text.index("━━ FAIL  frame/0: mend this first ━")
        assert last > text.rindex("━━ FAIL  frame/4 ━")
        assert text.index("Rule ", last) < text.index("┌ terminal", last) < text.index("── server")
    assert "Not explained above: 7 cases. -v explains all" in some
    assert "Not explained" not in every


def test_colours_are_for_terminals() -> None:
    assert "\x1b" not in PLAIN.report(report(UNPADDED), explains_all=True)
    assert "\x1b[1;31mFAIL" in Text(colour=True).report(report(UNPADDED), explains_all=True)


def test_words_fit_a_narrow_terminal() -> None:
    narrow = Text(colour=False, columns=40)
    explained = narrow.explain(UNPADDED)
    words = [*narrow.summary(report(UNPADDED))[:-1], *explained[: explained.index("")]]
    assert max(map(columns, words)) == 40
    assert "Mistake  The length is not padded to\n         three digits" in "\n".join(words)
    assert Text(colour=False, columns=200).explain(UNPADDED) == PLAIN.explain(UNPADDED)
