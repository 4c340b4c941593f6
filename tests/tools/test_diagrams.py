"""The pictures of the guide: drawn from their scripts, legible in both themes, nothing overlaps."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest

from tests.support.process import ROOT
from tests.support.tools import needs
from tests.tools import example_pages
from tests.tools.diagrams.__main__ import FOLDER, main, pictures
from tests.tools.diagrams.drawing import Drawing, Misfit
from tests.tools.diagrams.shapes import Lifelines, Span, Timeline, table
from tests.tools.diagrams.theme import DARK, KINDS, LIGHT, STYLES, Theme, style_sheet, width_of

TEXT, PART = 4.5, 3.0  # WCAG 2.1, 1.4.3 and 1.4.11: the least contrast
SVG = "{http://www.w3.org/2000/svg}"
every_picture = pytest.mark.parametrize("name", sorted(pictures()))


def drawing(width: float = 400, height: float = 200) -> Drawing:
    return Drawing(width, height, title="a title", description="a description")


@every_picture
def test_a_committed_picture_is_what_its_script_draws(name: str) -> None:
    drawn = pictures()[name]().svg()
    assert (FOLDER / f"{name}.svg").read_text() == drawn, "make picture draws it again"


def test_no_picture_is_left_behind() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(pictures())


@every_picture
def test_a_picture_tells_itself_to_a_reader_who_cannot_see_it(name: str) -> None:
    root = ET.parse(FOLDER / f"{name}.svg").getroot()
    assert root.get("role") == "img"
    said = {part.get("id"): part.text or "" for part in root if part.get("id")}
    assert (root.get("aria-labelledby") or "").split() == list(said)
    assert 10 < len(said["title"]) < 100
    assert len(said["description"]) > 100


@every_picture
def test_a_picture_is_as_wide_as_a_page_of_the_repository(name: str) -> None:
    root = ET.parse(FOLDER / f"{name}.svg").getroot()
    assert 600 <= float(root.get("width") or 0) <= 800


def test_a_picture_is_drawn_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="no picture is called nothing-like-it"):
        main(["nothing-like-it"])
    assert not capsys.readouterr().out


# Colours


def luminance(colour: str) -> float:
    """WCAG's relative luminance of "#rrggbb"."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert 4.4 < contrast("#777777", "#ffffff") < TEXT


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_legible(theme: Theme, name: str) -> None:
    ground, border = KINDS[name].dark if theme is DARK else KINDS[name].light
    assert contrast(theme.ink, ground) >= TEXT
    assert contrast(theme.dim, ground) >= TEXT
    assert contrast(border, ground) >= PART
    assert contrast(border, theme.panel) >= PART


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_panel_is_legible(theme: Theme) -> None:
    assert contrast(theme.ink, theme.panel) >= TEXT
    assert contrast(theme.dim, theme.panel) >= TEXT
    assert contrast(theme.line, theme.panel) >= PART
    for kind in ("fault", "good", "wait"):  # texts may have these colours
        assert (
            contrast((KINDS[kind].dark if theme is DARK else KINDS[kind].light)[1], theme.panel)
            >= TEXT
        )


def test_every_colour_has_both_themes() -> None:
    light, _, dark = style_sheet().partition("@media (prefers-color-scheme:dark)")
    coloured = [set(re.findall(r"^([^{}@]+)\{[^}]*#", part, re.M)) for part in (light, dark)]
    assert coloured[0] == coloured[1] != set()


# Places


def test_a_text_that_does_not_fit_its_box_is_not_drawn() -> None:
    drawing().box(20, 20, 80, 30, "ten letters"[:7])
    with pytest.raises(Misfit, match="takes"):
        drawing().box(20, 20, 80, 30, "more than ten letters")
    with pytest.raises(Misfit, match="high"):
        drawing().box(20, 20, 80, 30, "one\ntwo")


def test_a_text_stays_in_the_drawing() -> None:
    with pytest.raises(Misfit, match="leaves"):
        drawing().text(380, 50, "too far to the right")
    with pytest.raises(Misfit, match="leaves"):
        drawing().text(20, 195, "too low")


def test_no_text_lies_over_another() -> None:
    made = drawing()
    made.text(20, 50, "one text")
    with pytest.raises(Misfit, match="lies over 'one text'"):
        made.text(60, 55, "another")
    made.text(20, 70, "below it")


@pytest.mark.parametrize(
    "ends", [((10, 48), (390, 48)), ((30, 10), (30, 90)), ((10, 10), (60, 90))]
)
def test_no_line_crosses_a_text(ends: tuple[tuple[float, float], tuple[float, float]]) -> None:
    made = drawing()
    made.text(20, 50, "one text")
    made.line(*ends)
    with pytest.raises(Misfit, match="crossed"):
        made.svg()


def test_a_line_beside_a_text_is_no_crossing() -> None:
    made = drawing()
    made.text(20, 50, "one text")
    made.line((10, 70), (390, 70))
    made.arrow((10, 90), (10, 190), text="falls")
    made.arrow((150, 90), (380, 90), text="goes on")
    assert made.svg() == made.svg()


def test_the_shapes_draw_what_they_are_given() -> None:
    made = Drawing(760, 480, title="shapes", description="all of them")
    lanes = Lifelines(made, 16, {"client": 100, "server": 400})
    lanes.message("client", "server", "005hello", drop=10)
    lanes.message("server", "client", "002hi", lost=0.5, kind="fault")
    lanes.note("client", "waits")
    lanes.period("client", 100, 140)
    lanes.finish()
    below = table(
        made, 20, 250, (80, 120), (("file", "wants"), ("3", "to read")), kinds={(1, 0): "good"}
    )
    line = Timeline(made, 100, below + 20, 400, end=100)
    line.row("server", [Span(0, 40, "wait", "waits"), Span(40, 100, "good", "works")])
    line.moment(40, below + 20)
    line.axis({0: "0", 100: "100 ms"})
    root = ET.fromstring(made.svg())
    said = [part.text for part in root.iter(f"{SVG}text")]
    assert said == [
        "client", "server", "005hello", "002hi", "waits", "file", "wants", "3", "to read", "server",
        "waits", "works", "0", "100 ms",
    ]  # fmt: skip


# The widths, in a browser


@needs("chromium")
@pytest.mark.slow
def test_no_text_is_wider_in_the_browser_than_it_was_measured() -> None:
    with example_pages.browser() as driver:
        for name in pictures():
            driver.get((FOLDER / f"{name}.svg").as_uri())
            shown = driver.execute_script(
                "return [...document.querySelectorAll('text')].map("
                "(text) => [text.textContent, text.classList[0], text.getComputedTextLength()])"
            )
            assert shown
            assert list(too_wide(shown)) == [], name


def too_wide(shown: list[tuple[str, str, float]]) -> Iterator[str]:
    for text, style, width in shown:
        if width > width_of(text, style) + 0.5:
            yield f"{text!r} takes {width:.1f} pixels, not {width_of(text, style):.1f}"


def test_a_text_that_is_too_wide_is_found() -> None:
    measured = width_of("mmm", "label")
    assert list(too_wide([("mmm", "label", measured)])) == []
    assert list(too_wide([("mmm", "label", measured + 1)]))


def test_every_style_has_a_width() -> None:
    assert all(width_of("Ay1", style) > 10 for style in STYLES)


def test_make_picture_draws_them() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\npicture:")[2].partition("\n\n")[0]
    assert "-m tests.tools.diagrams\n" in f"{recipe}\n"
