"""Chapter 1, Build: collect the bytes of a message, in however many pieces they come.

    python3 turnchat/guide/exercises/streams.py 2322

A message of this server has its length in front, in three digits: 005hello. Two calls of
receive_exactly() read one: three bytes, and then as many as these say. That function is yours;
the rest of the program is there.
"""

import signal
import socket
import sys

HEADER = 3  # bytes


def receive_exactly(connected: socket.socket, size: int) -> bytes:
    """Return `size` bytes. Raises ConnectionError if the stream ends before."""
    # TODO: recv() returns the bytes that are there, `size` at the most. Call it until you have all.
    # It returns b"" at the end of the stream: then no byte comes any more, so give up.
    return connected.recv(size)


def receive(connected: socket.socket) -> bytes:
    """Return the next message."""
    length = int(receive_exactly(connected, HEADER))
    return receive_exactly(connected, length)


def show(body: bytes) -> None:
    """Print a message, with ? for all that is no printable text."""
    text = body.decode(errors="replace")
    print("peer>", "".join(one if one.isprintable() else "?" for one in text), flush=True)


def answer(connected: socket.socket) -> None:
    """Send a line from the keyboard."""
    body = input("you> ").encode()
    connected.sendall(b"%03d%b" % (len(body), body))


def talk(connected: socket.socket) -> None:
    """Show a message, send an answer, and so on until the peer leaves."""
    while True:
        show(receive(connected))
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
        except OSError as error:
            print("the conversation is over:", error)


if __name__ == "__main__":
    main()
