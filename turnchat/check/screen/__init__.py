"""The screen of a program's terminal, and the text on it."""

from turnchat.check.screen.emulator import HISTORY, LONGEST_TEXT, Screen
from turnchat.check.screen.rows import width_of, without_blanks, without_sequences

__all__ = [
    "HISTORY",
    "LONGEST_TEXT",
    "Screen",
    "width_of",
    "without_blanks",
    "without_sequences",
]
