# Name: TODO
# ID: TODO (put it into the name of this file, too)
"""The client of a chat in turns: it connects to a server, and speaks first.

python3 client_ID.py 127.0.0.1 2322
"""

import select
import socket
import sys

GOODBYE = b"BYEBYE"
LONGEST = 255  # bytes in one message


def receive_message(connection: socket.socket) -> bytes | None:
    """Return the body of the next message, None if there is no more."""
    # Three digits come first: the number of bytes in the body. One recv() may give you a part of
    # what you ask for, so ask again for the rest. It gives b"" when the other side has left.
    raise NotImplementedError("TODO 1: receive a message")


def send_message(connection: socket.socket, body: bytes) -> None:
    """Send the length as three digits, and the body."""
    raise NotImplementedError("TODO 2: send both in one sendall()")


def show(body: bytes) -> None:
    """Print a message, with ? for bytes that are not UTF-8 and for characters that do not print."""
    text = body.decode(errors="replace")
    print("server>", "".join(char if char.isprintable() else "?" for char in text))


def read_line(connection: socket.socket) -> bytes:
    """Let the person type a message. Ctrl-D says goodbye."""
    while True:
        try:
            body = input("client> ").encode(errors="replace")
        except EOFError:
            body = GOODBYE
        if len(body) <= LONGEST:
            break
        print(f"That is {len(body)} bytes; a message has {LONGEST} at most.")
    # It is our turn, so the other side must not have sent anything meanwhile.
    ready, _, _ = select.select([connection], [], [], 0)
    if ready and connection.recv(1, socket.MSG_PEEK):
        raise ValueError("the other side has spoken out of turn")
    return body


def talk(connection: socket.socket) -> None:
    """Say a message and hear the answer, in turns, until one side says BYEBYE."""
    raise NotImplementedError("TODO 3: read a line, send, receive, show; stop after BYEBYE")


def main() -> None:
    """Connect to the server, and talk with it."""
    try:
        connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    except OSError as error:
        sys.exit(f"cannot connect: {error}")
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            talk(connection)
            print("The conversation is over.")
        except (OSError, ValueError) as error:  # it was reset, or its length was no number
            print("The conversation has ended:", error)


if __name__ == "__main__":
    main()
