"""The text format, read back by the parser of prometheus_client."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.openmetrics import parsed
from turnchat.metrics.exposition import Family, Kind, escape, number, render


def test_without_families_there_is_the_end_alone() -> None:
    assert render([]) == "# EOF\n"


def test_a_gauge_has_the_name_of_its_family() -> None:
    family = Family("turns", Kind.GAUGE, "Turns now.", [({}, 17)])
    assert render([family]) == "# TYPE turns gauge\n# HELP turns Turns now.\nturns 17\n# EOF\n"


def test_a_counter_and_an_info_have_suffixes() -> None:
    counter = Family("turns", Kind.COUNTER, "Turns.", [({"by": "us"}, 1), ({"by": "them"}, 2)])
    info = Family("build", Kind.INFO, "The build.", [({"version": "1", "of": "x"}, 1)])
    assert render([counter, info]).splitlines() == [
        "# TYPE turns counter",
        "# HELP turns Turns.",
        'turns_total{by="us"} 1',
        'turns_total{by="them"} 2',
        "# TYPE build info",
        "# HELP build The build.",
        'build_info{version="1",of="x"} 1',
        "# EOF",
    ]


def test_a_unit_has_a_line() -> None:
    family = Family("sleep_seconds", Kind.COUNTER, "Sleep.", [({}, 0.5)], "seconds")
    assert render([family]).splitlines()[1] == "# UNIT sleep_seconds seconds"
    (found,) = parsed(render([family]))
    assert (found.unit, found.type, found.name) == ("seconds", "counter", "sleep_seconds")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ('say "hi"', r"say \"hi\""),
        ("two\nlines", r"two\nlines"),
        ("C:\\dir", r"C:\\dir"),
        ("\\n", r"\\n"),
        ("höher 你好", "höher 你好"),
    ],
)
def test_what_would_end_a_text_is_escaped(text: str, written: str) -> None:
    assert escape(text) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (12345678901234567890, "12345678901234567890"),
        (0.1, "0.1"),
        (1e-9, "1e-09"),
        (2.5e30, "2.5e+30"),
        (inf, "+Inf"),
        (-inf, "-Inf"),
        (nan, "NaN"),
        (-3, "-3"),
    ],
)
def test_numbers(value: float, written: str) -> None:
    assert number(value) == written


# Whatever comes in a help text or a label: of text, since a lone surrogate has no UTF-8.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(texts, texts, st.floats(allow_nan=False) | st.integers(-(2**53), 2**53))
def test_the_parser_reads_what_was_written(meaning: str, label: str, value: float) -> None:
    meaning = f"A{meaning}."  # the parser strips blanks at both ends
    families = [
        Family("one", Kind.GAUGE, meaning, [({"a": label, "b": "x"}, value)]),
        Family("two", Kind.COUNTER, "Two.", [({}, 2)]),
    ]
    one, two = parsed(render(families))
    assert one.documentation == meaning
    assert one.samples[0][:3] == ("one", {"a": label, "b": "x"}, float(value))
    assert two.samples[0][:3] == ("two_total", {}, 2)
