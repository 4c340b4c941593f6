"""Chapter 3, Build: whose turn it is, by a table.

    python3 turnchat/guide/exercises/turns.py 2322

Messages are framed as in chapter 2. The table of transitions and must_be_silent() are yours.
"""

import signal
import socket
import sys

HEADER = 3  # bytes
MOST = 255  # bytes of a body
BYEBYE = b"BYEBYE"

# From the state and what happens to the next state. What is missing here must not happen.
# TODO 1: either side may say BYEBYE in its turn, as its first message, too; then it is "over".
TRANSITIONS = {
    ("theirs", "the peer says"): "ours",
    ("ours", "we say"): "theirs",
}


def must_be_silent(connected: socket.socket, buffer: bytearray) -> None:
    """Raise ConnectionError if bytes of the peer have come in our turn."""
    # TODO 2: they may be in the buffer, since one recv() can bring two frames. Or they are still in
    # the kernel: recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) looks without waiting, and raises
    # BlockingIOError if nothing is there. b"" is no message, but the end of the stream.


def encode(text: str) -> bytes:
    """Return the frame of a message. Raises ValueError if it has more than MOST bytes."""
    body = text.encode()
    if len(body) > MOST:
        raise ValueError(f"the message has {len(body)} bytes, {MOST} is the most")
    return b"%03d%b" % (len(body), body)


def parse(data: bytes) -> bytes | None:
    """Return the body of the frame that `data` begins with; None if the frame is not whole yet."""
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


def hear(connected: socket.socket, buffer: bytearray) -> bytes:
    """Wait for a message, show it, and return it. What comes behind it stays in the buffer."""
    while (body := parse(bytes(buffer))) is None:
        piece = connected.recv(4096)
        if not piece:
            raise ConnectionError("the stream ended inside a message" if buffer else "it hung up")
        buffer += piece
    del buffer[: HEADER + len(body)]
    text = body.decode(errors="replace")
    print("peer>", "".join(one if one.isprintable() else "?" for one in text), flush=True)
    return body


def say(connected: socket.socket, buffer: bytearray) -> bytes:
    """Send a line from the keyboard, BYEBYE at its end, and return it."""
    while True:
        try:
            text = input("you> ")
        except EOFError:
            text = BYEBYE.decode()
        must_be_silent(connected, buffer)
        try:
            connected.sendall(encode(text))
        except ValueError as error:
            print("not sent:", error)
        else:
            return text.encode()


def talk(connected: socket.socket) -> None:
    """Take turns. The client begins, so the first turn is theirs."""
    buffer = bytearray()
    state = "theirs"
    while state != "over":
        if state == "theirs":
            happens, body = "the peer says", hear(connected, buffer)
        else:
            happens, body = "we say", say(connected, buffer)
        if body == BYEBYE:
            happens += " BYEBYE"
        state = TRANSITIONS[state, happens]


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
