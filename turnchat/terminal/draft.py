"""A line with a cursor in it, and the places where the cursor can go.

A draft never changes: an edit makes a new one. Its cursor always stands between two characters as a
person sees them (width.clusters). Words are as in GNU readline: letters and digits, or for
blank_left() all that is not blank.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from turnchat.terminal.width import clusters


class Draft(NamedTuple):
    """A line, and the cursor as an index into its text."""

    text: str = ""
    cursor: int = 0

    @property
    def before(self) -> str:
        """The text before the cursor."""
        return self.text[: self.cursor]

    @property
    def after(self) -> str:
        """The text after the cursor."""
        return self.text[self.cursor :]

    def start(self) -> int:
        return 0

    def end(self) -> int:
        return len(self.text)

    def left(self) -> int:
        return self.cursor - sum(map(len, clusters(self.before)[-1:]))

    def right(self) -> int:
        return self.cursor + sum(map(len, clusters(self.after)[:1]))

    def word_left(self) -> int:
        return self.cursor - _size_of_word(reversed(clusters(self.before)), _is_alphanumeric)

    def word_right(self) -> int:
        return self.cursor + _size_of_word(clusters(self.after), _is_alphanumeric)

    def blank_left(self) -> int:
        return self.cursor - _size_of_word(reversed(clusters(self.before)), _is_not_blank)

    def transposed(self) -> "Draft":
        """Exchange the characters on both sides of the cursor; at the end, the last two."""
        before, after = clusters(self.before), clusters(self.after)
        if before and not after:
            after.append(before.pop())
        if not before or not after:
            return self
        return joined("".join([*before[:-1], after[0], before[-1]]), "".join(after[1:]))


def joined(before: str, after: str = "") -> Draft:
    """Return the two as a draft, with the cursor between them.

    They may join to one character, as an accent and a letter do. Then the cursor is behind it.
    """
    text, cursor = before + after, len(before)
    if not after or text.isascii():
        return Draft(text, cursor)
    place = 0
    for cluster in clusters(text):
        if place >= cursor:
            break
        place += len(cluster)
    return Draft(text, place)


def _size_of_word(line: Iterable[str], is_in_word: Callable[[str], bool]) -> int:
    """Return the length of the first word, and of what is before it."""
    size, has_begun = 0, False
    for cluster in line:
        if is_in_word(cluster):
            has_begun = True
        elif has_begun:
            break
        size += len(cluster)
    return size


def _is_alphanumeric(cluster: str) -> bool:
    return cluster[0].isalnum()  # an accent is neither letter nor digit


def _is_not_blank(cluster: str) -> bool:
    return not cluster[0].isspace()
