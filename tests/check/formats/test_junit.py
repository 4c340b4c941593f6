"""--junit, by a parser that others have written, and by the rules of the schemas in use."""

from xml.etree import ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from tests.check.formats.samples import REPORT, for_any_report
from turnchat.check.formats import junit
from turnchat.check.report import Report, Verdict

# The Jenkins schema (junit-10.xsd of its xUnit plugin): the elements in each, and their attributes.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out", "system-err"},
    "properties": {"property"},
    "property": set(),
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
    "skipped": set(),
    "error": set(),
    "failure": set(),
    "system-out": set(),
}
COUNTS = {"tests", "failures", "errors", "time"}
REQUIRED = {"testsuite": {"name", "tests"}, "testcase": {"name", "classname"},
            "property": {"name", "value"}}  # fmt: skip
OPTIONAL = {
    "testsuites": {"name", *COUNTS},
    "testsuite": {*COUNTS, "disabled", "skipped", "timestamp", "hostname", "id", "package"},
    "testcase": {"time", "assertions", "status"},
    "error": {"type", "message"},
    "failure": {"type", "message"},
    "skipped": {"type", "message"},
}


def parse(report: Report) -> list[TestCase]:
    suites = JUnitXml.fromstring(junit.render(report).encode())
    return [case for suite in suites for case in suite]


def check_rules(report: Report) -> None:
    for element in ElementTree.fromstring(junit.render(report).encode()).iter():
        tag = element.tag
        required, names = REQUIRED.get(tag, set()), set(element.attrib)
        assert {child.tag for child in element} <= CHILDREN[tag]
        more = {"skipped"} if tag == "testsuites" else set()  # GitLab and junitparser have it there
        assert required <= names <= required | OPTIONAL.get(tag, set()) | more
        assert not (element.text or "").strip() or not len(element)
        if tag == "testcase":
            assert sum(child.tag in ("skipped", "error", "failure") for child in element) <= 1


def test_every_case_is_there_with_its_outcome() -> None:
    outcomes = {case.name: [type(one) for one in case.result] for case in parse(REPORT)}
    assert outcomes == {
        "frame/message": [],
        "frame/padded": [Failure],
        "frame/segment": [],
        "turn/order": [Skipped],
        "many/second": [Skipped],
        "loop/idle": [Error],
    }
    assert [case.classname for case in parse(REPORT)] == [
        "frame", "frame", "frame", "turn", "many", "loop",
    ]  # fmt: skip


def test_a_failure_explains_itself() -> None:
    failure = parse(REPORT)[1].result[0]
    assert failure.message == "the program sent other bytes"
    assert failure.type == "wrong"
    for text in ("A rule.", "not padded", "32 68 69", "peer 1 < program", "你好"):
        assert text in failure.text


def test_a_warning_is_no_failure_and_is_there() -> None:
    out = parse(REPORT)[2].system_out
    assert out
    assert out.startswith("warning: SHOULD: A rule.")
    assert "in 2 segments" in out


def test_the_counts_are_right() -> None:
    suites = JUnitXml.fromstring(junit.render(REPORT).encode())
    assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (6, 1, 1, 2)
    assert [(suite.name, suite.tests, suite.failures) for suite in suites] == [
        ("frame", 3, 1), ("turn", 1, 0), ("many", 1, 0), ("loop", 1, 0),
    ]  # fmt: skip
    assert suites.tests == sum(suite.tests for suite in suites)


def test_it_keeps_the_rules_of_the_schema() -> None:
    check_rules(REPORT)


@for_any_report
def test_any_report_can_be_parsed(report: Report) -> None:
    check_rules(report)
    cases = parse(report)
    assert len(cases) == len(report.cases)
    failed = sum(any(isinstance(one, Failure) for one in case.result) for case in cases)
    assert failed == report.count(Verdict.FAIL)
