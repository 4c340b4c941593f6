"""The rubric: which points a hand-in can have, and for what. A TOML file, which teachers change.

Each criterion is judged `by` one thing: see By. Cases are named by globs of "SUITE:ID", where the
suite is one of suites.SUITES; without a suite, a glob means the case in every suite.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

DEFAULT = Path(__file__).with_name("rubric.toml")
SMALLEST_STEP = 0.01  # of points

Choice = TypeVar("Choice", bound=StrEnum)


class By(StrEnum):
    """The thing that a criterion is judged by."""

    FILES = "files"  # both programs are there; with must_parse, and parse
    HEADER = "header"  # name and ID in the comment at the top of both
    CASES = "cases"  # the cases of its parts
    SUBMISSION = "submission"  # one file for each program, under the right name
    MARKER = "marker"  # a person


class Credit(StrEnum):
    """The points of a part: in the share of its cases that hold, or only if all hold."""

    SHARE = "share"
    ALL = "all"


class Part(NamedTuple):
    """Points for some cases. should: those of level SHOULD count, too."""

    name: str
    points: float
    cases: Sequence[str]
    credit: Credit = Credit.SHARE
    should: bool = False

    def covers(self, key: str) -> bool:
        """Return True if "SUITE:ID" is one of its cases."""
        return any(fnmatchcase(key, glob if ":" in glob else f"*:{glob}") for glob in self.cases)


class Criterion(NamedTuple):
    """A line of the rubric. must_parse: 0 points where a file does not parse."""

    name: str
    points: float
    by: By
    must_parse: bool = False
    parts: Sequence[Part] = ()


class Rubric(NamedTuple):
    """All criteria. round_to: points are rounded to a multiple of it."""

    title: str
    criteria: Sequence[Criterion]
    round_to: float = 0.5

    @property
    def most(self) -> float:
        return sum(one.points for one in self.criteria)


class RubricError(ValueError):
    """A rubric that cannot be used. The text names the place, and what to try."""


def default_text() -> str:
    """Return the course's own rubric, with comments for those who change it."""
    return DEFAULT.read_text(encoding="utf-8")


def parse(text: str, known: Collection[str] | None = None) -> Rubric:
    """Return the rubric that a TOML text has. Raises RubricError.

    `known`: "SUITE:ID" of each case that is run; a glob that names none of them is an error.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RubricError(f"it is not TOML: {error}") from error
    _check_keys(table, {"title", "round_to", "criterion"}, "the rubric")
    title = _text(table, "title", "the rubric", "Marks")
    round_to = _number(table, "round_to", "the rubric", 0.5)
    if round_to < SMALLEST_STEP:
        raise RubricError(f"the rubric: round_to is {round_to:g}, {SMALLEST_STEP} is the least")
    criteria = [
        _criterion(row, f"criterion {number}", known)
        for number, row in enumerate(_rows(table, "criterion", "the rubric"), 1)
    ]
    if not criteria:
        raise RubricError("it has no [[criterion]]: see turnchat-check list --rubric")
    names = [one.name for one in criteria]
    for name in names:
        if names.count(name) > 1:
            raise RubricError(f"two criteria have the name {name!r}: give each its own")
    return Rubric(title, criteria, round_to)


def _criterion(row: Mapping[str, Any], where: str, known: Collection[str] | None) -> Criterion:
    name = _text(row, "name", where)
    where = f"{where} ({name})"
    _check_keys(row, {"name", "points", "by", "must_parse", "part"}, where)
    points, by = _number(row, "points", where), _choice(By, row, "by", where)
    rows = _rows(row, "part", where)
    if by is not By.CASES and rows:
        raise RubricError(f'{where}: only a criterion by = "cases" has parts')
    if by is By.CASES and not rows:
        raise RubricError(f"{where}: add a [[criterion.part]] with points and cases")
    parts = [
        _part(part, f"{where}, part {number}", known)
        for number, part in enumerate(rows, 1)
    ]  # fmt: skip
    total = sum(part.points for part in parts)
    if parts and abs(total - points) > SMALLEST_STEP / 2:
        raise RubricError(f"{where}: it has {points:g} points, but its parts have {total:g}")
    return Criterion(name, points, by, _flag(row, "must_parse", where), parts)


def _part(row: Mapping[str, Any], where: str, known: Collection[str] | None) -> Part:
    _check_keys(row, {"name", "points", "cases", "credit", "should"}, where)
    cases = row.get("cases")
    if not isinstance(cases, list) or not cases or not all(isinstance(one, str) for one in cases):
        raise RubricError(f'{where}: cases must be a list of globs, like ["frame/*"]')
    part = Part(
        _text(row, "name", where, ", ".join(cases)),
        _number(row, "points", where),
        cases,
        _choice(Credit, row, "credit", where, Credit.SHARE),
        _flag(row, "should", where),
    )
    for glob in cases if known is not None else ():
        assert known is not None
        if not any(part._replace(cases=[glob]).covers(key) for key in known):
            raise RubricError(
                f"{where}: no case that is run has an id like {glob!r}: see turnchat-check list"
            )
    return part


def _check_keys(row: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    for key in row:
        if key not in allowed:
            near = get_close_matches(key, list(allowed), 1)
            instead = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(allowed))}"
            raise RubricError(f"{where}: {key!r} is not known there: {instead}")


def _rows(row: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    rows = row.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise RubricError(f"{where}: write [[{'criterion.' * (key == 'part')}{key}]], in two pairs")
    return rows


def _text(row: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise RubricError(f'{where}: {key} must be a text, like {key} = "..."')
    return value.strip()


def _number(
    row: Mapping[str, Any], key: str, where: str, default: float | None = None
) -> float:  # fmt: skip
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
        raise RubricError(f"{where}: {key} must be a number, 0 or more, like {key} = 10")
    return float(value)


def _flag(row: Mapping[str, Any], key: str, where: str) -> bool:
    value = row.get(key, False)
    if not isinstance(value, bool):
        raise RubricError(f"{where}: {key} must be true or false")
    return value


def _choice(
    kind: type[Choice], row: Mapping[str, Any], key: str, where: str, default: Choice | None = None
) -> Choice:
    value = row.get(key, default)
    if value not in list(kind):
        names = ", ".join(f'"{one}"' for one in kind)
        raise RubricError(f"{where}: {key} must be one of {names}")
    return kind(value)
