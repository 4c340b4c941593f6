"""The frame that all pages have: one head, and a policy that allows no more than a page needs."""

import pytest

from tests.check.formats.samples import REPORT
from turnchat.check.formats import class_page
from turnchat.check.formats.page import render, student

STUDENT = student.Page("Lab 1", "1 Ann", "5 of 50 points", "1.txt", [], [], [], [])
PAGES = {
    "report": render(REPORT),
    "class": class_page.render("Lab 1", []),
    "student": student.render(STUDENT),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_the_frame_once(name: str) -> None:
    page = PAGES[name]
    for part in ("<!doctype html>", "<title>", "<body>", "<style>", '<header class="top">'):
        assert page.count(part) == 1, part
    assert "<!--" not in page
    assert page.endswith("</body>\n</html>\n")


@pytest.mark.parametrize("name", PAGES)
def test_scripts_are_allowed_where_there_is_one(name: str) -> None:
    page = PAGES[name]
    assert "default-src 'none'" in page
    assert ("script-src" in page) == ("<script>" in page) == (name != "student")
