"""Chapter 2, Build: make frames, and take them out of a buffer.

    python3 turnchat/guide/exercises/framing.py 2322

encode() and parse() are yours. receive() has the loop of chapter 1: it adds what has come to the
buffer, until parse() finds a whole frame there.
"""

import signal
import socket
import sys

HEADER = 3  # bytes
MOST = 255  # bytes of a body


def encode(text: str) -> bytes:
    """Return the frame of a message. Raises ValueError if it has more than MOST bytes."""
    # TODO 1: count the bytes and not the characters, and refuse what is too long.
    return f"{len(text):03}{text}".encode()


def parse(data: bytes) -> bytes | None:
    """Return the body of the frame that `data` begins with; None if the frame is not whole yet.

    Raises ValueError if `data` does not begin with a length of three digits, MOST at the most.
    """
    # TODO 2: data may be any beginning of a frame, even of its header; then return None. And int()
    # takes much that is no length: b" 12", b"+12", b"1_0", b"999". Look at the bytes yourself.
    if not data:
        return None
    length = int(data[:HEADER])
    return data[HEADER : HEADER + length]


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
