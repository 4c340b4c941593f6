"""The page for a beginner: where it opens, the tour, the words, and what is folded away."""

import pytest

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time


def is_open(shown: Shown) -> bool:
    return shown.find("#tour").is_displayed()


def title(shown: Shown) -> str:
    return shown.text("#tour-title")


def focused(shown: Shown) -> object:
    return shown.run("return document.activeElement.id")


def test_it_opens_on_the_first_message_with_a_tour(shown: Shown) -> None:
    shown.open("mistakes", is_first=True)
    assert shown.place == "Round 2/3"
    assert (title(shown), focused(shown)) == ("One thread, round after round", "tour-next")
    titles = []
    while shown.text("#tour-next") == "Next":
        shown.press(Keys.ENTER)
        titles.append(title(shown))
        part = shown.find("#spot")
        assert part.is_displayed()
        assert part.rect["width"] > 100
    assert titles == ["The rounds", "The present call", "What the loop knows", "The conversation"]
    shown.press(Keys.ENTER)
    assert not is_open(shown)
    assert not shown.find("#spot").is_displayed()
    assert shown.place == "Round 2/3"


def test_the_tour_is_remembered_and_can_be_taken_again(shown: Shown) -> None:
    shown.open("mistakes", is_first=True)
    shown.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)  # these are the tour's now
    assert title(shown) == "The rounds"
    shown.press(Keys.ESCAPE)
    assert not is_open(shown)
    shown.driver.refresh()
    shown.settle()
    assert not is_open(shown)
    shown.press("?")
    shown.click("#tour-again")
    assert (title(shown), is_open(shown)) == ("One thread, round after round", True)
    assert not shown.find("#keys").is_displayed()
    shown.click("#tour-skip")
    shown.settle()  # the focus leaves a closed dialog with the next frame
    shown.press(Keys.ARROW_RIGHT)
    assert shown.place == "Round 2/4"


def test_an_address_leads_to_its_step_without_a_tour(shown: Shown) -> None:
    shown.open("mistakes", "#round=1", is_first=True)
    assert shown.place == "Round 1/1"
    assert not is_open(shown)


def test_the_tour_opens_where_nothing_can_be_remembered(shown: Shown) -> None:
    source = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})"
    name = "Page.addScriptToEvaluateOnNewDocument"
    made = shown.driver.execute_cdp_cmd(name, {"source": source})
    shown.driver.get("about:blank")
    shown.driver.get(shown.path("mistakes").as_uri())
    shown.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
    assert is_open(shown)
    shown.press(Keys.ESCAPE)
    assert not is_open(shown)


def test_a_word_is_explained_on_hover_and_escape_closes_it(shown: Shown) -> None:
    shown.open("small", "#round=1")
    (sleeps,) = [word for word in shown.all("#slept .term") if word.text == "listener"]
    at = ActionChains(shown.driver)
    at.move_to_element(sleeps).perform()
    assert shown.text("#gloss").startswith("listener\nThe socket of a server")
    assert sleeps.get_attribute("aria-describedby") == "gloss"
    at.move_to_element(shown.find("#gloss")).perform()  # one can read it with the pointer on it
    assert shown.find("#gloss").is_displayed()
    shown.press(Keys.ESCAPE)
    assert not shown.find("#gloss").is_displayed()
    at.move_to_element(sleeps).move_to_element(shown.find("#title")).perform()
    assert not shown.find("#gloss").is_displayed()


def test_a_word_is_explained_to_the_keyboard_and_in_the_help(shown: Shown) -> None:
    shown.open("small", "#round=1")
    shown.run("document.querySelector('#slept .term').focus()")
    word = shown.find("#slept .term").text
    assert shown.text("#gloss").lower().startswith(word.lower())
    shown.press(Keys.TAB)
    assert not shown.text("#gloss").lower().startswith(word.lower())
    shown.press("?")
    assert word in [each.lower() for each in shown.texts("#words dt")]


def test_words_of_a_peer_are_not_explained(shown: Shown) -> None:
    shown.open("server")
    words = "he says “a peer”, and the peer a peer"
    shown.run("$('explanation').replaceChildren(...explained(arguments[0]))", words)
    assert shown.text("#explanation") == words
    assert shown.texts("#explanation .term") == ["peer"]
    assert shown.run("return $('explanation').firstChild.data") == "he says “a peer”, and the "


def test_calls_that_keep_the_books_are_folded_away(shown: Shown) -> None:
    with shown.sized(1400, 1000):  # all are in sight
        fold(shown)


def fold(shown: Shown) -> None:
    shown.open("mistakes", "#round=1&step=3")

    def listed() -> list[str]:
        return [row.split("\n")[1] for row in shown.texts("#steps .row")]

    calls = ["select(for ever)", "ready(listener)", "dispatch()", "accept(listener)"]
    assert listed() == [*calls, "register(client, to read)"]
    assert shown.text("#folded") == "show 2 more"
    shown.press(Keys.ARROW_RIGHT)
    assert shown.place == "Round 1/5"
    shown.press(Keys.ARROW_LEFT)
    assert shown.place == "Round 1/3"
    assert shown.text("#place").startswith("Round 1 · step 3 of 7")
    shown.click("#folded")
    assert "name(client, client)" in listed()
    shown.press(Keys.ARROW_RIGHT)
    assert shown.place == "Round 1/4"
    shown.press("b")  # the present step stays, until one leaves it
    assert [*calls[:3], "open(client)"] == listed()[:4]
    shown.press(Keys.ARROW_RIGHT)
    assert listed() == [*calls, "register(client, to read)"]


def test_a_folded_step_has_its_address(shown: Shown) -> None:
    shown.open("mistakes", "#round=1&step=6")
    assert (shown.place, shown.call) == ("Round 1/6", "name(client, client)")
    assert shown.find("#steps [aria-current]").text.startswith("6\nname(")


@pytest.mark.parametrize(
    ("address", "notice"),
    [
        ("#round=99", "There is no round 99 here. This is the last."),
        ("#round=4&step=99", "Round 4 has no step 99: this is its last."),
        ("#nonsense", "The address of this page names no round of it."),
        ("#round=1&side=3", "The address of this page names no round of it."),
        ("#round=4&step=2", ""),
        ("", ""),
    ],
)
def test_an_address_of_no_step_is_answered(shown: Shown, address: str, notice: str) -> None:
    shown.open(address=address)
    assert shown.text("#notice") == notice
    shown.press(Keys.ARROW_RIGHT)
    assert not shown.find("#notice").is_displayed()
