"""Lesson 2: messages of exactly 16 octets.

    python3 -m turnchat.lessons.fixed16 server [PORT]
    python3 -m turnchat.lessons.fixed16 client [PORT]

Mends: raw_http takes the end of the stream for the end of the answer, and waits for ever when a
server leaves the connection open. If all messages have one length, their ends need no sign at all,
and a connection carries as many as one likes.

Teaches: the two kinds of sockets. The server's first one is passive: it listens, carries nothing,
and accept() makes of each caller a second socket, an active one, like the one that the client
connects. MSG_WAITALL has recv() wait until all 16 octets are there; without it, it may well return
fewer.

Limit: 17 octets are too many, and refused; and "ok" takes 16 too, so two trailing blanks are lost.
"""

import socket
import sys

SIZE = 16  # octets
PORT = 2316


def packed(text: str) -> bytes:
    """A message: `text`, and blanks up to SIZE. Raises ValueError rather than to cut it."""
    octets = text.encode()
    if len(octets) > SIZE:
        raise ValueError(f"{text!r} has {len(octets)} octets, {SIZE} is the most")
    return octets.ljust(SIZE)


def receive(connected: socket.socket) -> str | None:
    """The next message, or None when the stream has ended."""
    octets = connected.recv(SIZE, socket.MSG_WAITALL)
    if 0 < len(octets) < SIZE:
        raise ConnectionError(f"the stream ended after {len(octets)} of {SIZE} octets")
    return octets.decode(errors="replace").rstrip(" ") if octets else None


def serve(port: int) -> None:
    """Answer each message with itself, to one client after the other."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        print("listening on port", listening.getsockname()[1], flush=True)
        while True:
            connected, _ = listening.accept()
            with connected:
                try:
                    while (text := receive(connected)) is not None:
                        connected.sendall(packed(text))
                except (OSError, ValueError) as error:
                    print("the client is left:", error, flush=True)


def ask(port: int) -> None:
    """Send each line that is typed, and print the answer."""
    with socket.create_connection(("127.0.0.1", port)) as connected:
        for line in sys.stdin:
            try:
                message = packed(line.rstrip("\n"))
            except ValueError as error:
                print("not sent:", error, flush=True)
                continue
            connected.sendall(message)
            answer = receive(connected)
            if answer is None:
                sys.exit("the server has left")
            print(answer, flush=True)


if __name__ == "__main__":
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
    roles = {"server": serve, "client": ask}
    if role not in roles:
        sys.exit("usage: python3 -m turnchat.lessons.fixed16 server|client [PORT]")
    try:
        roles[role](port)
    except OSError as error:
        sys.exit(f"fixed16: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
