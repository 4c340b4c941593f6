"""Text from strangers made safe to show; figures in words.

A peer's text is not to be trusted: raw, it could move the cursor, set the title, reverse the order
of a line or begin a new one. safe() passes printable text of any script, and writes each character
that acts as an escape. It is for people's eyes: a backslash stays as it is, so the original cannot
be recovered from it.
"""

BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
SEPARATORS = (0x2028, 0x2029)  # of lines and of paragraphs
# Joiners (U+200C, U+200D) stay: Persian, Hindi and many emoji are not written without them.
INVISIBLE = (0xAD, 0x180E, 0x200B, *range(0x2060, 0x2065), *range(0x206A, 0x2070), 0xFEFF)
ANNOTATIONS = range(0xFFF9, 0xFFFC)
TAGS = range(0xE0000, 0xE0080)

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}  # bytes

C0 = range(0x20)
DEL_AND_C1 = range(0x7F, 0xA0)
# A file's name may have bytes that are not UTF-8: in a str, byte N is U+DC00 + N (PEP 383).
BYTES = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}

_NAMED = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
_CONTROLS = (
    {code: f"\\x{code:02x}" for code in (*C0, *DEL_AND_C1)}
    | _NAMED
    | {code: f"\\u{code:04x}" for code in SEPARATORS}
)
_ESCAPES = (
    _CONTROLS
    | {code: f"\\u{code:04x}" for code in (*BIDIRECTIONAL, *INVISIBLE)}
    | {code: f"\\U{code:08x}" for code in (*ANNOTATIONS, *TAGS)}
    | BYTES
)
# JSON escapes UTF-16 (RFC 8259, 7), in which the tags have one first half and 128 second ones.
_JSON_ESCAPES = {
    code: f"\\u{code:04x}"
    for code in (*DEL_AND_C1, *SEPARATORS, *BIDIRECTIONAL, *INVISIBLE, *ANNOTATIONS)
} | {code: f"\\udb40\\u{0xDC00 + code - TAGS[0]:04x}" for code in TAGS}


def safe(body: bytes | str) -> str:
    """Return the text of `body`; controls, overrides and bytes that are not UTF-8 are escaped."""
    text = body.decode(errors="backslashreplace") if isinstance(body, bytes) else body
    if text.isprintable():  # no character with an escape is, and this costs a hundredth
        return text
    return _without_surrogates(text.translate(_ESCAPES))


def one_line(body: bytes) -> str:
    """Return the text of `body` as one line for a program: its controls alone are escaped."""
    return body.decode(errors="backslashreplace").translate(_CONTROLS)


def safe_json(text: str) -> str:
    """Return the same JSON, with each character escaped that acts: it is safe to show."""
    return _without_surrogates(text.translate(_JSON_ESCAPES))


def _without_surrogates(text: str) -> str:
    r"""Write lone surrogates as \ud800 to \udfff: a table of all 2,048 would delay each start."""
    return text.encode(errors="backslashreplace").decode()


def unix_name(name: str | bytes) -> str:
    """Return the name of a unix socket as text. Bytes that are not UTF-8 are escaped.

    An abstract name, which is no file, begins with a NUL (unix(7)). It is written with @, as ss(8)
    does, and has no control in it: the name that the kernel gives a client is a number.
    """
    if isinstance(name, bytes):
        text = name.decode(errors="backslashreplace")
        return "@" + safe(text[1:]) if text.startswith("\0") else text
    return name.translate(BYTES)


def not_utf8(data: bytes) -> str | None:
    """Return the reason why `data` is not text in UTF-8, or None if it is."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return f"its byte {error.start + 1} ({data[error.start]:#04x}) is not UTF-8"
    return None


def reason(error: OSError) -> str:
    """Return the reason of a failed system call, in words."""
    return error.strerror or str(error)


def ends_of(text: str, most: int) -> str:
    """Return a text of over `most` characters without its middle, for which a newline stands."""
    return text if len(text) <= most else f"{text[: most // 2]}\n{text[-most // 2 :]}"


def with_name(peer: str, name: str) -> str:
    """Return the address of a peer, with the name in its certificate if it has shown one."""
    return f"{peer} ({name})" if name else peer


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 turn", "2 turns"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def were(number: int, noun: str) -> str:
    """Return a number with its noun and the verb for it: "1 line was", "2 lines were"."""
    return f"{counted(number, noun)} {'was' if number == 1 else 'were'}"


def size_of(text: str) -> int | None:
    """Return the bytes of "5000", "64K", "10M", "1G"; None for another text."""
    digits, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "")
    is_size = digits.isascii() and digits.isdigit() and len(digits) < 13
    return int(digits) * UNITS.get(unit, 1) if is_size else None


def duration(seconds: float) -> str:
    """Return a span of time for people: "0.3 s", "42 s", "3 min 5 s", "2 h 4 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
