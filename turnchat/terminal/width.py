"""Columns of text on a terminal.

A person sees characters where Unicode has code points: a letter with its accents, two letters for a
flag, a family of emoji with joiners. A cursor moves over such a cluster as a whole, and a terminal
gives it one column or two. The clusters are those of UAX #29 (text segmentation), as far as the
tables of `unicodedata` tell: not the rule GB9c, so a conjunct of Indic consonants is several
clusters, and not GB9b, so a sign that precedes a letter stands alone.

Text comes from safe(): controls and invisible format characters are not expected here.
"""

import re
import unicodedata
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
_BY_CATEGORY = {"Mn": "m", "Me": "m", "Mc": "s", "So": "p", "Sm": "p"}
_SYLLABLES = range(0xAC00, 0xD7A4)
_TAILS = 28  # syllables that differ in their tail alone; the first has none
_NEW_EMOJI = range(0x1F000, 0x1FB00)  # unassigned here: an emoji of a later Unicode
_EMOJI_STYLE = "\ufe0f"  # variation selector 16: the character before is shown as a wide picture
_CACHED = 4096  # characters of one session


def clusters(text: str) -> list[str]:
    """Return the characters as a person sees them. Joined they are `text`."""
    if text.isascii():
        return list(text)
    classes = "".join(map(_class, text))
    return [text[match.start() : match.end()] for match in _CLUSTER.finditer(classes)]


def width(text: str) -> int:
    """Return the number of columns of `text`. A cluster has 2 at most; a mark alone may have 0."""
    if text.isascii():
        return len(text)
    return sum(min(sum(map(_columns, cluster)), 2) for cluster in clusters(text))


@lru_cache(_CACHED)
def _class(char: str) -> str:
    code = ord(char)
    if code in _SYLLABLES:
        return "G" if (code - _SYLLABLES.start) % _TAILS else "H"
    if code in _CLASS_OF:
        return _CLASS_OF[code]
    if char.isascii():
        return "."
    return "p" if _is_new_emoji(char) else _BY_CATEGORY.get(unicodedata.category(char), ".")


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
