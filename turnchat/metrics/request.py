"""Requests and answers of HTTP/1, as far as one page needs them (RFC 9110, RFC 9112).

A request is its first line and its fields. Content that follows is not read, since each connection
ends with its answer. What is wrong with a request is the status of the answer.
"""

import re
import time
from http import HTTPStatus

PATH = "/metrics"
HEAD_LIMIT = 4096  # bytes of the first line and the fields
ALLOWED = "GET, HEAD"

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
_FIRST = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])" % _TOKEN)
# No blank before the colon, and none at the beginning: folded lines are obsolete (RFC 9112, 5).
_FIELD = re.compile(rb"(%b):[\t\x20-\x7e\x80-\xff]*" % _TOKEN)
_LINE_END = re.compile(rb"\r?\n")  # a CR alone is none; a LF alone may be one (RFC 9112, 2.2)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_ORIGIN = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)  # RFC 9112, 3.2.2: as proxies send it


def head_of(data: bytes) -> bytes | None:
    """Return the head of a request without the empty line that ends it; None if it is not whole."""
    data = data.lstrip(b"\r\n")  # RFC 9112, 2.2: empty lines before it
    end = _HEAD_END.search(data)
    return data[: end.start()] if end else None


def status_of(head: bytes) -> HTTPStatus:
    """Return the status of the answer to a request."""
    first, *fields = _LINE_END.split(head)
    line = _FIRST.fullmatch(first)
    if not line:
        return HTTPStatus.BAD_REQUEST
    method, target, major, minor = line.groups()
    if major != b"1":
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    names = [found[1].lower() for found in map(_FIELD.fullmatch, fields) if found]
    hosts = names.count(b"host")
    if len(names) < len(fields) or hosts > 1 or (minor != b"0" and not hosts):  # RFC 9112, 3.2
        return HTTPStatus.BAD_REQUEST
    path = _ORIGIN.sub(b"", target, count=1).partition(b"?")[0]
    if path != PATH.encode():
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.OK if method in (b"GET", b"HEAD") else HTTPStatus.METHOD_NOT_ALLOWED


def overlong(data: bytes) -> HTTPStatus:
    """Return the status for HEAD_LIMIT bytes that are no whole head (RFC 9110, RFC 6585)."""
    if b"\n" in data.lstrip(b"\r\n"):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return HTTPStatus.REQUEST_URI_TOO_LONG


def asks_for_head(head: bytes) -> bool:
    """Return True if the answer is to have no content."""
    return head.startswith(b"HEAD ")


def answer(status: HTTPStatus, content_type: str, content: bytes, *, with_content: bool) -> bytes:
    """Return a whole answer, after which the connection ends."""
    fields = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime()),  # RFC 9110, 6.6.1
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        fields.append(f"Allow: {ALLOWED}")
    head = "".join(f"{field}\r\n" for field in fields)
    return f"{head}\r\n".encode() + (content if with_content else b"")
