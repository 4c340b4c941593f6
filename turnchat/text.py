"""Bytes and figures as text that is safe to show.

Theory of operation. What a peer sends is not to be trusted: raw, it could move the cursor, set the
title, reverse the order of a line or begin a new one. safe() lets printable text pass, in any
script, and writes everything that acts rather than shows as an escape. It is for people's eyes: a
backslash stays as it is, so what safe() gives cannot be turned back.
"""

BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
SEPARATORS = (0x2028, 0x2029)  # of lines and of paragraphs
# Joiners (U+200C, U+200D) stay: Persian, Hindi and many an emoji are not written without them.
INVISIBLE = (0xAD, 0x180E, 0x200B, *range(0x2060, 0x2065), *range(0x206A, 0x2070), 0xFEFF)
ANNOTATIONS = (*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080))

C0 = range(0x20)
DEL_AND_C1 = range(0x7F, 0xA0)

_NAMED = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
_CONTROLS = (
    {code: f"\\x{code:02x}" for code in (*C0, *DEL_AND_C1)}
    | _NAMED
    | {code: f"\\u{code:04x}" for code in SEPARATORS}
)
_ESCAPES = (
    _CONTROLS
    | {code: f"\\u{code:04x}" for code in (*BIDIRECTIONAL, *INVISIBLE)}
    | {code: f"\\U{code:08x}" for code in ANNOTATIONS}
)


def safe(body: bytes | str) -> str:
    """The text of `body`, with controls, overrides and what is not UTF-8 written as escapes."""
    if isinstance(body, bytes):
        body = body.decode(errors="backslashreplace")
    return body.translate(_ESCAPES)


def one_line(body: bytes) -> str:
    """The text of `body` as one line for a program: its controls, and no others, as escapes."""
    return body.decode(errors="backslashreplace").translate(_CONTROLS)


def not_utf8(data: bytes) -> str:
    """What keeps `bytes` from being text in UTF-8, or nothing."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return f"its byte {error.start + 1} ({data[error.start]:#04x}) is not UTF-8"
    return ""


def reason(error: OSError) -> str:
    """Why a system call failed, in words."""
    return error.strerror or str(error)


def counted(number: int, noun: str) -> str:
    """`number` of `noun`: "1 turn", "2 turns"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """A span of time for a person: "0.3 s", "42 s", "3 min 5 s", "2 h 4 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
