"""README, held against the programs."""

import re
from collections.abc import Callable

from tests.support.process import CLIENT, ROOT, SERVER, steady
from tests.support.terminal import Terminal, address_of
from tests.tools.picture import picture, picture_of_check

README = (ROOT / "README.md").read_text()
LONGEST = 150  # lines; the rest is in the manual
WIDTH = 105  # columns of a paragraph; a table, a picture and an example have their own


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST


def test_its_paragraphs_have_one_width() -> None:
    marked = re.sub(r"<!-- made by.*?<!-- until here -->", "", README, flags=re.DOTALL)
    lines = [line for line in marked.splitlines() if not line.startswith(("|", "![", "    "))]
    assert [line for line in lines if len(line) > WIDTH] == []
    assert max(map(len, lines)) == WIDTH


def test_the_picture_is_what_the_programs_show() -> None:
    """If it has changed on purpose: make picture."""
    assert steady(picture()) == steady((ROOT / "tests/pictures/conversation.svg").read_text())


def test_the_picture_of_the_checker_is_what_it_shows() -> None:
    """If it has changed on purpose: make picture."""
    assert timeless(picture_of_check()) == timeless((ROOT / "tests/pictures/check.svg").read_text())


def timeless(text: str) -> str:
    """A picture of a report without its times and the number of its port."""
    return re.sub(r"\s\d\.\d\d\s", " TIME ", re.sub(r"127\.0\.0\.1\s\d{5}", "ADDRESS", text))


def sample(target: str) -> list[str]:
    """The lines that the sample session shows for a make target."""
    (block,) = re.findall(rf"^    \$ make {target}\n((?:    .+\n)+)", README, re.MULTILINE)
    return [line.removeprefix("    ") for line in block.splitlines()]


def test_the_sample_session_is_what_the_programs_show(terminal: Callable[..., Terminal]) -> None:
    server = terminal(SERVER, "127.0.0.1:0")
    client = terminal(CLIENT, address_of(server))
    typed = {
        prompt: [line.removeprefix(prompt) for line in lines if line.startswith(prompt)]
        for prompt, lines in (
            ("you> ", sample("run-client")),
            ("you to client 1> ", sample("run-server")),
        )
    }
    answers = iter(typed["you to client 1> "])
    for said in typed["you> "]:
        client.asks("you> ")
        client.enters(said)
        if said != "BYEBYE":
            server.asks("you to client 1> ")
            server.enters(next(answers))
    assert client.exits_with() == 0
    server.sees("said BYEBYE")
    assert steady(client.text) == steady("\n".join(sample("run-client")))
    assert steady(server.text) == steady("\n".join(sample("run-server")))


def test_six_links_lead_from_the_lessons_to_a_server_of_ones_own() -> None:
    section = README.partition("## Learn it in six steps")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d\. (?:.+\n)(?:   .+\n)*", section, re.MULTILINE)
    links = [re.findall(r"\]\(([^)]+)\)", step) for step in steps]
    assert [len(found) for found in links] == [1] * 6
    (first,), *_, (last,) = links
    assert first == "turnchat/lessons/README.md"
    chapter, _, anchor = last.partition("#")
    *_, build = (ROOT / chapter).read_text().split("### Build")
    assert anchor == "exercises"
    assert "bin/turnchat-check server --profile turnchat" in build


def test_every_package_has_its_row() -> None:
    rows = set(re.findall(r"^\| \[(\w+)\]\(turnchat/\w+(?:\.py)?\) \|", README, re.MULTILINE))
    folders = {path.parent.name for path in (ROOT / "turnchat").glob("*/__init__.py")}
    assert rows == folders | {"text", "guide", "wireshark"}
