"""Bytes of a terminal in, keys out.

A key is a character, a control character, or a sequence that begins with ESC. A sequence may come
in any pieces. ESC alone is a key as well, so only a pause shows that no sequence follows; the owner
measures it, since there is no clock here.

All that is unknown is swallowed whole: the tail of a reply or of a strange key must not become
text. Nothing grows without bound. A sequence keeps its beginning alone, a string nothing. A paste
that is too long is forgotten.
"""

# Forms of input (ESC [ is CSI, ESC O is SS3, ST is ESC \):
#
#   character                    printable text in UTF-8
#   control                      Enter, Tab, Backspace, Ctrl-A; ECMA-48, 5.2 (C0)
#   ESC character                Alt and a key; xterm's ctlseqs, "Alt and Meta Keys"
#   CSI parameters final         keys and replies; ECMA-48, 5.4 (control sequences)
#   CSI n ~, CSI n ; m ~         editing and function keys; m - 1 is a set of modifiers; ctlseqs,
#                                "PC-Style Function Keys"
#   SS3 final, SS3 m final       cursor keys in application mode, F1 to F4; ctlseqs, likewise
#   CSI n ^, CSI n $, CSI n @    with Ctrl, Shift, both: rxvt, whose "$" ends a sequence
#   CSI [ final                  F1 to F5: the Linux console; console_codes(4)
#   CSI M and three characters   mouse reports, should a program have left them on; ctlseqs
#   ESC ] P X ^ _ text, BEL, ST  replies: OSC, DCS, SOS, PM, APC; ECMA-48, 5.6 (control strings)
#   CSI 200 ~ text CSI 201 ~     a paste; ctlseqs, "Bracketed Paste Mode"

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

ESCAPE_DELAY = 0.05  # seconds; a terminal sends a sequence at once, and a network keeps it together
PASTE_DELAY = 5.0  # seconds, after which the end of a paste is taken to be lost
PASTE_LIMIT = 1 << 16  # characters
LONGEST_SEQUENCE = 32  # characters that are kept; each that has a name is shorter

ESC = "\x1b"
PASTE_START, PASTE_END = "[200~", "\x1b[201~"
MOUSE_REPORT, MOUSE_REPORT_SIZE = "[M", 3
STRING_STARTS = "]PX^_"

_CONTROLS = {chr(code): f"ctrl-{chr(code + 0x40).lower()}" for code in range(0x20)}
_CONTROLS |= {"\r": "enter", "\n": "enter", "\t": "tab", "\b": "backspace", "\x7f": "backspace"}

_LETTERS = {"A": "up", "B": "down", "C": "right", "D": "left", "F": "end", "H": "home"}
_FUNCTIONS = {"P": "f1", "Q": "f2", "R": "f3", "S": "f4"}
_NUMBERS = dict(
    enumerate(("home", "insert", "delete", "end", "page-up", "page-down", "home", "end"), start=1)
)
_NUMBERS |= {
    number: f"f{key}"
    for key, number in enumerate((11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24), start=1)
}
_SEQUENCES = (  # without ESC; CSI R is no key, but the cursor's place (CPR)
    {f"[{final}": name for final, name in (_LETTERS | _FUNCTIONS).items() if final != "R"}
    | {f"O{final}": name for final, name in (_LETTERS | _FUNCTIONS).items()}
    | {f"[{number}~": name for number, name in _NUMBERS.items()}
    | {f"[{number}$": name for number, name in _NUMBERS.items()}
    | {f"[{number}{final}": f"ctrl-{name}" for number, name in _NUMBERS.items() for final in "^@"}
    | {f"[{final}": _LETTERS[final.upper()] for final in "abcd"}  # with Shift, in rxvt
    | {f"O{final}": f"ctrl-{_LETTERS[final.upper()]}" for final in "abcd"}
    | {f"[[{final}": f"f{number}" for number, final in enumerate("ABCDE", start=1)}
    | {"OM": "enter", "OI": "tab", "[Z": "shift-tab"}  # of the keypad; backwards
)
_WITH_MODIFIERS = (  # the parts before and after them
    re.compile(r"([\[O])(?:1?;)?([0-9]{1,3})([A-Z])"),
    re.compile(r"(\[[0-9]{1,2});([0-9]{1,3})(~)"),
)
ALT, CTRL = 2 | 8, 4  # Meta counts as Alt; Shift, which is 1, is ignored

_TEXT = re.compile(r"[^\x00-\x1f\x7f]+")
_STRING_END = re.compile(r"[\x07\x1b]")
# Bytes that are not UTF-8, as surrogateescape leaves them: one character each, like any other.
_NOT_UTF8 = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}


class Key(NamedTuple):
    r"""A key that was pressed, or several characters, or a paste.

    name: "text", "paste", "paste-too-long", or the key's, as "enter", "ctrl-a", "alt-b", "up",
    "ctrl-left" or "alt-ctrl-left". text: of "text" and "paste" alone. A byte that is not UTF-8 is
    written as "\xff" in it. A paste may hold any control character, but its lines end with "\n".
    """

    name: str
    text: str = ""


class KeyParser:
    """Finds the keys in bytes that come in any pieces.

    Pieces make no difference, except that each has its own "text" keys, unless expire() is called.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._keys: list[Key] = []  # found and not yet returned
        # Takes a text and an index; returns the index of the first character that it leaves.
        self._state: Callable[[str, int], int] = self._in_text
        self._has_two_escapes = False
        self._sequence = ""  # its beginning, without ESC; in a paste, that of the end marker
        self._to_skip = 0  # characters of a mouse report
        self._pasted: list[str] = []
        self._paste_size = 0  # characters, also of those forgotten

    @property
    def delay(self) -> float | None:
        """Seconds without input after which expire() is due; None if nothing is unfinished."""
        if self._state == self._in_text:
            return None
        return PASTE_DELAY if self._state == self._in_paste else ESCAPE_DELAY

    def feed(self, data: bytes) -> list[Key]:
        """Take in `data` and return the keys it completes."""
        text, index = self._decoder.decode(data), 0
        while index < len(text):
            index = self._state(text, index)
        return self._found()

    def expire(self) -> list[Key]:
        """Return the keys of a pause: a lone ESC, or a paste so far. The rest is dropped."""
        if self._state == self._after_escape:
            self._keys += [Key("escape")] * (1 + self._has_two_escapes)
        elif self._state == self._in_paste:
            self._keep_pasted(self._sequence)
            self._end_paste()
        self._finish()
        return self._found()

    def statistics(self) -> dict[str, int]:
        """Return the number of characters kept of a sequence and of a paste."""
        return {"sequence": len(self._sequence), "paste": sum(map(len, self._pasted))}

    def _found(self) -> list[Key]:
        keys, self._keys = self._keys, []
        return keys

    def _finish(self) -> None:
        self._state, self._sequence, self._has_two_escapes = self._in_text, "", False

    def _in_text(self, text: str, index: int) -> int:
        if run := _TEXT.match(text, index):
            self._keys.append(Key("text", run[0].translate(_NOT_UTF8)))
            return run.end()
        if text[index] == ESC:
            self._state = self._after_escape
        else:
            self._keys.append(Key(_CONTROLS[text[index]]))
        return index + 1

    def _after_escape(self, text: str, index: int) -> int:
        character = text[index]
        if character in "[O":  # after a second ESC as well: Alt in rxvt
            self._sequence = character
            self._state = self._in_sequence
            return index + 1
        if self._has_two_escapes:
            self._keys.append(Key("escape"))
        self._has_two_escapes = character == ESC
        if character in STRING_STARTS:
            self._state = self._in_string
        elif character != ESC:
            name = _CONTROLS.get(character) or character.translate(_NOT_UTF8)
            self._keys.append(Key(f"alt-{name}"))
            self._finish()
        return index + 1

    def _in_sequence(self, text: str, index: int) -> int:
        character = text[index]
        is_rxvt_end = character == "$" and self._sequence[1:].isdigit()
        if " " <= character <= "?" and not is_rxvt_end:  # parameters and intermediates
            self._sequence += character if len(self._sequence) < LONGEST_SEQUENCE else ""
        elif self._sequence + character == "[[":
            self._sequence = "[["
        elif "@" <= character <= "~" or is_rxvt_end:
            self._end_sequence(self._sequence + character)
        else:  # no part of a sequence: it ends this one, and is a key
            self._finish()
            return index
        return index + 1

    def _end_sequence(self, sequence: str) -> None:
        name = _name_of(sequence, ALT if self._has_two_escapes else 0)
        self._finish()
        if sequence == PASTE_START:
            self._paste_size = 0
            self._state = self._in_paste
        elif sequence == MOUSE_REPORT:
            self._to_skip = MOUSE_REPORT_SIZE
            self._state = self._in_mouse_report
        elif name:
            self._keys.append(Key(name))

    def _in_mouse_report(self, text: str, index: int) -> int:
        self._to_skip -= 1
        is_part = text[index] >= " "
        if not is_part or not self._to_skip:
            self._state = self._in_text
        return index + is_part

    def _in_string(self, text: str, index: int) -> int:
        end = _STRING_END.search(text, index)
        if not end:
            return len(text)
        self._state = self._after_string if end[0] == ESC else self._in_text
        return end.end()

    def _after_string(self, text: str, index: int) -> int:
        is_terminator = text[index] == "\\"
        self._state = self._in_text if is_terminator else self._after_escape
        return index + is_terminator

    def _in_paste(self, text: str, index: int) -> int:
        if not self._sequence:
            escape = text.find(ESC, index)
            end = len(text) if escape < 0 else escape
            self._keep_pasted(text[index:end])
            self._sequence = text[end : end + 1]
            return end + len(self._sequence)
        marker = self._sequence + text[index]
        if not PASTE_END.startswith(marker):
            self._keep_pasted(self._sequence)
            self._sequence = ""
            return index
        self._sequence = marker
        if marker == PASTE_END:
            self._end_paste()
        return index + 1

    def _keep_pasted(self, text: str) -> None:
        self._paste_size += len(text)
        if self._paste_size > PASTE_LIMIT:
            self._pasted.clear()
        elif text:
            self._pasted.append(text)

    def _end_paste(self) -> None:
        pasted = "".join(self._pasted).replace("\r\n", "\n").replace("\r", "\n")
        if self._paste_size > PASTE_LIMIT:
            self._keys.append(Key("paste-too-long"))
        else:
            self._keys.append(Key("paste", pasted.translate(_NOT_UTF8)))
        self._pasted = []
        self._finish()


def _name_of(sequence: str, modifiers: int) -> str | None:
    """Return the name of a whole sequence, or None if it has none; `modifiers` are added."""
    for form in _WITH_MODIFIERS:
        if match := form.fullmatch(sequence):
            sequence = match[1] + match[3]
            modifiers |= max(int(match[2]) - 1, 0)
    name = _SEQUENCES.get(sequence)
    if name and modifiers & CTRL:
        name = f"ctrl-{name}"
    return f"alt-{name}" if name and modifiers & ALT else name
