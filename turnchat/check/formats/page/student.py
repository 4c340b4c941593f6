"""The page of one student: the points, and a link into the report of each check."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from turnchat.check.formats.page.markup import document, element, text


class Score(NamedTuple):
    """A line of the rubric. points: None if they are left to the marker."""

    title: str
    points: float | None
    most: float
    remark: str = ""


class Mistake(NamedTuple):
    """A case that falls short."""

    case: str
    rule: str


class Check(NamedTuple):
    """The report of one check. link: relative, to its page."""

    title: str
    link: str
    held: int
    of: int
    mistakes: Sequence[Mistake] = ()


class Page(NamedTuple):
    """All of it. facts: under the title. problems, remarks: sentences of the lab, and a linter."""

    of_class: str
    title: str
    facts: str
    text_report: str
    scores: Sequence[Score]
    problems: Sequence[str]
    checks: Sequence[Check]
    remarks: Sequence[str]


def render(page: Page) -> str:
    """Return the page of a student."""
    as_text = element("a", "as text", href=page.text_report)
    parts = {
        "class": text(page.of_class),
        "title": text(page.title),
        "facts": f"{text(page.facts)} · {as_text}",
        "scores": element("table", map(_score, page.scores), class_="scores"),
        "problems": _several("Look at this", page.problems, "problems"),
        "suites": "".join(map(_check, page.checks)) or element("p", "None could be run."),
        "linter": _several("A linter says", page.remarks, "linted"),
    }
    return document("student.html", parts)


def _score(score: Score) -> str:
    points = "?" if score.points is None else f"{score.points:g}"
    title = [text(score.title), element("small", text(score.remark)) if score.remark else ""]
    return element(
        "tr",
        [
            element("th", title, scope="row"),
            element("td", [points, element("small", f"of {score.most:g}")], class_="points"),
        ],
    )


def _check(check: Check) -> str:
    held = element("small", f"{check.held} of {check.of} rules hold", class_="held")
    items = [
        element(
            "li",
            [
                element("a", element("code", text(one.case)), href=_link_to(check, one)),
                element("span", text(one.rule)),
            ],
        )
        for one in check.mistakes
    ]
    head = element("h3", [element("a", text(check.title), href=check.link), held])
    return head + (element("ul", items, class_="short") if items else "")


def _link_to(check: Check, mistake: Mistake) -> str:
    return f"{check.link}#{quote(mistake.case)}"


def _several(title: str, sentences: Sequence[str], name: str) -> str:
    if not sentences:
        return ""
    items = [element("li", text(one)) for one in sentences]
    return element("h2", text(title)) + element("ul", items, class_=name)
