r"""Lesson 1: a request is a string that is sent, and its answer a string that is received.

    python3 -m turnchat.lessons.raw_http 'http://127.0.0.1:8000/search?name=Taipei'

Teaches: the work of an HTTP library. A TCP connection carries bytes in both directions, and no
more. A text, here RFC 1945 (HTTP/1.0), agrees on their meaning. sendall() sends every byte. recv()
returns some of the bytes that have come, so it is called until the stream ends.

Limit: the end of the stream marks the end of the answer, so a connection carries one question. If
a server leaves the connection open, this program waits for ever, though the whole answer has come.

Try this: let nc be the server, and ask it from another terminal.

    (printf 'HTTP/1.0 200 OK\r\n\r\nhello'; sleep 9) | nc -lN 127.0.0.1 8000
    python3 -m turnchat.lessons.raw_http http://127.0.0.1:8000/  # prints hello after these nine

Predict: a server sends no Content-Length, and crashes in the middle of its answer. Its kernel ends
the stream. Does this program notice?
"""

import signal
import socket
import sys
from urllib.parse import quote, urlsplit


def get(url: str) -> str:
    """Fetch a URL and return the body of the answer. Raises ValueError or OSError."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{url!r} is not a URL of the form http://HOST/PATH")
    target = quote(parts.path or "/", safe="/%")
    if parts.query:
        target += "?" + quote(parts.query, safe="=&%+,")
    request = (
        f"GET {target} HTTP/1.0\r\n"  # 1.0: the server ends the stream after the answer
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
    """Return the part after the status line, the headers and an empty line. Raises ValueError."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("the stream ended before the headers did")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, _, status = status_line.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"{status_line!r} is not the first line of an HTTP/1 answer")
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


def shown(text: str) -> str:
    """Return text to print, escaped: raw, a server's control characters move the cursor."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, here and now
    if len(sys.argv) != 2:
        sys.exit("usage: python3 -m turnchat.lessons.raw_http URL")
    try:
        print(shown(get(sys.argv[1])))
    except (OSError, ValueError) as error:
        sys.exit(f"raw_http: {shown(str(error))}")

# Answer: no. The end of the stream is the end of the answer. Only a length tells that a part is
# missing: if there is a Content-Length, body_of() counts the bytes.
