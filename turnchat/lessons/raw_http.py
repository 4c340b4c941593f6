"""Lesson 1: a request is a string that is sent, an answer a string that is received.

    python3 -m turnchat.lessons.raw_http 'http://127.0.0.1:8000/search?name=Taipei'

Teaches: what libraries for HTTP do underneath. A TCP connection carries bytes both ways, and that
is all; what they mean is agreed upon in a text, here RFC 1945 (HTTP/1.0). sendall() takes care that
all bytes go out; recv() gives some of those that have come, so it is called until the stream ends.

Limit: the end of the answer is the end of the stream, so a connection serves for one question. From
a server that leaves it open this program waits for more, for ever, though all has come.
"""

import socket
import sys
from urllib.parse import quote, urlsplit


def get(url: str) -> str:
    """The body of the answer. Raises ValueError or OSError, with the reason."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{url!r} is no address of the form http://HOST/PATH")
    target = quote(parts.path or "/", safe="/%")
    if parts.query:
        target += "?" + quote(parts.query, safe="=&%+,")
    request = (
        f"GET {target} HTTP/1.0\r\n"  # 1.0: an answer in one piece, and then the end of the stream
        f"Host: {parts.netloc}\r\n"
        "Accept: application/json\r\n"
        "\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port or 80)) as connected:
        connected.sendall(request.encode())
        answer = b""
        while data := connected.recv(4096):
            answer += data
    return body_of(answer)


def body_of(answer: bytes) -> str:
    """What stands after the status line, the headers, and an empty line. Raises ValueError."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("the stream ended before the headers did")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, _, status = status_line.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"{status_line!r} is not how an answer in HTTP/1 begins")
    if not status.startswith("200"):
        raise ValueError(f"the server answered: {status}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    size = headers.get("content-length", str(len(body)))
    if size != str(len(body)):
        raise ValueError(f"{len(body)} of {size} bytes came")
    return body.decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 -m turnchat.lessons.raw_http URL")
    try:
        print(get(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"raw_http: {error}")
