"""The page of a class: its table, its histogram, the commonest mistakes."""

import pytest

from tests.tools import example_reports
from turnchat.check.formats.class_page import Part, Student, bars, render

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from tests.support.page import Shown

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time

STUDENTS = example_reports.some_students()


def student(total: float, most: float = 50) -> Student:
    return Student("1d", "One", [], [Part("All", total, most)], total, most)


def test_the_histogram_counts_by_tenths_of_the_most() -> None:
    totals = (0, 4.9, 5, 24.9, 25, 49, 50)
    heights = [bar.height for bar in bars([student(total) for total in totals])]
    assert heights == [2, 1, 0, 0, 1, 1, 0, 0, 0, 2]
    assert [bar.label for bar in bars([], 4)] == ["0–25", "25–50", "50–75", "75–100"]


def test_a_class_without_students_has_a_page() -> None:
    assert "0 students" in render("empty", [])
    assert "every program keeps every rule" in render("empty", [])


def column(shown: Shown, number: int) -> list[str]:
    return shown.texts(f"tbody td:nth-child({number})")


@pytest.mark.slow
def test_each_student_has_a_row(shown: Shown) -> None:
    shown.open("class")
    assert shown.text(".facts") == "40 students · median 43 of 45 · mean 39.1"
    heads = shown.run("return [...document.querySelectorAll('th')].map((th) => th.textContent)")
    assert heads[:3] == ["Student", "Two files of 10", "Name and ID of 10"]
    assert column(shown, 1)[0].splitlines() == ["12345678d", "Student 1"]
    assert [float(cell) for cell in column(shown, 6)] == [one.total for one in STUDENTS]
    first = STUDENTS[0]
    assert column(shown, 7)[0].splitlines() == list(first.files)
    assert column(shown, 8)[0] == first.problems[0]
    link = str(shown.find("tbody a").get_attribute("href"))
    assert link.endswith("/12345678d/report.html")


def test_a_column_sorts_up_and_down(shown: Shown) -> None:
    shown.open("class")
    total = shown.all("th button")[5]
    for way, is_down in (("ascending", False), ("descending", True)):
        total.click()
        totals = [float(cell) for cell in column(shown, 6)]
        assert totals == sorted(totals, reverse=is_down)
        assert totals[0] != totals[-1]
        sorts = [each.get_attribute("aria-sort") for each in shown.all("th")]
        assert sorts == [way if nth == 5 else "none" for nth in range(8)]
    shown.all("th button")[0].click()
    assert [cell.split()[0] for cell in column(shown, 1)] == [one.id for one in STUDENTS]


def test_the_bars_are_as_high_as_their_numbers(shown: Shown) -> None:
    shown.open("class")
    shape = "return [...document.querySelectorAll('rect')].map((bar) => bar.height.baseVal.value)"
    heights = shown.run(shape)
    numbers = [bar.height for bar in bars(STUDENTS)]
    assert heights == pytest.approx([90 * number / max(numbers) for number in numbers], abs=0.1)
    label = str(shown.find(".histogram").get_attribute("aria-label"))
    assert label.endswith(f"90–100: {numbers[-1]}")


def test_the_commonest_mistakes_have_their_cases(shown: Shown) -> None:
    shown.open("class")
    first = shown.all(".mistakes li")[0]
    assert first.text.splitlines()[:2] == ["30", "frame/message"]
    title = str(first.get_attribute("title"))
    assert title.startswith("12345678d, 12345755d")


def test_no_panel_leaves_an_empty_place_beside_it(shown: Shown) -> None:
    shown.open("class")
    wide = "return [...document.querySelectorAll('.panel')].map((one) => one.offsetWidth)"
    with shown.sized(1200, 800):
        assert min(shown.run(wide)) > 1100
    with shown.sized(400, 800):
        title = "return document.querySelector('.about').offsetWidth"
        assert shown.run(title) > 300
