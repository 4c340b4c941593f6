"""The page: buttons, keys, links, the diagram and the search."""

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement


@pytest.mark.parametrize(
    ("button", "key", "leads"),
    [
        ("#step", Keys.ARROW_RIGHT, "Round 4/4"),
        ("#back", Keys.ARROW_LEFT, "Round 4/2"),
        ("#round", Keys.ARROW_DOWN, "Round 5/1"),
        ("#round-back", Keys.ARROW_UP, "Round 4/1"),
        ("#message", "m", "Round 4/4"),
        ("#fault", "f", "Round 8/4"),
        ("#eagain", "e", "Round 7/3"),
        (None, Keys.HOME, "Set-up/1"),
        (None, Keys.END, "Round 11/2"),
    ],
)
def test_every_button_has_a_key_that_does_the_same(
    shown: Shown, button: str | None, key: str, leads: str
) -> None:
    shown.open(address="#round=4&step=3")
    shown.press(key)
    assert shown.place == leads
    if button:
        shown.open(address="#round=4&step=3")
        shown.click(button)
        assert shown.place == leads


@pytest.mark.parametrize(
    ("button", "key", "leads"),
    [
        ("#message", "M", "Round 9/3"),
        ("#fault", "F", "Round 8/4"),
        ("#eagain", "E", "Round 7/3"),
    ],
)
def test_with_shift_a_jump_leads_back(shown: Shown, button: str, key: str, leads: str) -> None:
    shown.open(address="#round=11")
    shown.press(key)
    assert shown.place == leads
    shown.open(address="#round=11")
    shift = ActionChains(shown.driver).key_down(Keys.SHIFT)
    shift.click(shown.find(button)).key_up(Keys.SHIFT).perform()
    assert shown.place == leads


def test_beyond_the_first_and_the_last_step_nothing_happens(shown: Shown) -> None:
    shown.open(address="#round=0")
    shown.press(Keys.ARROW_LEFT, Keys.ARROW_UP, "M")
    assert shown.place == "Set-up/1"
    shown.press(Keys.END, Keys.ARROW_RIGHT, "m")
    assert shown.place == "Round 11/2"


@pytest.mark.parametrize("start", ["key", "button"])
def test_it_plays_to_the_end_and_stops(shown: Shown, start: str) -> None:
    shown.open(address="#round=5")
    shown.find("#speed").send_keys("20")
    if start == "key":
        shown.run("document.activeElement.blur()")
        shown.press(Keys.SPACE)
    else:
        shown.click("#play")
    assert shown.find("#play").get_attribute("aria-label") == "Pause"
    shown.until(lambda: shown.find("#play").get_attribute("aria-label") == "Play")
    assert shown.place == "Round 11/2"


def test_playing_can_be_paused_and_changed_in_speed(shown: Shown) -> None:
    shown.open(address="#round=0")
    shown.press(Keys.SPACE)
    shown.find("#speed").send_keys("20")
    shown.until(lambda: shown.place.startswith("Round"))
    shown.click("#play")
    paused = shown.place
    assert shown.find("#play").get_attribute("aria-label") == "Play"
    assert shown.run("return playing") is None
    assert shown.place == paused


def test_a_step_of_ones_own_ends_the_playing(shown: Shown) -> None:
    shown.open()
    shown.press(Keys.SPACE)
    shown.press(Keys.ARROW_RIGHT)
    assert shown.run("return playing") is None


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("", "Round 4/4"),
        ("#round=7", "Round 7/1"),
        ("#round=4&step=5", "Round 4/5"),
        ("#round=4&step=99", "Round 4/5"),
        ("#round=4&step=no", "Round 4/1"),
        ("#round=99", "Round 11/1"),
        ("#nonsense", "Round 4/4"),
    ],
)
def test_a_link_opens_there(shown: Shown, address: str, place: str) -> None:
    shown.open(address=address)
    assert shown.place == place


def test_the_address_follows_and_the_browser_goes_back_over_jumps(shown: Shown) -> None:
    shown.open(address="#round=1")
    shown.press(Keys.ARROW_RIGHT)
    shown.press(Keys.ARROW_RIGHT)
    shown.address("#round=1&step=3")
    shown.press("f")
    shown.address("#round=8&step=4")
    shown.press(Keys.ARROW_RIGHT)
    shown.address("#round=8&step=5")
    shown.driver.back()
    shown.until(lambda: shown.place == "Round 1/3")
    shown.driver.forward()
    shown.until(lambda: shown.place == "Round 8/5")
    shown.run("location.hash = '#round=2'")
    shown.until(lambda: shown.place == "Round 2/1")


def test_the_strips_of_rounds_lead_where_one_clicks(shown: Shown) -> None:
    shown.open()
    overview, detail = shown.find("#overview"), shown.find("#detail")
    at = ActionChains(shown.driver)

    def click(strip: "WebElement", column: float, up: float) -> None:
        x, y = column * 48 - strip.rect["width"] / 2, strip.rect["height"] / 2 - up
        at.move_to_element_with_offset(strip, round(x), round(y)).click().perform()

    click(overview, 8.5, 5)
    assert shown.place == "Round 8/1"
    click(detail, 4.5, 2 * 6 + 3)
    assert shown.place == "Round 4/3"
    click(detail, 4.5, 40)
    assert shown.place == "Round 4/1"
    slider = shown.find("#overview")
    assert slider.get_attribute("aria-valuetext") == "Round 4"


def test_the_steps_of_the_round_can_be_clicked(shown: Shown) -> None:
    shown.open(address="#round=4")
    shown.all("#steps .row")[4].click()
    assert shown.place == "Round 4/5"
    assert shown.find("#steps [aria-current]").text.startswith("5\nwrite(screen)")


def test_the_diagram_has_a_lifeline_for_each_peer_the_loop_and_the_streams(shown: Shown) -> None:
    shown.open()
    assert shown.texts("#lanes span") == ["client 1", "client 2", "server", "keyboard", "screen"]


def test_an_arrow_leads_to_its_step(shown: Shown) -> None:
    shown.open(address="#round=4")
    (hello,) = [row for row in shown.all(".arrow.message") if row.text == "hello"]
    hello.click()
    assert shown.place == "Round 5/3"
    shown.driver.back()
    shown.until(lambda: shown.place == "Round 4/1")


def test_the_present_step_is_marked_in_the_diagram_and_in_sight(shown: Shown) -> None:
    shown.open()
    shown.press(*["m"] * 3)
    marked = shown.find("#sequence [aria-current]")
    assert marked.text == "BYEBYE"
    box = shown.find("#sequence").rect
    assert box["y"] <= marked.rect["y"] <= box["y"] + box["height"] - marked.rect["height"]
    shown.press(Keys.ARROW_RIGHT)  # a shutdown, which the diagram does not have
    assert "past" in str(shown.find("#sequence [aria-current]").get_attribute("class"))


def test_arrows_point_from_sender_to_receiver(shown: Shown) -> None:
    shown.open(address="#round=6&step=4")
    (hello,) = [row for row in shown.all(".arrow.message") if row.text == "hello"]
    (answer,) = [row for row in shown.all(".arrow.message") if row.text == "hi! 你好"]
    assert not hello.find_elements(By.CSS_SELECTOR, ".line.left")
    assert answer.find_elements(By.CSS_SELECTOR, ".line.left")
    assert hello.get_attribute("aria-label") == "from client 1: hello"


def test_search_finds_names_messages_and_calls(shown: Shown) -> None:
    shown.open()
    shown.press("/")
    for needle, many in (("HELLO", 1), ("keyboard", 3), ("eagain", 1), ("accept", 2)):
        retype(shown, needle)
        assert shown.text("#found-count").startswith(f"{many} step")
    retype(shown, "nobody says this")
    assert shown.text("#found-count") == "nothing found"


def retype(shown: Shown, needle: str) -> None:
    shown.press(Keys.CONTROL, "a", Keys.NULL, needle)


def test_enter_goes_from_match_to_match_and_escape_leaves(shown: Shown) -> None:
    shown.open(address="#round=0")
    shown.press("/")
    shown.press("recv", Keys.ENTER)
    assert shown.place == "Round 3/3"
    shown.press(Keys.ENTER)
    assert shown.place == "Round 4/3"
    assert shown.text("#found-count") == "2 of 6 steps"
    shown.press(Keys.SHIFT, Keys.ENTER, Keys.NULL)
    assert shown.place == "Round 3/3"
    shown.press(Keys.ESCAPE)
    assert not shown.find("#found").is_displayed()
    shown.press(Keys.ARROW_RIGHT)  # the keys are the page's again
    assert shown.place == "Round 4/1"


def test_a_found_step_can_be_clicked(shown: Shown) -> None:
    shown.open()
    shown.press("/")
    shown.press("goodbye", Keys.CONTROL, "a", Keys.NULL, "bye")
    shown.settle()
    shown.all("#found .row")[0].click()
    assert shown.place == "Round 9/3"


def test_letters_in_the_search_are_no_keys(shown: Shown) -> None:
    shown.open(address="#round=0")
    shown.press("/")
    shown.press("mfe? ", Keys.HOME, Keys.ARROW_RIGHT)
    assert shown.place == "Set-up/1"
    assert not shown.find("#keys").is_displayed()


def test_found_steps_can_be_read(shown: Shown) -> None:
    shown.open()
    shown.press("/")
    shown.press("hello")
    shown.settle()
    (row,) = shown.all("#found .row")
    assert row.text.split("\n")[:2] == ["Round 5", "recv(client 1, 259) = 3 bytes"]
    assert shown.find("#found-list").rect["height"] >= row.rect["height"] > 20
