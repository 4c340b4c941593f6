"""Bytes as a hex dump, by themselves or side by side, and the first difference in words."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from turnchat.text import counted

SAME = "*"  # for rows that are equal to the one above them, as hexdump(1) writes it
WIDE, NARROW = 16, 8  # bytes a row: alone, and side by side
MOST_ROWS = 256  # that are shown whole; of more only a part is
ROWS_AROUND = 16  # the rows of the part: at the beginning, and around the first difference
NAMES = {
    0x00: "(NUL)",
    0x09: "(a tab)",
    0x0A: "(a newline)",
    0x0D: "(a carriage return)",
    0x20: "(a blank)",
}


def dump(data: bytes) -> list[str]:
    """Return the rows of one dump, in 80 columns."""
    lines = []
    for number in _shown(_rows([data], WIDE), 0):
        if isinstance(number, str):
            lines.append(f"  {number}")
            continue
        piece = data[number * WIDE :][:WIDE]
        lines.append(f"  {number * WIDE:04x}  {piece.hex(' '):{3 * WIDE - 1}}  |{_ascii(piece)}|")
    return lines


def first_difference(expected: bytes, received: bytes) -> int | None:
    """Return the place of the first byte that differs or is missing; None if all are the same."""
    pairs = enumerate(zip_longest(expected, received))
    return next((at for at, (one, other) in pairs if one != other), None)


def side_by_side(expected: bytes, received: bytes) -> list[str]:
    """Return the rows of two dumps, in 80 columns, with the first difference marked."""
    difference = first_difference(expected, received)
    at = len(expected) if difference is None else difference
    rows = _rows([expected, received], NARROW)
    rows += [()] * (at // NARROW + 1 - len(rows))  # they differ behind the last byte of both
    lines = [f"        {'expected':36}received"]
    for number in _shown(rows, at // NARROW):
        if isinstance(number, str):
            lines.append(f"  {number}")
            continue
        start = number * NARROW
        sides = (f"{_hex(data, start)}  {_text(data, start)}" for data in (expected, received))
        lines.append(f"  {start:04x}  {'   '.join(sides)}".rstrip())
        if number == at // NARROW and difference is not None:
            mark = " " * (8 + 3 * (at % NARROW)) + "^^"
            lines.append(f"{mark:{36 + 8 + 3 * (at % NARROW)}}^^ they differ from here on")
    return lines


def in_words(expected: bytes, received: bytes) -> str:
    """Return the first difference as a sentence. Bytes are counted from 1."""
    at = first_difference(expected, received)
    if at is None:
        return "All bytes are as expected."
    if not received:
        return "Nothing came."
    if not expected:
        return f"Nothing should have come, and {counted(len(received), 'byte')} came."
    if at == len(expected):
        extra = counted(len(received) - at, "byte")
        return f"{extra} too many, from byte {at + 1} on: {_byte(received[at])} is the first."
    if at == len(received):
        missing = counted(len(expected) - at, "byte")
        return f"{missing} did not come: byte {at + 1}, {_byte(expected[at])}, is the first."
    return f"Byte {at + 1} should be {_byte(expected[at])}, and is {_byte(received[at])}."


def _byte(byte: int) -> str:
    if 0x20 < byte < 0x7F:
        return repr(chr(byte))
    return f"0x{byte:02x} {NAMES.get(byte, '')}".rstrip()


def _hex(data: bytes, start: int) -> str:
    return f"{data[start : start + NARROW].hex(' '):{3 * NARROW - 1}}"


def _text(data: bytes, start: int) -> str:
    return f"{_ascii(data[start : start + NARROW]):{NARROW}}"


def _ascii(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def _rows(sides: Sequence[bytes], width: int) -> list[tuple[bytes, ...]]:
    """Return the rows of a dump: the bytes of each side."""
    starts = range(0, max(map(len, sides)), width)
    return [tuple(data[start : start + width] for data in sides) for start in starts]


def _shown(rows: Sequence[tuple[bytes, ...]], marked: int) -> Iterator[int | str]:
    """Give the numbers of the rows to show, and a line for those that are left out.

    Of equal rows the first is shown, and the last if it ends the dump, which tells its length.
    """
    last = len(rows) - 1
    is_left_out = False
    for number, row in enumerate(rows):
        is_end = number in (marked, last)
        if number and row == rows[number - 1] and not is_end:
            line = SAME
        elif len(rows) <= MOST_ROWS or number < ROWS_AROUND or abs(number - marked) <= ROWS_AROUND:
            line = ""
        else:
            line = "" if is_end else "..."
        if not line:
            yield number
        elif not is_left_out:
            yield line
        is_left_out = bool(line)
