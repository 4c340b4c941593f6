"""The page: the document, and its view of a position."""

from pathlib import Path
from typing import Any

import pytest

from tests.tools import example_pages
from turnchat.replay.page import render_page

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown


def test_the_page_may_load_nothing(shown: Shown) -> None:
    shown.open()
    policy = shown.find("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert policy == "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    assert shown.driver.title == "chat.jsonl – turnchat"


def test_messages_are_shown_as_text(shown: Shown) -> None:
    shown.open(address="#round=4&step=4")
    assert example_pages.SCRIPT in [row.get_attribute("title") for row in shown.all(".arrow")]
    shown.click("#fault")
    assert any(
        example_pages.IMAGE in str(row.get_attribute("title")) for row in shown.all(".arrow")
    )
    assert not shown.all("img")
    assert shown.driver.title == "chat.jsonl – turnchat"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (800, 900)])
@pytest.mark.parametrize("timeline", ["small", "two"])
def test_the_page_does_not_scroll_sideways(
    shown: Shown, timeline: str, width: int, height: int
) -> None:
    with shown.sized(width, height):
        shown.open(timeline, "#round=4&step=4")
        assert shown.run("return document.documentElement.scrollWidth") <= width


def test_the_call_is_shown_as_strace_does_with_its_explanation_and_its_caller(shown: Shown) -> None:
    shown.open(address="#round=4&step=3")
    assert shown.call == "recv(client 1, 259) = 3 bytes"
    assert shown.text("#explanation") == example_pages.TOOK
    assert shown.text("#where") == example_pages.READ
    assert shown.texts("#data .byte") == ["5", "h", "e"]
    shown.click("#eagain")
    assert shown.call == "send(client 1, 8 bytes) = −1 EAGAIN"
    assert shown.find("#call").find_element(By.XPATH, "..").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "Slept 1.25 s, with no limit; listener is ready."),
        (3, "Slept 1.2 s of at most 600 s, until the timer of client 1; client 1 is ready."),
        (
            4,
            "Slept 250 µs of at most 30 s, until the timer of client 1; "
            "client 1 and client 2 are ready.",
        ),
        (10, "Slept 2 s of at most 2 s, until the timer of client 1; no file is ready."),
        (11, "Did not sleep; no file is ready."),
    ],
)
def test_the_sleep_is_described_in_words(shown: Shown, number: int, words: str) -> None:
    shown.open(address=f"#round={number}")
    assert shown.text("#slept") == words


@pytest.mark.parametrize(
    ("address", "stages"),
    [
        ("#round=0", []),
        ("#round=4", ["sleep in select()"]),
        ("#round=4&step=2", ["ready"]),
        ("#round=4&step=3", ["callbacks"]),
        ("#round=10&step=3", ["timers"]),
    ],
)
def test_the_stage_of_the_loop_is_marked(shown: Shown, address: str, stages: list[str]) -> None:
    shown.open(address=address)
    assert shown.texts("#stages [aria-current=step]") == stages


def test_the_interest_set_names_files_and_masks_and_lights_the_ready(shown: Shown) -> None:
    shown.open(address="#round=8&step=2")
    rows = [row.text.split("\n") for row in shown.all("#interest [role=row]")]
    assert rows == [
        ["file", "read", "write"],
        ["signals", "r", "·"],
        ["listener", "r", "·"],
        ["keyboard", "r", "·"],
        ["screen", "not registered", "·", "·"],
        ["client 1", "ready", "·", "w"],
        ["client 2", "ready", "r", "·"],
    ]
    assert shown.texts("#interest .lit") == ["w", "r"]
    shown.press(Keys.ARROW_LEFT)  # before select() has reported anything
    assert not shown.all("#interest .lit")
    shown.press(Keys.END)
    assert "client" not in shown.text("#interest")


def test_the_read_buffer_fills_byte_by_byte(shown: Shown) -> None:
    def state() -> str:
        return shown.text("[aria-label='client 1'] .buffer").split("\n")[0]

    shown.open(address="#round=2")
    assert shown.cells == [""] * 3
    assert state() == "read buffer between frames"
    shown.open(address="#round=3&step=3")
    assert shown.cells == ["0", "0", ""]
    assert state() == "read buffer 2 of 3 bytes of the header"
    shown.open(address="#round=4&step=3")
    assert shown.cells == ["0", "0", "5", "h", "e", "", "", ""]
    assert state() == "read buffer 2 of 5 bytes of the body"
    assert len(shown.all("[aria-label='client 1'] .byte.head")) == 3
    shown.open(address="#round=5&step=3")
    assert shown.cells == [*"005hello"]
    assert state() == "read buffer a whole frame: handed on"
    shown.press(Keys.ARROW_RIGHT)
    assert shown.cells == [""] * 3


def test_the_write_buffer_has_what_is_still_to_be_sent(shown: Shown) -> None:
    shown.open(address="#round=6&step=4")
    unsent = shown.find("[aria-label='client 1'] .unsent")
    assert unsent.text.startswith("write buffer 8 bytes still to be sent")
    bytes = [cell.text for cell in unsent.find_elements(By.CSS_SELECTOR, ".byte")]
    assert bytes == ["!", "␣", "e4", "bd", "a0", "e5", "a5", "bd"]
    shown.open(address="#round=8&step=3")
    assert shown.text("[aria-label='client 1'] .unsent") == "write buffer empty"


def test_the_turn_is_said_in_words_at_the_side_that_has_it(shown: Shown) -> None:
    def owner() -> list[list[str]]:
        card = "[aria-label='client 1']"
        return [shown.texts(f"{card} {end} .token") for end in (".end", ".remote")]

    shown.open(address="#round=4")
    assert owner() == [[], ["client 1 has the turn"]]
    shown.open(address="#round=5&step=3")
    assert owner() == [["turnchat-server has the turn"], []]
    shown.open(address="#round=9&step=3")
    assert owner() == [[], []]
    assert "the conversation is over" in shown.text("[aria-label='client 1']")


def test_two_sides_are_side_by_side_with_data_and_token_between_them(shown: Shown) -> None:
    shown.open("two", "#round=1&step=4&side=1")
    assert shown.place == "Round 1 of turnchat-client/4"
    near, far = shown.all(".connection .end")
    assert near.text.startswith("turnchat-server\nclient 1: ")
    assert far.text.startswith("turnchat-client\nserver: ")
    assert near.rect["y"] == far.rect["y"]
    assert near.rect["x"] < shown.find(".wire").rect["x"] < far.rect["x"]
    assert shown.texts(".wire .byte") == [*"005hello"]
    assert "← 8 bytes in flight to turnchat-server" in shown.text(".wire")
    assert shown.texts(".token") == shown.texts(".wire .token") == ["the turn is on its way"]
    assert [head.text for head in shown.all("#interest h3")] == [
        "turnchat-server",
        "turnchat-client",
    ]
    shown.press(*[Keys.ARROW_RIGHT] * 4)
    assert shown.place == "Round 2 of turnchat-server/4"
    assert not shown.all(".wire .byte")
    assert near_token(shown) == [True, False]
    shown.address("#round=2&step=4&side=0")


def near_token(shown: Shown) -> list[bool]:
    ends = shown.all(".connection .end")
    return [bool(end.find_elements(By.CSS_SELECTOR, ".token")) for end in ends]


def test_a_round_that_the_other_side_interrupts_is_one_round(
    shown: Shown, files: dict[str, Path]
) -> None:
    timeline: dict[str, Any] = example_pages.two_sided()
    for piece in timeline["rounds"][4:]:  # as if all of it had happened within two rounds
        piece["number"] = 1 + (piece["side"] == 0)
    rest = timeline["rounds"][5]  # of a round that has begun: without select() and what it reported
    del timeline["steps"][rest["first"] : rest["first"] + 2]
    rest["last"] -= 2
    files["interrupted"] = files["two"].with_name("interrupted.html")
    files["interrupted"].write_text(render_page(timeline))
    shown.open("interrupted", "#round=1&side=1")
    assert shown.text("#place").startswith("Round 1 of turnchat-client · step 1 of 6")
    shown.press(*[Keys.ARROW_RIGHT] * 3)
    assert shown.place == "Round 1 of turnchat-client/4"
    shown.open("interrupted", "#round=1&step=6&side=1")
    assert shown.place == "Round 1 of turnchat-client/6"
    assert shown.call == "recv(server, 259) = 5 bytes"


def test_a_step_can_change_the_state_of_the_other_end(shown: Shown, files: dict[str, Path]) -> None:
    timeline: dict[str, Any] = example_pages.two_sided()
    arrived, received = [s for s in timeline["steps"] if s["call"] in ("arrived", "recv")][:2]
    received["other"] = [arrived["file"], arrived.pop("state")]
    received["effect"] = "the peer says hello"
    files["other"] = files["two"].with_name("other.html")
    files["other"].write_text(render_page(timeline))
    shown.open("other", "#round=2&step=3&side=0")
    assert shown.texts(".wire .byte") == [*"005hello"]
    shown.press(Keys.ARROW_RIGHT)
    assert not shown.all(".wire .byte")
    assert shown.text("#explanation") == f"The peer says hello. {example_pages.TOOK}"


def test_a_send_that_takes_nothing_is_no_message_yet(shown: Shown) -> None:
    shown.open("mistakes", "#round=2&step=4")
    row = shown.find("#sequence [aria-current]")
    assert "held" in str(row.get_attribute("class"))
    assert row.text == "not sent yet: hello"
    assert not row.find_elements(By.CSS_SELECTOR, ".line")
    assert shown.text("#message") == "Message 2"
    shown.press("m")
    assert shown.call == "send(client, 8 bytes) = 8 bytes"
    row = shown.find("#sequence [aria-current]")
    assert row.get_attribute("aria-label") == "to client: hello"
    assert row.find_elements(By.CSS_SELECTOR, ".line.left")


def test_of_output_for_a_terminal_its_words_are_shown(shown: Shown, files: dict[str, Path]) -> None:
    timeline: dict[str, Any] = example_pages.small()
    blanks = "\r" + " " * 79 + "\r\x1b[2K"
    (step,) = [one for one in timeline["steps"] if one.get("data") == "client 1> hello\n"]
    step |= {"data": f"{blanks}client 1> hello\n", "args": '"\\r' + " " * 31 + '"...'}
    files["blanks"] = files["small"].with_name("blanks.html")
    files["blanks"].write_text(render_page(timeline))
    shown.open("blanks", "#round=5&step=4")
    assert shown.call.startswith('write(screen, "client 1> hello")')
    assert shown.texts("#data .byte")[:4] == ["0d", "␣", "0d", "1b"]
    assert shown.text("#data .more") == "×79"
    assert shown.find("#data .byte:last-child").is_displayed()


def test_the_byte_that_breaks_the_protocol_is_marked(shown: Shown) -> None:
    shown.open(address="#round=8&step=4")
    assert shown.texts("#data .byte.fault") == ["0"]
    assert not shown.all("#data .byte.head")
    assert shown.texts("#data .byte") == [*"003hey"]


def test_a_send_that_fails_is_no_message_ever(shown: Shown, files: dict[str, Path]) -> None:
    timeline: dict[str, Any] = example_pages.mistakes()
    (failed,) = [step for step in timeline["steps"] if step.get("error") == "EAGAIN"]
    failed["error"] = "ECONNRESET"
    files["failed"] = files["mistakes"].with_name("failed.html")
    files["failed"].write_text(render_page(timeline))
    shown.open("failed", "#round=2&step=4")
    assert shown.text("#message") == "Message 1"
    assert "not sent yet" not in shown.text("#sequence")
