"""A solution of chapter 4: no client waits for another, and no message for an acknowledgement."""

import signal
import socket
import sys
import threading

HEADER = 3  # bytes
MOST = 255  # bytes of a body
BYEBYE = b"BYEBYE"
KEYBOARD = threading.Lock()

# From the state and what happens to the next state. What is missing here must not happen.
TRANSITIONS = {
    ("theirs", "the peer says"): "ours",
    ("theirs", "the peer says BYEBYE"): "over",
    ("ours", "we say"): "theirs",
    ("ours", "we say BYEBYE"): "over",
}


def must_be_silent(connected: socket.socket, buffer: bytearray) -> None:
    """Raise ConnectionError if bytes of the peer have come in our turn."""
    data = bytes(buffer[:1])
    if not data:
        try:
            data = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
    raise ConnectionError(f"{data!r} came out of turn" if data else "it hung up")


def encode(text: str) -> bytes:
    """Return the frame of a message. Raises ValueError if it has more than MOST bytes."""
    body = text.encode()
    if len(body) > MOST:
        raise ValueError(f"the message has {len(body)} bytes, {MOST} is the most")
    return b"%03d%b" % (len(body), body)


def send(connected: socket.socket, frame: bytes) -> None:
    """Send a frame."""
    connected.sendall(frame)


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
        with KEYBOARD:
            try:
                text = input("you> ")
            except EOFError:
                text = BYEBYE.decode()
        must_be_silent(connected, buffer)
        try:
            send(connected, encode(text))
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


def converse(connected: socket.socket) -> None:
    """Talk with one client, to its end."""
    with connected:
        try:
            talk(connected)
        except (OSError, ValueError) as error:
            print("a conversation is over:", error)


def serve(listening: socket.socket) -> None:
    """Talk with all clients."""
    while True:
        connected, _ = listening.accept()
        threading.Thread(target=converse, args=(connected,), daemon=True).start()


def main() -> None:
    """Listen, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, without a traceback
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listening:
        print("listening on port", sys.argv[1], flush=True)
        serve(listening)


if __name__ == "__main__":
    main()
