"""Lesson 4: the chat. Each side has its turn, until one says BYEBYE.

    python3 -m turnchat.lessons.one_by_one server [PORT]
    python3 -m turnchat.lessons.one_by_one client [PORT]

Mends: length_prefix keeps no order. Here both sides know whose turn it is: the client speaks first,
then they alternate. It is turnchat's wire, so both programs of turnchat can be at the other end.

Teaches: a protocol is more than its format. It also says who may speak when, how a conversation
ends, and the answer to a breach. MSG_DONTWAIT makes one recv() return at once: bytes that are
there before we have spoken came out of turn.

Limit: each wait stops all else. input() hides a hang-up of the peer, and recv() hides the keyboard.
A second client waits until the first has left, and a silent peer is waited for without end.

Try this: start the server, and call it from other terminals. Answer when it asks you.

    python3 -m turnchat.lessons.one_by_one server
    (printf 005hello; sleep 1) | nc -N 127.0.0.1 2322  # hangs up: you are told after your next line
    sleep 60 | nc 127.0.0.1 2322  # says nothing, and the server waits for it
    printf 005hello | nc 127.0.0.1 2322  # so this message is not shown

Predict: the peer sends two messages in a row, and you answer the first. Does it get your answer?
"""

import signal
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
    """Return `size` bytes. Raises ConnectionError if the stream ends before."""
    data = b""
    while len(data) < size:
        piece = connected.recv(size - len(data))
        if not piece:
            raise ConnectionError("the peer has hung up")
        data += piece
    return data


def receive(connected: socket.socket) -> str:
    """Return the next message."""
    header = receive_exactly(connected, HEADER)
    if not header.isdigit() or int(header) > MOST:
        raise ConnectionError(f"{header!r} is not a length")
    return receive_exactly(connected, int(header)).decode(errors="backslashreplace")


def must_be_silent(connected: socket.socket) -> None:
    """Raise ConnectionError if the peer has sent bytes in our turn."""
    try:
        data = connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    raise ConnectionError(f"{data!r} came out of turn" if data else "the peer has hung up")


def say_something(connected: socket.socket) -> str:
    """Take our turn: send a line from the keyboard, or BYEBYE at its end."""
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
            print("not sent:", error, flush=True)
        else:
            return text


def hear_something(connected: socket.socket) -> str:
    """Wait for the peer's turn, and show its message."""
    text = receive(connected)
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    print("peer>", shown, flush=True)
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
                    print("the conversation is over:", error, flush=True)
            print("waiting for the next client", flush=True)


def call(port: int) -> None:
    """Talk with a server."""
    with socket.create_connection(("127.0.0.1", port)) as connected:
        talk(connected, we_begin=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, here and now
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    roles = {"server": serve, "client": call}
    if role not in roles:
        sys.exit("usage: python3 -m turnchat.lessons.one_by_one server|client [PORT]")
    try:
        roles[role](int(sys.argv[2]) if len(sys.argv) > 2 else PORT)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"one_by_one: {error}")

# Answer: no. Its second message came in our turn: must_be_silent() finds it, and the conversation
# is over.
