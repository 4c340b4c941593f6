import pytest

from turnchat.terminal.history import History


@pytest.fixture
def history() -> History:
    made = History()
    for line in ("one", "two", "three"):
        made.add(line)
    return made


def test_lines_are_kept_in_order_and_the_oldest_are_dropped() -> None:
    history = History(limit=2)
    for line in ("one", "two", "three"):
        history.add(line)
    assert [*history.lines] == ["two", "three"]


def test_an_empty_line_and_a_repetition_of_the_newest_are_not_added(history: History) -> None:
    for line in ("", "three", "one"):
        history.add(line)
    assert [*history.lines] == ["one", "two", "three", "one"]


def test_a_walk_ends_at_the_oldest_line_and_leads_back_to_what_was_half_typed(
    history: History,
) -> None:
    assert history.back("half") == "three"
    assert history.is_walking
    assert history.back("three") == "two"
    assert history.back("two") == "one"
    assert history.back("one") is None
    assert history.forward("one") == "two"
    assert history.forward("two") == "three"
    assert history.forward("three") == "half"
    assert not history.is_walking
    assert history.forward("half") is None


def test_there_is_no_way_back_in_an_empty_history() -> None:
    history = History()
    assert history.back("half") is None
    assert not history.is_walking
    assert history.forward("half") is None


def test_a_changed_line_keeps_its_change_for_the_walk_alone(history: History) -> None:
    history.back("half")
    history.back("three, changed")
    assert history.forward("two") == "three, changed"
    assert history.forward("three, changed") == "half"
    assert [*history.lines] == ["one", "two", "three"]
    assert history.back("half") == "three"


def test_a_new_line_ends_the_walk(history: History) -> None:
    history.back("half")
    history.add("four")
    assert not history.is_walking
    assert history.forward("") is None
    assert history.back("") == "four"


def test_even_a_line_that_is_not_added_ends_the_walk(history: History) -> None:
    history.back("half")
    history.add("")
    assert not history.is_walking


def test_a_walk_that_was_stopped_begins_at_the_newest_line(history: History) -> None:
    history.back("half")
    history.back("three")
    history.stop()
    assert not history.is_walking
    assert history.back("other") == "three"
    assert history.forward("three") == "other"


def test_a_search_goes_back_from_the_newest_line(history: History) -> None:
    assert history.search("t") == 2
    assert history.search("t", 2) == 1
    assert history.search("t", 1) is None
    assert history.search("ne") == 0
    assert history.search("ne", 100) == 0
    assert history.search("four") is None
    assert history.search("one", 0) is None
