"""Columns of text on a terminal.

A person sees characters where Unicode has code points: a letter with its accents, two letters for a
flag, a family of emoji with joiners. A cursor moves over such a cluster as a whole, and a terminal
gives it one column or two. The clusters are those of UAX #29 (text segmentation), as far as the
tables of `unicodedata` tell. Two rules are left out: GB9c, so a conjunct of Indic consonants is
several clusters, and GB9b, so a sign that precedes a letter stands alone.

Text comes from safe(): controls and invisible format characters are not expected here.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

# Each code point has a letter for its class, and a cluster is a pattern of letters (UAX #29, 3.1).
_CLUSTER = re.compile(
    r"""(?: L*(?:V+|HV*|G)T* | L+ | T+   # Hangul: leads, vowels, tails, syllables (G has a tail)
          | p(?:m*jp)*                   # pictures, each joined to the one before
          | rr                           # a flag: two regional indicators
          | .
        ) [mjs]*                         # marks, joiners, spacing marks""",
    re.VERBOSE,
)
_CLASSES = {
    "L": (range(0x1100, 0x1160), range(0xA960, 0xA980)),
    "V": (range(0x1160, 0x11A8), range(0xD7B0, 0xD7C7)),
    "T": (range(0x11A8, 0x1200), range(0xD7CB, 0xD800)),
    "r": (range(0x1F1E6, 0x1F200),),
    "m": (range(0x200C, 0x200D), range(0x1F3FB, 0x1F400)),  # the non-joiner, tones of skin
    "j": (range(0x200D, 0x200E),),
    "s": (range(0x0E33, 0x0E34), range(0x0EB3, 0x0EB4)),  # Thai and Lao AM: letters by category
}
_CLASS_OF = {code: name for name, ranges in _CLASSES.items() for r in ranges for code in r}
_ALONE = "."  # a cluster of its own, between others like it
_BY_CATEGORY = {"Mn": "m", "Me": "m", "Mc": "s", "So": "p", "Sm": "p"}
_SYLLABLES = range(0xAC00, 0xD7A4)
_TAILS = 28  # syllables that differ in their tail alone; the first has none
_NEW_EMOJI = range(0x1F000, 0x1FB00)  # unassigned here: an emoji of a later Unicode
_EMOJI_STYLE = "\ufe0f"  # variation selector 16: the character before is shown as a wide picture
_CACHED = 4096  # characters of one session
LONGEST_PIECE = 8  # code points that a row keeps together


def clusters(text: str) -> list[str]:
    """Return the characters as a person sees them. Joined they are `text`."""
    if text.isascii():
        return list(text)
    classes = "".join(map(_class, text))
    if classes.count(_ALONE) == len(classes):
        return list(text)  # as most scripts: this is done several times for each key
    return [text[match.start() : match.end()] for match in _CLUSTER.finditer(classes)]


def width(text: str) -> int:
    """Return the number of columns of `text`. A cluster has 2 at most; a mark alone may have 0."""
    if text.isascii():
        return len(text)
    return sum(map(_cluster_width, clusters(text)))


def fold(text: str, room: int) -> list[str]:
    """Cut text into rows of at most `room` columns, between two clusters."""
    if text.isascii():
        return [text[start : start + room] for start in range(0, len(text), room)] or [""]
    rows, row, used = [], "", 0
    for cluster in clusters(text):
        columns = _cluster_width(cluster)
        if used + columns > room:
            rows.append(row)
            row, used = "", 0
        row += cluster
        used += columns
    return [*rows, row]


def wrap(start: str, text: str, room: int) -> list[str]:
    """Cut a line into rows with a hanging indent, each at a space in its second half if it has one.

    The indent is as wide as `start`, or a third of a narrow row. So no text that `start` introduces
    stands at the beginning of a row, where it could pass for a line of its own.
    """
    indent = " " * max(1, min(width(start), room // 3))
    rows: list[str] = []
    row: list[str] = []
    used, least = 0, len(start)
    for piece in _pieces(start + text, room // 2):
        columns = sum(map(_columns, piece))
        if used + columns > room:
            space = -1 if piece == " " else _last_space(row, max(least, len(row) // 2))
            cut = space + 1 or len(row)
            if len(indent) + sum(map(_columns, "".join(row[cut:]))) + columns > room:
                cut = len(row)  # behind the indent there is no room for this word
            rows.append("".join(row[:cut]))
            row, least = [*indent, *row[cut:]], len(indent)
            used = sum(_columns(char) for kept in row for char in kept)
            if piece == " ":
                continue  # the end of the row stands for it
        row.append(piece)
        used += columns
    rows.append("".join(row))
    while len(rows) > 1 and rows[-1].isspace():
        rows.pop()
    return rows


def _pieces(text: str, widest: int) -> Iterator[str]:
    """Return the clusters of a text, the long ones and those over `widest` as code points.

    A stranger may send such, and each code point counts with all its columns: not every terminal
    joins them, and a row that is longer than it was taken for would go on in the next.
    """
    for cluster in clusters(text):
        is_short = len(cluster) <= LONGEST_PIECE and sum(map(_columns, cluster)) <= widest
        yield from [cluster] if is_short else cluster


def _last_space(row: list[str], least: int) -> int:
    """Return the index of the last space from `least` on; -1 if there is none."""
    return next((index for index in range(len(row) - 1, least - 1, -1) if row[index] == " "), -1)


def shared_start(texts: Sequence[str]) -> str:
    """Return what all begin with, in whole clusters."""
    shared = ""
    for first, *others in zip(*map(clusters, texts), strict=False):
        if any(other != first for other in others):
            break
        shared += first
    return shared


@lru_cache(_CACHED)
def _cluster_width(cluster: str) -> int:
    return min(sum(map(_columns, cluster)), 2)


@lru_cache(_CACHED)
def _class(char: str) -> str:
    code = ord(char)
    if code in _SYLLABLES:
        return "G" if (code - _SYLLABLES.start) % _TAILS else "H"
    if code in _CLASS_OF:
        return _CLASS_OF[code]
    if char.isascii():
        return _ALONE
    return "p" if _is_new_emoji(char) else _BY_CATEGORY.get(unicodedata.category(char), _ALONE)


@lru_cache(_CACHED)
def _columns(char: str) -> int:
    """Return the columns that a character adds to its cluster."""
    category, kind = unicodedata.category(char), _class(char)
    if char == _EMOJI_STYLE:
        return 1
    if category in ("Mn", "Me") or kind in ("V", "T"):
        return 0
    if category == "Cf":  # a sign that encloses a number is seen, a joiner is not
        return 0 if unicodedata.bidirectional(char) == "BN" else 1
    is_wide = kind == "r" or _is_new_emoji(char) or unicodedata.east_asian_width(char) in ("W", "F")
    return 2 if is_wide else 1


def _is_new_emoji(char: str) -> bool:
    """Return True for a code point that Unicode keeps for pictures (UTS #51, 1.4.6)."""
    return ord(char) in _NEW_EMOJI and unicodedata.category(char) == "Cn"
