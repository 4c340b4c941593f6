"""Text of strangers in each format: controls, invalid UTF-8, and what XML does not have."""

import json
from xml.etree import ElementTree

import pytest

from tests.check.formats.samples import REPORT
from turnchat.check.formats import classroom50, gradescope, junit, results, tap
from turnchat.check.formats.explanation import clean, explanation, summary
from turnchat.check.report import Report

ACTS = [
    "\x00",
    "\x1b",
    "\r",
    "\x85",
    "\x9b",
    "\ufffe",
    "\uffff",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\U000e0001",
]
STRANGE = [*ACTS, "\ud800", "\udcff", "]]>", "# SKIP", "\\", '"', "\n...\n", "\n  ---\n"]


def strange_report(text: str) -> Report:
    """A report that has the text in each field that a program can fill."""
    one = REPORT.cases[1]
    assert one.shortfall
    data = text.encode(errors="surrogateescape" if "\udcff" in text else "surrogatepass")
    shortfall = one.shortfall._replace(step=text, expected=data, received=data)
    events = [event._replace(data=data, note=text) for event in one.events]
    case = one._replace(
        reason=f"a{text}", shortfall=shortfall, events=events, diagnosis=[text], screens=[[text]]
    )
    return REPORT._replace(cases=[case, *REPORT.cases], command=[text])


def documents(text: str) -> dict[str, str]:
    report = strange_report(text)
    return {
        "json": results.render(report),
        "junit": junit.render(report),
        "tap": tap.render(report),
        "gradescope": gradescope.render(report),
        "classroom50": classroom50.render(report, {"OWNER": text}, "2026-11-29T20:15:00Z"),
    }


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
def test_no_format_passes_on_what_acts(text: str) -> None:
    written = documents(text)
    for name, document in written.items():
        document.encode()
        assert not set(ACTS) & set(document), name
    for name in "json", "gradescope", "classroom50":
        assert json.loads(written[name])
    assert len(ElementTree.fromstring(written["junit"].encode()).findall(".//testcase")) == 7


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\ud800", "\\ud800"),
        ("\udcff", "\\xff"),
        ("\uffff", "\\uffff"),
        ("你好 😀", "你好 😀"),
        ("a\nb", "a\\nb"),
    ],
)
def test_text_is_clean_and_readable(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_summary_is_one_line() -> None:
    error = REPORT.cases[5]
    assert summary(error) == "Traceback: KeyError: 'peer'"
    assert explanation(error).splitlines()[1:3] == ["Traceback:", "  KeyError: 'peer'"]


def test_a_long_case_is_shown_from_its_end() -> None:
    one = REPORT.cases[1]
    long = one._replace(events=list(one.events) * 20, screens=[[str(n) for n in range(100)]])
    text = explanation(long)
    assert "(80 steps before these)" in text
    assert "(76 lines above these)" in text
    assert "  | 99" in text
    assert "  | 75\n" not in text


def test_the_screens_of_a_pair_are_told_apart() -> None:
    text = explanation(REPORT.cases[1]._replace(id="pair/turns", screens=[["one"], ["two"]]))
    assert "Screen of the server:\n  | one\nScreen of the client:\n  | two" in text
