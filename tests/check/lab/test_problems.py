"""Rows say what is wrong, and the page of the class what most students did wrong."""

from collections.abc import Mapping

import pytest

from turnchat.check.case import CLIENT, MUST, SERVER, Role
from turnchat.check.formats.class_page import Mistake, Part, Student, render
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.check.lab.inspection.header import Header
from turnchat.check.lab.inspection.look import Look
from turnchat.check.lab.mistakes import COMMONEST, commonest
from turnchat.check.lab.problems import problems_of
from turnchat.check.report import CaseResult, Kind, Shortfall, Verdict

HEADER = Header("", None, None)
UNPADDED = "The length is not padded to three digits"
NEWLINE = "A newline is sent behind the body"


def result(
    name: str, *diagnosis: str, reason: str = "", kind: Kind = Kind.WRONG, rule: str = "A rule."
) -> CaseResult:
    shortfall = Shortfall(kind, reason)
    return CaseResult(
        name, MUST, Verdict.FAIL, rule, "", "", reason=reason, shortfall=shortfall,
        diagnosis=diagnosis,
    )  # fmt: skip


def work(
    *results: CaseResult, number: str = "1d", suite: str = "server", looks: Mapping[Role, Look] = {}
) -> Work:
    hand_in = HandIn(number, number, "", {}, {}, None, [], True)
    made = Work(hand_in, looks, "")
    made.results[suite] = {one.id: one for one in results}
    return made


# Problems


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            result("start/listens", "A Python module is missing: nosuch. Get it."),
            "the server does not listen at all: A Python module is missing: nosuch",
        ),
        (
            result(
                "start/listens", kind=Kind.DIED,
                reason="the program ended with status 1; its last lines: Traceback; File x; Oh: no",
            ),
            "the server does not listen at all: the program ended with status 1: Oh: no",
        ),
        (
            result("start/listens", kind=Kind.DIED, reason="the program ended with status 0"),
            "the server does not listen at all: the program ended with status 0",
        ),
        (
            result("start/listens", kind=Kind.HANGS, reason="a connection did not come"),
            "the server does not listen within 5 s of its start",
        ),
    ],
)  # fmt: skip
def test_a_program_that_never_starts_is_a_problem(found: CaseResult, words: str) -> None:
    assert problems_of(work(found)) == [words]


def test_a_client_that_never_connects_is_a_problem() -> None:
    found = result("start/connects", kind=Kind.HANGS)
    (problem,) = problems_of(work(found, suite="client"))
    assert problem == "the client does not connect within 5 s of its start"


def test_a_rule_that_does_not_hold_is_no_problem_for_the_marker() -> None:
    assert problems_of(work(result("frame/message"))) == []
    held = result("start/listens")._replace(verdict=Verdict.PASS)
    assert problems_of(work(held)) == []


def test_a_program_that_could_not_be_looked_at_is_a_problem() -> None:
    look = Look(HEADER, None, [], 1, None, "client.py could not be looked at: no room")
    assert problems_of(work(looks={CLIENT: look})) == [look.problem]


def test_one_case_is_not_called_several() -> None:
    name = "frame/message"
    left_out = result(name, reason="not tried: no time")._replace(depends_on=name)
    error = result("frame/split")._replace(verdict=Verdict.ERROR)
    assert problems_of(work(left_out, error)) == [
        "the checker failed in 1 case: run it again", "1 case was not tried: no time",
    ]  # fmt: skip


def test_a_problem_is_one_line_of_plain_text() -> None:
    look = Look(HEADER, "line 1: \x1b[2J\n", [], 1)
    (problem,) = problems_of(work(looks={SERVER: look}))
    assert problem == "the server does not parse: line 1: \\x1b[2J\\n"


# Mistakes of the class


def test_one_mistake_that_breaks_many_rules_is_counted_once_for_a_student() -> None:
    many = [result(f"frame/{nth}", f"{UNPADDED}: '5' came.") for nth in range(5)]
    works = [work(*many, number="1d"), work(many[3], number="2d"), work(many[3], number="3d")]
    assert commonest(works) == [
        Mistake("frame/3", "A rule.", ["1d", "2d", "3d"], None, UNPADDED)
    ]  # fmt: skip


def test_two_mistakes_that_break_one_rule_are_two() -> None:
    works = [
        work(result("frame/1", f"{NEWLINE}: x."), number="1d"),
        work(result("frame/1", f"{UNPADDED}: y.", f"{NEWLINE}: z."), number="2d"),
        work(result("frame/1"), number="3d"),
    ]
    assert [(one.diagnosis, one.case, one.students) for one in commonest(works)] == [
        (NEWLINE, "frame/1", ["1d", "2d"]),
        (UNPADDED, "frame/1", ["2d"]),
        (None, "frame/1", ["3d"]),
    ]


def test_a_mistake_leads_to_a_report_of_its_commonest_case() -> None:
    shown = [result("end/a", f"{NEWLINE}: x."), result("frame/b", f"{NEWLINE}: y.", rule="B.")]
    works = [work(shown[0], number="1d"), work(*shown, number="2d"), work(shown[1], number="3d")]
    works.append(work(shown[1], number="4d"))
    (one,) = commonest(works, [f"reports/{nth}" for nth in range(4)])
    assert (one.case, one.rule, one.link) == ("frame/b", "B.", "reports/1.server.html#frame/b")


def test_a_pair_that_fails_as_its_program_does_is_a_consequence() -> None:
    made = work(result("frame/1"), number="1d")
    made.results["pair"] = made.results["server-turnchat"] = {"pair/turn": result("pair/turn")}
    assert [one.case for one in commonest([made])] == ["frame/1"]
    made.results["client-turnchat"] = {"pair/utf-8": result("pair/utf-8")}
    assert {one.case for one in commonest([made])} == {"frame/1", "pair/utf-8"}
    alone = work(result("frame/1")._replace(verdict=Verdict.WARN), number="2d")
    alone.results["pair"] = {"pair/turn": result("pair/turn")}
    assert {one.case for one in commonest([alone])} == {"frame/1", "pair/turn"}


def test_what_holds_is_no_mistake_and_ten_are_enough() -> None:
    held = result("frame/1", f"{NEWLINE}: x.")._replace(verdict=Verdict.PASS)
    assert commonest([work(held)]) == []
    assert len(commonest([work(*(result(f"a/{nth}") for nth in range(20)))])) == COMMONEST


def test_the_page_has_the_mistake_and_its_case() -> None:
    page = render("A class", [], [Mistake("frame/1", "A <rule>.", ["1d"], "r.html", "Oh & no")])
    assert "<div>Oh &amp; no</div>" in page
    assert '<a href="r.html"><code>frame/1</code></a> A &lt;rule&gt;.' in page


def test_points_that_are_left_to_the_marker_are_not_called_none() -> None:
    parts = [Part("Talk", 0, 5), Part("Style", None, 5)]
    page = render("A class", [Student("1d", "Ana", [], parts, 0, 10)])
    assert '<td class="points" data-value="0">0</td>' in page
    assert '<td class="points" title="left to the marker" data-value="-1">?</td>' in page
