"""The chapters of the guide, taken apart."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support import ROOT
from turnchat.replay.glossary import Entry, parse

GUIDE = ROOT / "turnchat" / "guide"
CHAPTERS = sorted(GUIDE.glob("[1-8]-*.md"))
KINDS = ("Predict", "Break", "Build")


class Command(NamedTuple):
    """A command of a session, and the lines that it must show."""

    text: str
    shown: list[str]


class Section(NamedTuple):
    """A part of a chapter under one heading, and its sessions: a list of commands each."""

    heading: str
    text: str
    sessions: list[list[Command]]

    @property
    def kind(self) -> str:
        """Predict, Break or Build; empty for a section that is no exercise."""
        kind, colon, _ = self.heading.partition(":")
        return kind if colon and kind in KINDS else ""


def anchor_of(heading: str) -> str:
    """The anchor that a forge makes from a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def entries() -> list[Entry]:
    """The entries of the glossary."""
    return list(parse((GUIDE / "glossary.md").read_text()))


def forms_of(entry: Entry) -> tuple[str, ...]:
    """The words of an entry: its term, and the other forms."""
    return (entry.term, *entry.forms)


def sections(text: str) -> Iterator[Section]:
    """The parts of a chapter, each under a heading of any level."""
    for part in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        yield Section(heading, body, list(_sessions(body)))


def _sessions(text: str) -> Iterator[list[Command]]:
    for block in blocks(text):
        if block[0].startswith("$ "):
            commands: list[Command] = []
            for line in block:
                if line.startswith("$ "):
                    commands.append(Command(line[2:], []))
                elif commands[-1].text.endswith("\\") and not commands[-1].shown:
                    joined = commands[-1].text[:-1] + line.strip()
                    commands[-1] = Command(joined, [])
                else:
                    commands[-1].shown.append(line)
            yield commands


def blocks(text: str) -> Iterator[list[str]]:
    """The indented blocks of a text, each as its lines."""
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text + "\n", re.MULTILINE):
        lines = [line[4:].rstrip() for line in block.rstrip().split("\n")]
        while lines and not lines[0]:
            del lines[0]
        if lines:
            yield lines


def prose(text: str) -> str:
    """The text of a chapter without headings, blocks of code and tags."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(#| {4}).*$", "", text, flags=re.MULTILINE)
    return re.sub(r"<[^<>]*>", "", text, flags=re.DOTALL)


def recordings(command: str) -> list[Path]:
    """The recordings that a command names."""
    return [ROOT / name for name in re.findall(r"\bturnchat/[\w./-]+\.jsonl\b", command)]
