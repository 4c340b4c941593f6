"""Marks: results and a rubric in, points out. Nothing is read, written or run here.

A case that was not run since its program is missing, or does not parse, does not hold. One that is
not applicable does not count. Where the checker itself failed, a person is to judge: a program that
makes it fail gains nothing.
"""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from turnchat.check.case import MUST, Level, Role
from turnchat.check.lab.hand_ins.pairs import PROGRAMS
from turnchat.check.lab.rubric import By, Credit, Criterion, Part, Rubric
from turnchat.check.report import CaseResult, Verdict
from turnchat.text import safe

MOST_NAMED = 4  # cases in a remark
# A spreadsheet may run a field that begins with a sign, also with a wide one. One that splits lines
# at semicolons, as Excel does in most of Europe, takes a part of a field for a field.
SIGNS = r"-=+@|%\uff0b\uff0d\uff1d\uff20"
FORMULA = re.compile(rf"(?:^|(?<=[;,]))([\s\"]*)(?=[{SIGNS}])")


class Facts(NamedTuple):
    """All that marks are made of.

    programs: those that are there. parsing: those of them that parse. names, ids: those with a name
    and an ID at the top. is_in_order: the submission is. expected: the level of each "SUITE:ID"
    that is to be run. results: those that were. id: of the hand-in; other_ids: those at the top
    of programs that are another one. not_chosen: why a program is not there. disorder: the
    problems of the submission.
    """

    programs: frozenset[Role]
    parsing: frozenset[Role]
    names: frozenset[Role]
    ids: frozenset[Role]
    is_in_order: bool
    expected: Mapping[str, Level]
    results: Mapping[str, CaseResult]
    id: str = ""
    other_ids: Mapping[Role, str] = MappingProxyType({})
    not_chosen: Mapping[Role, str] = MappingProxyType({})
    disorder: Sequence[str] = ()


class Score(NamedTuple):
    """The points for one criterion, None if they are left to a person; and why."""

    name: str
    points: float | None
    most: float
    remark: str = ""


class Marks(NamedTuple):
    """The scores of one hand-in."""

    scores: Sequence[Score]

    @property
    def total(self) -> float:
        return sum(one.points or 0.0 for one in self.scores)

    @property
    def open(self) -> float:
        """The points that are left to a person."""
        return sum(one.most for one in self.scores if one.points is None)

    @property
    def most(self) -> float:
        return sum(one.most for one in self.scores)


class Row(NamedTuple):
    """A line of marks.csv. hand_in: its place in the export. problems: sentences."""

    id: str
    name: str
    hand_in: str
    marks: Marks
    problems: Sequence[str]
    report: str


def mark(rubric: Rubric, facts: Facts) -> Marks:
    """Return the marks of one hand-in."""
    return Marks([_score(one, facts, rubric.round_to) for one in rubric.criteria])


def to_csv(rows: Sequence[Row], rubric: Rubric) -> str:
    """Return the table for a spreadsheet or a course system; the fields are safe for both."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")  # RFC 4180
    names = [f"{one.name} ({one.points:g})" for one in rubric.criteria]
    head = ["id", "name", "total", "out of", "left to the marker", *names]
    writer.writerow([field(text) for text in [*head, "problems", "hand-in", "report"]])
    for row in rows:
        scores = ["" if one.points is None else f"{one.points:g}" for one in row.marks.scores]
        figures = [f"{row.marks.total:g}", f"{row.marks.most:g}", f"{row.marks.open:g}"]
        problems = "; ".join(row.problems)
        writer.writerow(
            [
                *(field(text) for text in (row.id, row.name)),
                *figures,
                *scores,
                *(field(text) for text in (problems, row.hand_in, row.report)),
            ]
        )
    return written.getvalue()


def field(text: str) -> str:
    """Return a text in which no spreadsheet finds a formula, and that is one line."""
    return FORMULA.sub(r"\1'", safe(text))


def _score(criterion: Criterion, facts: Facts, step: float) -> Score:
    share, remark = 0.0, ""
    if criterion.by is By.MARKER:
        return Score(criterion.name, None, criterion.points, "left to the marker")
    if criterion.by is By.CASES:
        return _score_of_cases(criterion, facts, step)
    if criterion.by is By.FILES:
        counted = facts.parsing if criterion.must_parse else facts.programs
        share = len(counted) / len(PROGRAMS)
        remark = _files_remark(facts, criterion.must_parse)
    elif criterion.by is By.HEADER:
        share, remark = _header(facts)
    elif criterion.by is By.SUBMISSION:
        share = float(facts.is_in_order)
        remark = "" if share else _submission_remark(facts)
    if criterion.must_parse and criterion.by is not By.FILES and _broken(facts):
        share, remark = 0.0, _files_remark(facts, True)
    points = _rounded(share * criterion.points, step)
    return Score(criterion.name, points, criterion.points, remark)


def _broken(facts: Facts) -> bool:
    return facts.parsing != facts.programs


def _files_remark(facts: Facts, must_parse: bool) -> str:
    remarks = []
    for role in PROGRAMS:
        if role not in facts.programs:
            remarks.append(facts.not_chosen.get(role, f"there is no {role}"))
        elif must_parse and role not in facts.parsing:
            remarks.append(f"the {role} does not parse")
    return "; ".join(remarks)


def _submission_remark(facts: Facts) -> str:
    if len(facts.programs) < len(PROGRAMS) or not facts.disorder:
        return "one client_ID and one server_ID were to be handed in"
    return "; ".join(facts.disorder)


def _header(facts: Facts) -> tuple[float, str]:
    missing = [f"no name at the top of the {role}" for role in PROGRAMS if role not in facts.names]
    missing += [_id_remark(facts, role) for role in PROGRAMS if role not in facts.ids]
    return 1 - len(missing) / (2 * len(PROGRAMS)), "; ".join(missing)


def _id_remark(facts: Facts, role: Role) -> str:
    if other := facts.other_ids.get(role):
        return f"the ID at the top of the {role} is {other}, and the hand-in's is {facts.id}"
    return f"no ID at the top of the {role}"


def _score_of_cases(criterion: Criterion, facts: Facts, step: float) -> Score:
    if criterion.must_parse and _broken(facts):
        remark = _files_remark(facts, True)
        return Score(criterion.name, 0.0, criterion.points, remark)
    points, remarks = 0.0, []
    for part in criterion.parts:
        share, remark = _share(part, facts)
        if share is None:
            return Score(criterion.name, None, criterion.points, remark)
        points += part.points * share
        if remark:
            remarks.append(remark)
    return Score(
        criterion.name, _rounded(points, step), criterion.points, "; ".join(remarks)
    )  # fmt: skip


def _share(part: Part, facts: Facts) -> tuple[float | None, str]:
    """Return the share of a part, None if nothing of it could be judged; and a remark."""
    keys = [
        key
        for key, level in facts.expected.items()
        if (level is MUST or part.should) and part.covers(key)
    ]
    failed = [key for key in keys if _is_error(facts.results.get(key))]
    if failed:
        remark = f"the checker failed at {failed[0]}: run it again, or judge it by hand"
        return None, f"{part.name}: {remark}"
    counted = [key for key in keys if key not in facts.results or facts.results[key].counts]
    if not counted:
        return None, f"{part.name}: no case could be judged, so it is left to the marker"
    short = [key for key in counted if not _holds(facts.results.get(key))]
    if not short:
        return 1.0, ""
    share = 0.0 if part.credit is Credit.ALL else 1 - len(short) / len(counted)
    named = ", ".join(short[:MOST_NAMED])
    more = f" and {len(short) - MOST_NAMED} more" if len(short) > MOST_NAMED else ""
    held = len(counted) - len(short)
    return share, f"{part.name}: {held} of {len(counted)} hold, not {named}{more}"


def _holds(result: CaseResult | None) -> bool:
    return result is not None and result.verdict is Verdict.PASS


def _is_error(result: CaseResult | None) -> bool:
    return result is not None and result.verdict is Verdict.ERROR


def _rounded(points: float, step: float) -> float:
    """Round to a multiple of `step`, halves up, as people do."""
    return round(math.floor(points / step + 0.5 + 1e-9) * step, 6)
