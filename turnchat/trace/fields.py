"""The calls of a recording with their fields, and the types and ranges of these.

A call that is not here is refused by its name. So a call that is added needs no new version: a
reader that is older than it never takes its recording for something else.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

NUMBER_LIMIT = 2**53 - 1  # the page and Perfetto keep numbers as IEEE 754 doubles
TIME_LIMIT = 1e12  # seconds
SOURCE_LIMIT = 16 << 10  # characters of one function; the page shows them whole
KINDS = ("listener", "connection", "stream", "other")
MASKS = ("", "r", "w", "rw")
SIDES = ("server", "client")


class Field(NamedTuple):
    """A field of events. expected: its values in words. accepts: True for such a value."""

    expected: str
    accepts: Callable[[Any], bool]


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= NUMBER_LIMIT  # True is an int, too


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < TIME_LIMIT


def is_text(value: Any) -> bool:
    """Refuse half a character of UTF-16: JSON can express it, and UTF-8 cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _is_pair(value: Any) -> bool:
    match value:
        case [file, str() as mask]:
            return _is_whole(file, 1) and mask in MASKS
        case _:
            return False


def _is_source(value: Any) -> bool:
    match value:
        case {"first": first, "text": text} if len(value) == 2:
            return _is_whole(first, 1) and is_text(text) and len(text) <= SOURCE_LIMIT
        case _:
            return False


FILE = Field(f"a whole number from 1 to {NUMBER_LIMIT}", lambda value: _is_whole(value, 1))
COUNT = Field(f"a whole number from 0 to {NUMBER_LIMIT}", lambda value: _is_whole(value, 0))
TEXT = Field("text", is_text)

FIELDS: dict[str, Field] = {
    "t": Field("a number between -1e12 and 1e12", _is_seconds),
    "by": TEXT,
    "line": FILE,
    "source": Field(
        "an object of `first`, a whole number from 1, and `text` of at most"
        f" {SOURCE_LIMIT} characters",
        _is_source,
    ),
    "took": Field("a number from 0, below 1e12", lambda value: _is_seconds(value) and value >= 0),
    "blocking": Field("`true` or `false`", lambda value: type(value) is bool),
    "error": Field("text that is not empty", lambda value: is_text(value) and value != ""),
    "file": FILE,
    "new": FILE,
    "kind": Field(
        "`listener`, `connection`, `stream` or `other`",
        lambda value: isinstance(value, str) and value in KINDS,
    ),
    "name": TEXT,
    "peer": TEXT,
    "local": TEXT,
    "events": Field(
        "`r`, `w`, `rw` or empty", lambda value: isinstance(value, str) and value in MASKS
    ),
    "files": Field(
        "a list of pairs of a `file` and its `events`",
        lambda value: isinstance(value, list) and all(map(_is_pair, value)),
    ),
    "timeout": Field(
        "a number between -1e12 and 1e12, or `null`",
        lambda value: value is None or _is_seconds(value),
    ),
    "deadline": Field("text, or `null`", lambda value: value is None or is_text(value)),
    "side": Field("`server` or `client`", lambda value: isinstance(value, str) and value in SIDES),
    "version": TEXT,
    "cipher": TEXT,
    "alpn": TEXT,
    "subject": TEXT,
    "reason": TEXT,
    "pending": COUNT,
    "size": COUNT,
    "sent": COUNT,
    "octets": Field(
        "text of characters from U+0000 to U+00FF",
        lambda value: isinstance(value, str) and (value.isascii() or max(value) <= "\xff"),
    ),
}

CALLS: dict[str, tuple[str, ...]] = {
    "open": ("file", "kind", "name"),
    "name": ("file", "name"),
    "register": ("file", "events"),
    "modify": ("file", "events"),
    "unregister": ("file",),
    "select": ("timeout", "deadline"),
    "ready": ("files",),
    "dispatch": ("file",),
    "deadline": ("name",),
    "signal": ("name",),
    "accept": ("file", "new", "peer", "local"),
    "connect": ("file", "peer", "local"),
    "connected": ("file",),
    "recv": ("file", "size", "octets"),
    "header": ("file", "size", "octets"),
    "tls": ("file", "side"),
    "handshake": ("file", "version", "cipher", "alpn", "subject"),
    "decrypt": ("file", "size", "octets", "pending"),
    "encrypt": ("file", "octets", "sent"),
    "unwrap": ("file",),
    "read": ("file", "size", "octets"),
    "send": ("file", "octets", "sent"),
    "write": ("file", "octets", "sent"),
    "shutdown": ("file",),
    "close": ("file",),
    "end": (),
}
OPTIONAL = ("by", "line", "took", "blocking", "error", "reason", "source")  # of each call
RESULTS = (  # a call that failed may lack these
    *("new", "peer", "local", "octets"),
    *("pending", "version", "cipher", "alpn", "subject", "sent"),
)
