r"""Lesson 3: messages with their length in front.

    python3 -m turnchat.lessons.length_prefix server [PORT]
    python3 -m turnchat.lessons.length_prefix client [PORT]

Mends: fixed16 refuses 17 bytes and fills short messages up. Here three digits in front give the
number of bytes, 0 to 255: 005hello.

Teaches: recv(n) returns the bytes that are there, n at most. The network may cut a header in two
and a body in ten, so receive_exactly() calls recv() until it has n. Header and body leave in one
sendall(): as two, the second would wait some 40 ms until the first is acknowledged (Nagle).

Limit: no order is kept. A client that sends two messages in a row gets two answers; with people on
both sides, nothing tells which is for which. And typing still hides a hang-up of the server.

Try this: start the server, and call it from other terminals.

    python3 -m turnchat.lessons.length_prefix server
    printf 005hello003you | nc -N 127.0.0.1 2317  # two messages in a row, and two answers
    (printf 00; sleep 60) | nc 127.0.0.1 2317  # the server waits for the rest of the header
    printf 'hello\n' | python3 -m turnchat.lessons.length_prefix client  # and this client for it

Predict: a client sends 300hello. How many of these bytes does the server read, and what then?
"""

import signal
import socket
import sys

HEADER = 3  # bytes
MOST = 255  # bytes of a body
PORT = 2317


def packed(body: bytes) -> bytes:
    """Put the length in front of `body`. Raises ValueError if it is too long."""
    if len(body) > MOST:
        raise ValueError(f"the message has {len(body)} bytes, {MOST} is the most")
    return b"%03d%b" % (len(body), body)


def receive_exactly(connected: socket.socket, size: int) -> bytes:
    """Return `size` bytes, or fewer if the stream ends before."""
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


def receive(connected: socket.socket) -> bytes | None:
    """Return the next message, or None when the stream has ended."""
    header = receive_exactly(connected, HEADER)
    if not header:
        return None
    # bytes.isdigit() accepts the ten ASCII digits alone; int() would take b" 12" and b"+12".
    if len(header) < HEADER or not header.isdigit() or int(header) > MOST:
        raise ConnectionError(f"{header!r} is not a length")
    body = receive_exactly(connected, int(header))
    if len(body) < int(header):
        raise ConnectionError(f"the stream ended after {len(body)} of {int(header)} bytes")
    return body


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
                    while (body := receive(connected)) is not None:
                        print("client>", shown(body), flush=True)
                        connected.sendall(packed(body))
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
        sys.exit("usage: python3 -m turnchat.lessons.length_prefix server|client [PORT]")
    try:
        roles[role](int(sys.argv[2]) if len(sys.argv) > 2 else PORT)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"length_prefix: {error}")

# Answer: three. 300 is no length, so it closes; and since hello is not read, its kernel sends a
# reset in place of an orderly end (RFC 2525, 2.17).
