"""A solution of chapter 2: make frames, and take them out of a buffer."""

import signal
import socket
import sys

HEADER = 3  # bytes
MOST = 255  # bytes of a body


def encode(text: str) -> bytes:
    """Return the frame of a message. Raises ValueError if it has more than MOST bytes."""
    body = text.encode()
    if len(body) > MOST:
        raise ValueError(f"the message has {len(body)} bytes, {MOST} is the most")
    return b"%03d%b" % (len(body), body)


def parse(data: bytes) -> bytes | None:
    """Return the body of the frame that `data` begins with; None if the frame is not whole yet.

    Raises ValueError if `data` does not begin with a length of three digits, MOST at the most.
    """
    header = data[:HEADER]
    if header and not header.isdigit():
        raise ValueError(f"{header!r} is not a length")
    if len(header) < HEADER:
        return None
    length = int(header)
    if length > MOST:
        raise ValueError(f"the length {length} is over {MOST}")
    body = data[HEADER : HEADER + length]
    return body if len(body) == length else None


def receive(connected: socket.socket, buffer: bytearray) -> bytes:
    """Return the next message. What comes behind it stays in the buffer."""
    while (body := parse(bytes(buffer))) is None:
        piece = connected.recv(4096)
        if not piece:
            raise ConnectionError("the stream ended inside a message" if buffer else "it hung up")
        buffer += piece
    del buffer[: HEADER + len(body)]
    return body


def show(body: bytes) -> None:
    """Print a message, with ? for all that is no printable text."""
    text = body.decode(errors="replace")
    print("peer>", "".join(one if one.isprintable() else "?" for one in text), flush=True)


def answer(connected: socket.socket) -> None:
    """Send a line from the keyboard."""
    while True:
        try:
            connected.sendall(encode(input("you> ")))
        except ValueError as error:
            print("not sent:", error)
        else:
            return


def talk(connected: socket.socket) -> None:
    """Show a message, send an answer, and so on until the peer leaves."""
    buffer = bytearray()
    while True:
        show(receive(connected, buffer))
        answer(connected)


def main() -> None:
    """Wait for a client, and talk with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, without a traceback
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
        print("listening on port", sys.argv[1], flush=True)
        connected, _ = listening.accept()
    with connected:
        try:
            talk(connected)
        except (OSError, ValueError) as error:
            print("the conversation is over:", error)


if __name__ == "__main__":
    main()
