"""The list of mutants that behave as the original does: equivalent.txt.

An entry is the file and the place in it, the lines that differ as in a diff, and the reason. It has
no line number, so it holds until one of its lines changes:

    turnchat/core/frame.py parse
    - if 0 <= size <= BODY_LIMIT:
    + if 0 < size <= BODY_LIMIT:
      An empty body takes the longer way, to the same result.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from tests.tools.mutants import Mutant

LIST = Path(__file__).with_name("equivalent.txt")


class Entry(NamedTuple):
    """One mutant and the reason why no test can tell it from the original."""

    path: str
    place: str
    difference: str
    reason: str

    @classmethod
    def parse(cls, text: str) -> Self:
        title, *lines = text.splitlines()
        path, _, place = title.partition(" ")
        changes = [line for line in lines if line.startswith(("- ", "+ "))]
        reason = " ".join(line.strip() for line in lines if line not in changes)
        return cls(path, place, "\n".join(changes), reason)


class Equivalents(NamedTuple):
    """All entries of the list."""

    entries: list[Entry]

    @classmethod
    def read(cls) -> Self:
        return cls([Entry.parse(text) for text in LIST.read_text().strip().split("\n\n") if text])

    def has(self, mutant: "Mutant") -> bool:
        found = mutant.path, mutant.place, mutant.difference
        return any(entry[:3] == found for entry in self.entries)
