r"""Lesson 2: messages of exactly 16 bytes.

    python3 -m turnchat.lessons.fixed16 server [PORT]
    python3 -m turnchat.lessons.fixed16 client [PORT]

Mends: raw_http needs the end of the stream to find the end of an answer. If all messages have one
length, no mark is needed, and one connection carries any number of them.

Teaches: the two kinds of sockets. The server's first socket is passive: it listens and carries no
data. accept() returns a second, active socket for each client. MSG_WAITALL makes recv() wait for
all 16 bytes; without it, recv() may return fewer.

Limit: 17 bytes are refused, "ok" takes 16 as well, and blanks at the end of a message are lost. A
client that waits for the keyboard does not notice that the server has left.

Try this: start the server, and call it from other terminals. The first client is refused 17 bytes,
and gets ok back without its blanks.

    python3 -m turnchat.lessons.fixed16 server
    printf '17 bytes: no, no!\nok  \n' | python3 -m turnchat.lessons.fixed16 client
    (printf 'half a message'; sleep 60) | nc 127.0.0.1 2316  # the server waits for two more bytes
    printf 'hello\n' | python3 -m turnchat.lessons.fixed16 client  # and this client for the server

Predict: without MSG_WAITALL, what does the server say to 16 bytes that come in two pieces?
"""

import signal
import socket
import sys

SIZE = 16  # bytes
PORT = 2316


def packed(data: bytes) -> bytes:
    """Fill `data` with blanks up to SIZE. Raises ValueError if it is longer."""
    if len(data) > SIZE:
        raise ValueError(f"the message has {len(data)} bytes, {SIZE} is the most")
    return data.ljust(SIZE)


def receive(connected: socket.socket) -> bytes | None:
    """Return the next message, or None when the stream has ended."""
    data = connected.recv(SIZE, socket.MSG_WAITALL)
    if 0 < len(data) < SIZE:
        raise ConnectionError(f"the stream ended after {len(data)} of {SIZE} bytes")
    return data.rstrip(b" ") if data else None


def shown(data: bytes) -> str:
    """Return the text of `data`, escaped: raw, a peer's control characters move the cursor."""
    text = data.decode(errors="backslashreplace")
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def serve(port: int) -> None:
    """Send each message back, to one client after the other."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        print("listening on port", listening.getsockname()[1], flush=True)
        while True:
            connected, _ = listening.accept()
            with connected:
                try:
                    while (data := receive(connected)) is not None:
                        print("client>", shown(data), flush=True)
                        connected.sendall(packed(data))
                except OSError as error:
                    print("the connection is closed:", error, flush=True)


def ask(port: int) -> None:
    """Send each line that is typed, and print the answer."""
    with socket.create_connection(("127.0.0.1", port)) as connected:
        for line in sys.stdin:
            try:
                message = packed(line.rstrip("\n").encode())
            except ValueError as error:
                print("not sent:", error, flush=True)
                continue
            connected.sendall(message)
            answer = receive(connected)
            if answer is None:
                sys.exit("the server has left")
            print(shown(answer), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, here and now
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    roles = {"server": serve, "client": ask}
    if role not in roles:
        sys.exit("usage: python3 -m turnchat.lessons.fixed16 server|client [PORT]")
    try:
        roles[role](int(sys.argv[2]) if len(sys.argv) > 2 else PORT)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"fixed16: {error}")

# Answer: "the stream ended after 7 of 16 bytes", or whatever came first, though it has not ended:
# recv() returns what is there.
