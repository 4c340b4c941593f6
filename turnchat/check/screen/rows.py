"""Text on a screen as it is compared, without blanks, and the columns that it takes."""

import re
from functools import lru_cache
from unicodedata import category, east_asian_width

BLANKS = {code: None for code in range(0x3001) if chr(code).isspace()}
# ECMA-48: CSI sequences, strings (OSC, DCS, ...) with their end, and two-byte escapes.
SEQUENCE = re.compile(
    r"\x1b\[(?P<numbers>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*(?P<simple>[0-Z\\^-~])"
)


def without_blanks(text: str) -> str:
    """Return the text as it is compared: wrapping and indenting do not count."""
    return text.translate(BLANKS)


def without_sequences(text: str) -> str:
    """Return the text without colours, cursor moves and the like."""
    return SEQUENCE.sub("", text)


@lru_cache(1 << 12)
def width_of(char: str) -> int:
    """Return the columns that a character takes: 0, 1 or 2."""
    if category(char) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1
