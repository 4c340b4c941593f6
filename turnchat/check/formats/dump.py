"""Bytes as a hex dump: by themselves, or expected and received side by side."""

from collections.abc import Iterator

from turnchat.text import safe

WIDE, NARROW = 16, 8  # bytes a row: alone, and side by side
MOST_ROWS = 256  # that are shown whole; of more only a part is
ROWS_AROUND = 16  # the rows of the part: at the beginning, and around the first difference


def dump(data: bytes) -> list[str]:
    """Return the rows of one dump, in 80 columns."""
    rows = -(-len(data) // WIDE)
    lines = []
    for number in _shown(rows, 0):
        if number is None:
            lines.append("  ...")
            continue
        piece = data[number * WIDE :][:WIDE]
        lines.append(f"  {number * WIDE:04x}  {piece.hex(' '):{3 * WIDE - 1}}  |{_ascii(piece)}|")
    return lines


def first_difference(expected: bytes, received: bytes) -> int:
    """Return the place of the first byte in which they differ, or where the shorter one ends."""
    pairs = zip(expected, received, strict=False)
    ends = min(len(expected), len(received))
    return next((at for at, (one, other) in enumerate(pairs) if one != other), ends)


def compare(expected: bytes, received: bytes) -> list[str]:
    """Return the rows of two dumps side by side, in 80 columns, the first difference marked."""
    at = first_difference(expected, received)
    rows = max(-(-len(expected) // NARROW), -(-len(received) // NARROW), at // NARROW + 1)
    lines = [f"        {'expected':36}received"]
    for number in _shown(rows, at // NARROW):
        if number is None:
            lines.append("  ...")
            continue
        start = number * NARROW
        sides = (f"{_hex(data, start)}  {_text(data, start)}" for data in (expected, received))
        lines.append(f"  {start:04x}  {'   '.join(sides)}".rstrip())
        if number == at // NARROW and expected != received:
            mark = " " * (8 + 3 * (at % NARROW)) + "^^"
            lines.append(f"{mark:{36 + 8 + 3 * (at % NARROW)}}^^ they differ from here on")
    return lines


def in_words(expected: bytes, received: bytes) -> str:
    """Return the first difference as a sentence."""
    at = first_difference(expected, received)
    if at == len(expected) == len(received):
        return "They are equal."
    if at == len(received):
        missing = len(expected) - at
        return f"Nothing more came: {missing} of {len(expected)} bytes are missing."
    came = safe(received[at : at + 1])
    if at == len(expected):
        return f"More came than expected: from byte {at + 1} on, which is {came!r}."
    return f"Byte {at + 1} should be {safe(expected[at : at + 1])!r}, and is {came!r}."


def _hex(data: bytes, start: int) -> str:
    return f"{data[start : start + NARROW].hex(' '):{3 * NARROW - 1}}"


def _text(data: bytes, start: int) -> str:
    return f"{_ascii(data[start : start + NARROW]):{NARROW}}"


def _ascii(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def _shown(rows: int, marked: int) -> Iterator[int | None]:
    """Give the numbers of the rows to show; None stands for those that are left out."""
    last = -1
    for number in range(rows):
        near = abs(number - marked) <= ROWS_AROUND
        if rows <= MOST_ROWS or number < ROWS_AROUND or near or number == rows - 1:
            if number != last + 1:
                yield None
            last = number
            yield number
