"""The page of a report: its evidence, its filter, and text that wants to break out."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.tools import example_reports
from turnchat.check.case import all_cases
from turnchat.check.formats.page.protocol import anchor_of, sections
from turnchat.check.report import Verdict

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown

PAGES = ["report", "class"]
CASES = example_reports.every_kind().cases


def parsed(page: Path) -> Any:
    """The document as a tree. A page with a parse error raises one here."""
    html5lib = pytest.importorskip("html5lib", reason="pages are parsed by html5lib")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(page.read_text())


def case(name: str, part: str = "") -> str:
    """A selector for a part of a case."""
    return f"[id='{name}'] {part}".strip()


# The document


@pytest.mark.parametrize("page", PAGES)
def test_it_is_valid_html(files: dict[str, Path], page: str) -> None:
    tree = parsed(files[page])
    ids = Counter(each.get("id") for each in tree.iter() if each.get("id"))
    assert [name for name, number in ids.items() if number > 1] == []
    links = {each.get("href") for each in tree.iter("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


@pytest.mark.parametrize("page", PAGES)
def test_it_may_load_nothing(shown: Shown, page: str) -> None:
    shown.open(page)
    policy = shown.find("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert policy == "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("page", PAGES)
def test_no_text_breaks_out(files: dict[str, Path], page: str) -> None:
    tree = parsed(files[page])
    assert len(list(tree.iter("script"))) == 1
    assert not list(tree.iter("img"))
    handlers = [name for each in tree.iter() for name in each.attrib if name.startswith("on")]
    assert handlers == []


def test_hostile_text_is_shown_as_it_is(shown: Shown) -> None:
    shown.open("report")
    hostile = [example_reports.HOSTILE, example_reports.IMAGE, example_reports.QUOTES]
    assert shown.texts(case("text/escapes", ".diagnosis")) == hostile
    assert shown.text(case("text/escapes", ".screen pre")).splitlines()[:3] == hostile
    assert any(
        text.endswith(example_reports.HOSTILE)
        for text in shown.texts(case("text/escapes", ".words code"))
    )
    assert shown.driver.title == "python3 server_12345678d.py {port} – turnchat-check"
    shown.open("class")
    assert example_reports.IMAGE in shown.texts("td small")
    assert shown.driver.title == "COMP2322 lab: <i>chat</i> – turnchat-check"


def test_controls_are_shown_as_escapes(shown: Shown) -> None:
    shown.open("report")
    assert r"\x00\xff⏎" in shown.texts(case("text/escapes", ".words code"))
    assert shown.texts(case("text/escapes", ".compare dd"))[0].startswith(r"\x1b[31m<img")


# Evidence


def test_the_top_has_command_score_and_counts(shown: Shown) -> None:
    shown.open("report")
    assert shown.text("h1") == "python3 server_12345678d.py {port}"
    assert shown.text(".facts") == "server · profile turnchat · 15 cases · 24.3 s"
    assert shown.text(".score").split() == ["33.3", "of", "100"]
    counts = "7 failed, 1 warned, 1 error of the checker, 2 skipped, 4 passed"
    assert ", ".join(shown.texts(".counts li")) == counts


def test_the_mistake_to_be_mended_first_is_named_at_the_top(shown: Shown) -> None:
    shown.open("report")
    words = "Mend frame/message first: The length is not padded: 5 was sent, and 005 is right."
    assert shown.text(".first") == words
    shown.click(".first a")
    shown.address("#frame/message")


@pytest.mark.parametrize(
    ("height", "address", "name"),
    [(400, "", "frame/message"), (400, "#loop/idle", "loop/idle"), (2000, "", "start/listens")],
)
def test_it_opens_with_the_first_mistake_or_the_case_of_a_link_in_sight(
    shown: Shown, height: int, address: str, name: str
) -> None:
    with shown.sized(1280, height):
        shown.open("report", address)
        place = "return document.getElementById(arguments[0]).getBoundingClientRect().top"
        assert 0 < shown.run(place, name) < height / 2
        assert (shown.run("return scrollY") == 0) == (name == "start/listens")


def test_the_last_lines_stand_on_the_screen_alone(shown: Shown) -> None:
    shown.open("report")
    reason = shown.text(case("fault/letters", ".reason"))
    assert reason == "The program ended with status 1 and not with status 0."


def test_what_fell_short_is_open(shown: Shown) -> None:
    shown.open("report")
    is_open = {each.get_attribute("id") for each in shown.all("details.case[open]")}
    short = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
    assert is_open == {one.id for one in CASES if one.verdict in short}


def test_the_diagnosis_comes_first_then_reason_and_rule(shown: Shown) -> None:
    shown.open("report")
    parts = shown.texts(case("frame/message", ".evidence > p"))
    assert parts[:3] == [
        "The length is not padded: 5 was sent, and 005 is right.",
        "The program sent other bytes.",
        "MUST · section “Messages” of the protocol",
    ]


def test_a_section_leads_to_its_words(shown: Shown) -> None:
    shown.open("report")
    shown.click(case("fault/letters", ".of-rule a"))
    heading = shown.find("#protocol section:target h3")
    assert heading.text == "Faults"
    assert 0 <= shown.run("return arguments[0].getBoundingClientRect().top", heading) < 800


def test_every_section_of_a_case_has_its_words() -> None:
    assert set(sections()) >= {"Messages", "Turns", "The end", "Faults"}
    assert [one.id for one in all_cases() if one.section and not anchor_of(one.section)] == []


def test_expected_and_received_bytes_are_below_each_other(shown: Shown) -> None:
    shown.open("report")
    texts = shown.texts(case("frame/message", ".compare dd"))
    assert texts == ["005hello 8 bytes", "5hello 6 bytes"]
    expected, received = shown.texts(case("frame/message", ".cells"))
    assert "".join(expected.split()) == "030030535h68e65l6cl6co6f"
    assert "".join(received.split()) == "535h68e65l6cl6co6f"
    assert shown.texts(case("frame/message", ".differs b")) == ["0", "5"]
    words = "Byte 1 should be '0', and is '5'."
    assert shown.text(case("frame/message", "figcaption")) == words


def test_a_missing_byte_has_an_empty_cell(shown: Shown) -> None:
    shown.open("report")
    assert shown.texts(case("frame/longest", ".differs")) == ["", "\\n\n0a"]
    words = "1 byte too many, from byte 259 on: 0x0a (a newline) is the first."
    assert shown.text(case("frame/longest", ".compare figcaption")) == words
    fold = shown.find(case("frame/longest", ".fold"))
    assert fold.text == "14 rows of 16 bytes"
    assert len(shown.all(case("frame/longest", ".cells"))) == 2 * 17


def test_text_that_is_not_on_the_screen_is_shown_beside_it(shown: Shown) -> None:
    shown.open("report")
    assert shown.texts(case("frame/split/header", ".compare dt")) == ["expected"]
    assert shown.text(case("frame/split/header", ".screen pre")).endswith("you: hello")


def test_the_diagram_has_what_happened(shown: Shown) -> None:
    shown.open("report")
    rows = shown.all(case("frame/message", ".sequence li"))
    kinds = [str(row.get_attribute("class")) for row in rows]
    assert kinds == [
        *("note", "terminal left", "note of-peer", "wire left", "terminal left"),
        *("terminal right", "wire right", "note fallen"),
    ]
    said = shown.run("return arguments[0].querySelector('.hidden').textContent", rows[6])
    assert said == "from the program: "
    assert rows[6].text.splitlines()[-2:] == ["5hello", "35 68 65 6c 6c 6f"]


def test_of_many_rows_the_middle_is_left_out(shown: Shown) -> None:
    shown.open("report")
    rows = shown.run(
        "return [...document.getElementById('many/leave').querySelectorAll('li')]"
        ".map((row) => row.textContent)"
    )
    assert len(rows) == 40 + 1 + 80
    assert rows[40] == "180 rows left out"
    assert rows[0] == "0.00peer 1connected"
    assert rows[-1] == "2.99to the program: peer 100(ends its stream)"


def test_a_replay_is_linked_where_there_is_one(shown: Shown) -> None:
    shown.open("report")
    (link,) = shown.all(".replay a")
    address = str(link.get_attribute("href"))
    assert address.endswith("/report.html.replay/frame/message.html")


def test_a_skip_says_what_it_needs(shown: Shown) -> None:
    shown.open("report")
    assert shown.texts(case("frame/empty", ".tag")) == ["needs frame/message"]
    shown.click(case("frame/empty", "summary"))
    shown.click(case("frame/empty", ".reason a"))
    assert shown.run("return location.hash") == "#frame/message"
    assert shown.texts(case("many/silent", ".tag")) == ["not applicable"]


# Without and with JavaScript


def test_it_is_read_without_javascript(shown: Shown) -> None:
    command = "Emulation.setScriptExecutionDisabled"
    shown.driver.execute_cdp_cmd(command, {"value": True})
    try:
        shown.driver.get(shown.path("report").as_uri())
        assert not shown.find("#filter").is_displayed()
        assert shown.find(case("frame/message", ".diagnosis")).is_displayed()
        shown.click(case("start/listens", "summary"))
        assert shown.find(case("start/listens", ".sequence")).is_displayed()
    finally:
        shown.driver.execute_cdp_cmd(command, {"value": False})


def ids(shown: Shown) -> list[str]:
    """The cases that are shown."""
    found = shown.all("details.case")
    return [str(each.get_attribute("id")) for each in found if each.is_displayed()]


@pytest.mark.parametrize(
    ("button", "verdicts"),
    [
        ("All", list(Verdict)),
        ("Failures", [Verdict.FAIL, Verdict.ERROR]),
        ("Warnings", [Verdict.WARN]),
        ("Skipped", [Verdict.SKIP]),
    ],
)
def test_it_is_filtered_by_verdict(shown: Shown, button: str, verdicts: list[Verdict]) -> None:
    shown.open("report")
    shown.click("[data-show='skip']")
    next(each for each in shown.all("[data-show]") if each.text == button).click()
    wanted = [one.id for one in CASES if one.verdict in verdicts]
    assert ids(shown) == wanted
    assert shown.text("#found") == f"{len(wanted)} of {len(CASES)} cases"


def test_it_is_filtered_by_group_and_search(shown: Shown) -> None:
    shown.open("report")
    shown.run("document.getElementById('group').value = 'frame'")
    shown.run("document.getElementById('group').onchange()")
    assert ids(shown) == [one.id for one in CASES if one.id.startswith("frame/")]
    assert [text for text in shown.texts("main h2 > span") if text] == ["frame"]
    shown.press("/", "CHARACTERS counts")
    assert ids(shown) == ["frame/bytes"]
    shown.press(" nothing")
    assert ids(shown) == []
    assert shown.find("#none").is_displayed()
    shown.press(Keys.ESCAPE)
    assert len(ids(shown)) == 5


def test_a_link_to_a_hidden_case_shows_it(shown: Shown) -> None:
    shown.open("report")
    shown.click("[data-show='warn']")
    assert ids(shown) == ["start/again"]
    shown.run("location.hash = '#many/leave'")
    shown.until(lambda: shown.find(case("many/leave", ".sequence")).is_displayed())
    assert len(ids(shown)) == len(CASES)


def test_n_goes_to_the_next_case_that_falls_short(shown: Shown) -> None:
    shown.open("report")
    short = [one.id for one in CASES if one.verdict not in (Verdict.PASS, Verdict.SKIP)]

    def focus() -> object:
        return shown.run("return document.activeElement.parentElement.id")

    for name in (*short, short[0]):
        shown.press("n")
        assert focus() == name
    shown.press("N")
    assert focus() == short[-1]
    shown.press(Keys.ENTER)
    assert not shown.find(case(short[-1], ".evidence")).is_displayed()


def test_all_that_is_shown_is_opened_and_closed(shown: Shown) -> None:
    shown.open("report")
    assert shown.text("#fold") == "Open all"
    shown.click("#fold")
    assert len(shown.all("details.case[open]")) == len(CASES)
    shown.until(lambda: shown.text("#fold") == "Close all")
    shown.click("#fold")
    assert not shown.all("details.case[open]")


def test_the_programs_of_a_pair_have_their_names(shown: Shown) -> None:
    shown.open("pair")
    shown.click("summary")
    assert shown.texts(".words .tag") == ["server", "client", "client", "server"]
    assert shown.texts(".screen figcaption") == ["terminal of the server", "terminal of the client"]
