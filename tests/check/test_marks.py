"""Marks follow from results and a rubric alone."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest

from turnchat.check.case import CLIENT, MUST, SERVER, SHOULD, Role
from turnchat.check.lab.marks import Facts, Marks, Row, Score, field, mark, to_csv
from turnchat.check.lab.rubric import By, Credit, Criterion, Part, Rubric
from turnchat.check.report import CaseResult, Verdict

BOTH = frozenset({SERVER, CLIENT})
NONE: frozenset[Role] = frozenset()
LEVELS = {
    "server:a/1": MUST,
    "server:a/2": MUST,
    "client:a/1": MUST,
    "client:a/2": MUST,
    "client:a/3": SHOULD,
}


def result(key: str, verdict: Verdict, depends_on: str | None = None) -> CaseResult:
    name = key.partition(":")[2]
    return CaseResult(name, LEVELS[key], verdict, "A rule.", "", "", depends_on=depends_on)


def facts(verdicts: Mapping[str, Verdict], **changes: Any) -> Facts:
    results = {key: result(key, verdict) for key, verdict in verdicts.items()}
    return Facts(BOTH, BOTH, BOTH, BOTH, True, LEVELS, results)._replace(**changes)


ALL_PASS = dict.fromkeys(LEVELS, Verdict.PASS)


def score(criterion: Criterion, known: Facts, step: float = 0.5) -> Score:
    (made,) = mark(Rubric("", [criterion], step), known).scores
    return made


def of_cases(*, points: float = 10, **changes: Any) -> Criterion:
    part = Part("talk", points, ["a/*"])._replace(**changes)
    return Criterion("Cases", points, By.CASES, parts=[part])


def by(kind: By, *, must_parse: bool = False) -> Criterion:
    return Criterion("It", 10, kind, must_parse)


def test_all_that_hold_give_all_points() -> None:
    assert score(of_cases(), facts(ALL_PASS)) == Score("Cases", 10, 10)


def test_credit_is_for_the_share_that_holds() -> None:
    made = score(of_cases(), facts({**ALL_PASS, "client:a/2": Verdict.FAIL}))
    assert made.points == 7.5
    assert made.remark == "talk: 3 of 4 hold, not client:a/2"


def test_credit_may_be_for_all_or_nothing() -> None:
    criterion = of_cases(credit=Credit.ALL)
    assert score(criterion, facts({**ALL_PASS, "client:a/2": Verdict.FAIL})).points == 0
    assert score(criterion, facts(ALL_PASS)).points == 10


def test_a_case_of_level_should_counts_only_if_asked_for() -> None:
    known = facts({**ALL_PASS, "client:a/3": Verdict.WARN})
    assert score(of_cases(), known).points == 10
    assert score(of_cases(should=True), known).points == 8


def test_a_case_that_was_not_run_does_not_hold() -> None:
    known = facts({key: Verdict.PASS for key in LEVELS if key.startswith("server")})
    assert score(of_cases(), known).points == 5


def test_a_skip_counts_if_another_case_is_its_reason() -> None:
    known = facts(ALL_PASS)
    skipped = result("server:a/2", Verdict.SKIP, depends_on="a/1")
    by_nature = result("server:a/2", Verdict.SKIP)
    of_skipped = known._replace(results={**known.results, "server:a/2": skipped})
    of_nature = known._replace(results={**known.results, "server:a/2": by_nature})
    assert score(of_cases(), of_skipped).points == 7.5
    assert score(of_cases(), of_nature).points == 10


def test_an_error_of_the_checker_leaves_the_points_to_the_marker() -> None:
    made = score(of_cases(), facts({**ALL_PASS, "server:a/1": Verdict.ERROR}))
    assert made.points is None
    assert "the checker failed at server:a/1" in made.remark


def test_where_no_case_applies_the_points_are_left_to_the_marker() -> None:
    made = score(of_cases(), facts(dict.fromkeys(LEVELS, Verdict.SKIP)))
    assert made.points is None


def test_a_long_list_of_cases_is_cut() -> None:
    levels = {f"server:a/{nth}": MUST for nth in range(9)}
    made = score(of_cases(), facts({}, expected=levels))
    assert made.remark.endswith("server:a/3 and 5 more")


@pytest.mark.parametrize(("step", "points"), [(0.5, 3.5), (1, 3), (0.01, 3.33), (0.1, 3.3), (5, 5)])
def test_points_are_rounded_halves_up(step: float, points: float) -> None:
    levels = {"server:a/1": MUST, "server:a/2": MUST, "client:a/1": MUST}
    known = facts({"server:a/1": Verdict.PASS}, expected=levels)
    assert score(of_cases(), known, step).points == points


def test_a_half_is_rounded_up() -> None:
    known = facts({"server:a/1": Verdict.PASS}, expected={"server:a/1": MUST, "server:a/2": MUST})
    assert score(of_cases(points=5), known, 1).points == 3


# The other criteria


def test_each_file_has_half_of_the_points() -> None:
    assert score(by(By.FILES), facts({})).points == 10
    one = facts({}, programs=frozenset({SERVER}), parsing=frozenset({SERVER}))
    assert score(by(By.FILES), one) == Score("It", 5, 10, "there is no client")
    words = "two clients, which differ, so none is taken: a.py, b.py"
    assert score(by(By.FILES), one._replace(not_chosen={CLIENT: words})).remark == words
    assert score(by(By.FILES), facts({}, programs=NONE, parsing=NONE)).points == 0


def test_a_file_that_does_not_parse_counts_unless_the_rubric_says_no() -> None:
    known = facts(ALL_PASS, parsing=frozenset({SERVER}))
    assert score(by(By.FILES), known).points == 10
    made = score(by(By.FILES, must_parse=True), known)
    assert made == Score("It", 5, 10, "the client does not parse")
    assert score(of_cases(), known).points == 10
    assert score(of_cases()._replace(must_parse=True), known).points == 0
    assert score(by(By.HEADER, must_parse=True), known).points == 0


def test_each_name_and_each_id_has_a_quarter() -> None:
    made = score(by(By.HEADER), facts({}, names=frozenset({SERVER})))
    assert made == Score("It", 7.5, 10, "no name at the top of the client")
    assert score(by(By.HEADER), facts({}, names=NONE, ids=NONE)).points == 0
    other = facts({}, ids=frozenset({SERVER}), id="1d", other_ids={CLIENT: "22222d"})
    words = "the ID at the top of the client is 22222d, and the hand-in's is 1d"
    assert score(by(By.HEADER), other) == Score("It", 7.5, 10, words)


def test_the_submission_is_in_order_or_not() -> None:
    assert score(by(By.SUBMISSION), facts({})).points == 10
    wanted = "one client_ID and one server_ID were to be handed in"
    one = facts({}, is_in_order=False, programs=frozenset({SERVER}), disorder=["no client"])
    assert score(by(By.SUBMISSION), one) == Score("It", 0, 10, wanted)
    both = facts({}, is_in_order=False, disorder=["different IDs", "the same ID"])
    assert score(by(By.SUBMISSION), both).remark == "different IDs; the same ID"


def test_points_for_a_person_stay_open() -> None:
    marks = mark(Rubric("", [by(By.MARKER), by(By.FILES)._replace(name="b")]), facts({}))
    assert (marks.total, marks.open, marks.most) == (10, 10, 20)


# marks.csv

RUBRIC = Rubric("", [Criterion("Files", 10, By.FILES), Criterion("Style, ok", 5, By.MARKER)])


def table(*rows: Row) -> list[list[str]]:
    return list(csv.reader(io.StringIO(to_csv(rows, RUBRIC))))


def row(name: str = "Ana", problems: tuple[str, ...] = ()) -> Row:
    return Row("1d", name, "a/client_1d.py", mark(RUBRIC, facts({})), problems, "reports/1d.txt")


def test_the_columns_have_a_fixed_order() -> None:
    assert table(row()) == [
        [
            "id", "name", "total", "out of", "left to the marker", "Files (10)", "Style, ok (5)",
            "problems", "hand-in", "report",
        ],
        ["1d", "Ana", "10", "15", "5", "10", "", "", "a/client_1d.py", "reports/1d.txt"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", " =1", '=cmd|"/C calc"!A0', "%00", "|x", "\t=1", "\r=1"],
)
def test_no_field_is_a_formula(text: str) -> None:
    written = table(row(text))[1][1]
    assert written[0] not in "=+-@|%\t\r"
    assert not written.lstrip().startswith(("=", "+", "-", "@", "|", "%"))


@pytest.mark.parametrize("split", [",", ";"])
@pytest.mark.parametrize("between", ["", " ", '"', ' "'])
@pytest.mark.parametrize("sign", "=+-@|%\uff1d")
def test_no_part_of_a_field_is_a_formula_either(split: str, between: str, sign: str) -> None:
    name = f"x{split}{between}{sign}cmd|calc!A0;"
    written = to_csv([row(name, (f"{sign}1", f"{sign}2"))], RUBRIC)
    for cell in written.replace("\r\n", split).split(split):
        assert not cell.lstrip('" ').startswith(sign)
    assert [len(one) for one in table(row(name))] == [10, 10]


def test_each_field_is_in_quotes() -> None:
    assert to_csv([row("a;b")], RUBRIC).splitlines()[1] == (
        '"1d","a;b","10","15","5","10","","","a/client_1d.py","reports/1d.txt"'
    )


@pytest.mark.parametrize("text", ["O'Neill", "Jürgen", "陳大文", "a-b", "x=1", '"q", "r"'])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert field(text) == text
    assert table(row(text))[1][1] == text


def test_a_newline_does_not_begin_a_row() -> None:
    assert table(row("a\nb\r\nc"))[1][1] == "a\\nb\\r\\nc"


def test_bytes_of_a_name_that_are_not_utf_8_can_be_written() -> None:
    to_csv([row("\udcff")], RUBRIC).encode()


def test_marks_without_criteria_are_nothing() -> None:
    assert Marks([]).total == 0
