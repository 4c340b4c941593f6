"""JUnit XML, as Jenkins, GitLab and pytest understand it: a suite a group, a testcase a case.

A SHOULD that falls short is no failure there, so it passes, and says so in its system-out.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from xml.etree import ElementTree

from turnchat.check.formats.explanation import clean, explanation, summary
from turnchat.check.report import CaseResult, Report, Verdict

ELEMENTS = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}


def render(report: Report) -> str:
    """Return the report as an XML document."""
    root = ElementTree.Element("testsuites", name=f"turnchat-check {report.role}")
    _count(root, report.cases, report.seconds)
    for group, members in groupby(report.cases, key=attrgetter("group")):
        cases = list(members)
        suite = ElementTree.SubElement(root, "testsuite", name=group)
        _count(suite, cases, sum(one.seconds for one in cases))
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in _properties(report):
            ElementTree.SubElement(properties, "property", name=name, value=value)
        for one in cases:
            _add_case(suite, one)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _count(element: ElementTree.Element, cases: Sequence[CaseResult], seconds: float) -> None:
    verdicts = [one.verdict for one in cases]
    element.set("tests", str(len(cases)))
    element.set("failures", str(verdicts.count(Verdict.FAIL)))
    element.set("errors", str(verdicts.count(Verdict.ERROR)))
    element.set("skipped", str(verdicts.count(Verdict.SKIP)))
    element.set("time", f"{seconds:.3f}")


def _properties(report: Report) -> Iterable[tuple[str, str]]:
    yield "profile", report.profile
    yield "command", clean(" ".join(report.command))
    for role, words in report.commands.items():
        yield f"command.{role}", clean(" ".join(words))
    yield "score", f"{report.score:.2f}"
    yield "seed", str(report.seed)


def _add_case(suite: ElementTree.Element, result: CaseResult) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", name=result.id, classname=result.group, time=f"{result.seconds:.3f}"
    )
    if element := ELEMENTS.get(result.verdict):
        why = ElementTree.SubElement(case, element, message=summary(result))
        if element != "skipped":
            why.set("type", str(result.shortfall.kind if result.shortfall else result.verdict))
            why.text = explanation(result)
    out = ElementTree.SubElement(case, "system-out")
    is_warning = result.verdict is Verdict.WARN
    out.text = f"warning: {explanation(result)}" if is_warning else _first_line(result)


def _first_line(result: CaseResult) -> str:
    return clean(f"{result.level}: {result.rule} (PROTOCOL.md, {result.section})")
