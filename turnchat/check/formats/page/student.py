"""The page of one student: the points, and a link into the report of each check."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from turnchat.check.formats.page.markup import document, element, lines, text

CASE = re.compile(r"(?P<suite>[a-z-]+):(?P<case>[a-z]+/[\w/-]+)")  # in a remark on points


class Score(NamedTuple):
    """A line of the rubric. points: None if they are left to the marker."""

    title: str
    points: float | None
    most: float
    remark: str = ""


class Mistake(NamedTuple):
    """Cases that fall short by one mistake, with its words, or with the reason of the first."""

    cases: Sequence[str]
    words: str


class Check(NamedTuple):
    """The report of one check. link: relative, to its page. suite: stands before ids of cases."""

    title: str
    link: str
    held: int
    of: int
    mistakes: Sequence[Mistake] = ()
    suite: str = ""


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
        "scores": element(
            "table", (_score(one, page.checks) for one in page.scores), class_="scores"
        ),
        "problems": _several("Problems", page.problems, "problems"),
        "suites": "".join(map(_check, page.checks)) or element("p", "None could be run."),
        "linter": _several("A linter says", page.remarks, "linted"),
    }
    return document("student.html", parts)


def _score(score: Score, checks: Sequence[Check]) -> str:
    points = "?" if score.points is None else f"{score.points:g}"
    remarks = score.remark.split("; ") if score.remark else []
    title = [text(score.title), *(element("small", _linked(one, checks)) for one in remarks)]
    return element(
        "tr",
        [
            element("th", title, scope="row"),
            element("td", [points, element("small", f"of {score.most:g}")], class_="points"),
        ],
    )


def _linked(remark: str, checks: Sequence[Check]) -> str:
    """Return a remark as HTML, in which ids of cases lead into the reports of the checks."""
    links = {one.suite: one.link for one in checks if one.suite}

    def link(match: re.Match[str]) -> str:
        name = element("code", match[0])
        where = links.get(match["suite"])
        return element("a", name, href=f"{where}#{match['case']}") if where else name

    return CASE.sub(link, text(remark))


def _check(check: Check) -> str:
    held = element("small", f"{check.held} of {check.of} rules hold", class_="held")
    items = [
        element(
            "li",
            [
                _link_to(check, one.cases[0]),
                element("span", lines(one.words)),
                element("small", ["also ", ", ".join(also)]) if also else "",
            ],
        )
        for one in check.mistakes
        for also in [[_link_to(check, case) for case in one.cases[1:]]]
    ]
    head = element("h3", [element("a", text(check.title), href=check.link), held])
    return element("section", head + (element("ul", items, class_="short") if items else ""))


def _link_to(check: Check, case: str) -> str:
    return element("a", element("code", text(case)), href=f"{check.link}#{quote(case)}")


def _several(title: str, sentences: Sequence[str], name: str) -> str:
    if not sentences:
        return ""
    items = [element("li", text(one)) for one in sentences]
    return element("h2", text(title)) + element("ul", items, class_=name)
