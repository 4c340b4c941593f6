"""Lesson 4: the chat. Each side has its turn, until one says BYEBYE.

    python3 -m turnchat.lessons.one_by_one server [PORT]
    python3 -m turnchat.lessons.one_by_one client [PORT]

Mends: a client of length_prefix that sends two messages in a row gets two answers. Here both sides
know whose turn it is: the client speaks first, then they take turns. It is the wire of turnchat,
and both its programs can be at the other end.

Teaches: a protocol is more than its format. Who may speak when, and how a conversation ends,
belongs to it as well; so does what happens if somebody does not keep to it. MSG_DONTWAIT asks, for
one call, for what is there now: anything that has come before we have spoken has come out of turn.

Limit: everything waits for everything. While input() waits for the keyboard nobody notices that the
peer has hung up; while recv() waits for the peer the keyboard is dead, Ctrl-C aside; a second
client waits until the first has left; and a peer that says nothing is waited for without end.
"""

import socket
import sys

HEADER = 3  # bytes
MOST = 255  # bytes of a body
PORT = 2322
BYEBYE = "BYEBYE"


def send(connected: socket.socket, text: str) -> None:
    """Send a message. Raises ValueError if it is too long."""
    body = text.encode()
    if len(body) > MOST:
        raise ValueError(f"the message has {len(body)} bytes, {MOST} is the most")
    connected.sendall(b"%03d%b" % (len(body), body))


def receive_exactly(connected: socket.socket, size: int) -> bytes:
    """`size` bytes. Raises ConnectionError if the stream ends before."""
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        if not piece:
            raise ConnectionError("the peer has hung up")
        data += piece
    return data


def receive(connected: socket.socket) -> str:
    """The next message."""
    header = receive_exactly(connected, HEADER)
    if not header.isdigit() or int(header) > MOST:
        raise ConnectionError(f"{header!r} is not a length")
    return receive_exactly(connected, int(header)).decode(errors="backslashreplace")


def must_be_silent(connected: socket.socket) -> None:
    """Raise ConnectionError if the peer has said something in our turn."""
    try:
        data = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    raise ConnectionError(f"{data!r} came out of turn" if data else "the peer has hung up")


def say_something(connected: socket.socket) -> str:
    """Our turn: what is typed, once it can be sent; the end of the input is BYEBYE."""
    while True:
        try:
            text = input("you> ")
        except EOFError:
            print()
            text = BYEBYE
        must_be_silent(connected)
        try:
            send(connected, text)
        except ValueError as error:
            print("not sent:", error)
        else:
            return text


def hear_something(connected: socket.socket) -> str:
    """The peer's turn."""
    text = receive(connected)
    print("peer>", "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text))
    return text


def talk(connected: socket.socket, *, we_begin: bool) -> None:
    """Take turns until one says BYEBYE."""
    if we_begin and say_something(connected) == BYEBYE:
        return
    while hear_something(connected) != BYEBYE:
        if say_something(connected) == BYEBYE:
            return


def serve(port: int) -> None:
    """Talk with one client after the other."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        print("listening on port", listening.getsockname()[1], flush=True)
        while True:
            connected, _ = listening.accept()
            with connected:
                try:
                    talk(connected, we_begin=False)
                except OSError as error:
                    print("the conversation is over:", error)
            print("waiting for the next client", flush=True)


def call(port: int) -> None:
    """Talk with a server."""
    with socket.create_connection(("127.0.0.1", port)) as connected:
        talk(connected, we_begin=True)


if __name__ == "__main__":
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    roles = {"server": serve, "client": call}
    if role not in roles:
        sys.exit("usage: python3 -m turnchat.lessons.one_by_one server|client [PORT]")
    try:
        roles[role](int(sys.argv[2]) if len(sys.argv) > 2 else PORT)
    except (OSError, ValueError) as error:
        sys.exit(f"one_by_one: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
