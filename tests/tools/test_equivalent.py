"""The list of equivalent mutants, held against the code."""

from tests.support import ROOT
from tests.tools.equivalent import Entry, Equivalents

TEXT = """\
turnchat/core/loop.py Timer.cancel
- if self.when < inf:
+ if self.when <= inf:
  A reason
  of two lines.
"""


def test_an_entry_has_a_place_a_difference_and_a_reason() -> None:
    assert Entry.parse(TEXT) == (
        "turnchat/core/loop.py",
        "Timer.cancel",
        "- if self.when < inf:\n+ if self.when <= inf:",
        "A reason of two lines.",
    )


def test_each_entry_is_of_lines_that_are_there_and_has_a_reason() -> None:
    """An entry whose line has changed says nothing any more: remove it, or look at it again."""
    for entry in Equivalents.read().entries:
        lines = {line.strip() for line in (ROOT / entry.path).read_text().splitlines()}
        removed = [line[2:] for line in entry.difference.splitlines() if line.startswith("- ")]
        assert removed, entry
        assert lines.issuperset(removed), entry
        assert len(entry.reason) > 20, entry


def test_no_entry_is_there_twice() -> None:
    found = [entry[:3] for entry in Equivalents.read().entries]
    assert len(found) == len({*found})
