"""The page of a report, for the browser: one file with everything in it.

It is read without JavaScript, too: then it has no filter. What a program wrote is in it as text.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import groupby
from operator import attrgetter

from turnchat.check.case import GROUPS
from turnchat.check.diagnosis.mistakes import mistakes
from turnchat.check.formats.page.evidence import case_of
from turnchat.check.formats.page.markup import document, element, lines, text
from turnchat.check.formats.page.protocol import protocol
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.text import counted

NO_REPLAYS: Mapping[str, str] = {}
WORDS = {
    Verdict.FAIL: "failed",
    Verdict.WARN: "warned",
    Verdict.ERROR: "errors of the checker",
    Verdict.SKIP: "skipped",
    Verdict.PASS: "passed",
}


def render(report: Report, replays: Mapping[str, str] = NO_REPLAYS) -> str:
    """Return the page of a report. `replays`: by case, relative links to pages of recordings."""
    groups = [(name, list(cases)) for name, cases in groupby(report.cases, attrgetter("group"))]
    parts = {
        "title": text(" · ".join(report.lines)),
        "facts": text(_facts(report)),
        "score": f"{report.score:.1f}".removesuffix(".0"),
        "ring": f"{report.score:.2f}",
        "counts": "".join(_counts(report)),
        "bar": "".join(_bar(report)),
        "first": "".join(_first(report)),
        "groups": "".join(element("option", text(name)) for name, _ in groups),
        "cases": "".join(_group(name, cases, replays) for name, cases in groups),
        "protocol": protocol(),
    }
    return document("page.html", parts, ["page.js"])


def _facts(report: Report) -> str:
    facts = [f"{report.role}", f"profile {report.profile}", counted(len(report.cases), "case")]
    if report.seconds:
        facts.append(f"{report.seconds:.1f} s")
    return " · ".join(facts)


def _counts(report: Report) -> Iterator[str]:
    for verdict, words in WORDS.items():
        if number := report.count(verdict):
            said = words.replace("errors", "error") if number == 1 else words
            parts = [element("b", str(number)), f" {said}"]
            yield element("li", parts, class_=verdict)


def _first(report: Report) -> Iterator[str]:
    """Give a link to the case that shows the mistake to be mended first."""
    for mistake in mistakes(report.cases)[:1]:
        case = mistake.first
        if case.verdict is not Verdict.ERROR:
            link = element("a", element("code", text(case.id)), href=f"#{case.id}")
            words = case.diagnosis[0] if case.diagnosis else case.rule
            yield element("p", ["Mend ", link, " first: ", lines(words)], class_="first")


def _bar(report: Report) -> Iterator[str]:
    """Give the parts of the bar: as wide as their share, by the flex-grow of its class."""
    for verdict in WORDS:
        if number := report.count(verdict):
            yield element("span", class_=verdict, style=f"flex-grow: {number}")


def _group(name: str, cases: Iterable[CaseResult], replays: Mapping[str, str]) -> str:
    shown = list(cases)
    held = sum(one.verdict is Verdict.PASS for one in shown)
    about = ""
    if name in GROUPS:
        about = (import_module(f"turnchat.check.cases.{name}").__doc__ or "").partition("\n")[0]
    head = element(
        "h2",
        [
            element("span", text(name)),
            element("small", text(about)),
            element("small", f"{held} of {len(shown)}", class_="held"),
        ],
    )
    return element(
        "section",
        [head, *(case_of(one, replays.get(one.id)) for one in shown)],
        class_="group",
        data_group=name,
    )
