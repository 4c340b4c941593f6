"""Chapter 5, Build: one thread serves all clients and the keyboard.

    python3 turnchat/guide/exercises/readiness.py 2322

This is the server of chapter 4 without its threads: it serves one client at a time. __init__(),
run(), accept(), hear() and close() are yours. The sockets of the clients still block: chapter 6
mends that.
"""

import selectors
import signal
import socket
import sys
from collections import deque
from os import read

HEADER = 3  # bytes
MOST = 255  # bytes of a body
BYEBYE = b"BYEBYE"
KEYBOARD = 0  # the descriptor of standard input


class Client:
    """One conversation. state: "theirs", "ours" or "over"."""

    def __init__(self, connected: socket.socket, name: str) -> None:
        self.socket, self.name, self.state = connected, name, "theirs"
        self.received = b""  # the beginning of a message whose rest has not come


class Server:
    """All conversations, and the person who answers them."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening, self.selector = listening, selectors.DefaultSelector()
        self.waiting: deque[Client] = deque()  # for an answer, the longest first
        self.typed = b""  # not taken yet
        self.accepted = 0
        # TODO 1: register the listener and the keyboard, each with the method that serves it. Make
        # the listener non-blocking: a client that has gone must not let accept() wait.

    def run(self) -> None:
        """Serve one client after the other."""
        # TODO 2: run rounds. Each asks self.selector.select() which files are ready, calls the
        # methods that were registered with them (key.data), and then self.answer().
        while True:
            client = self.accept()
            while client.state != "over":
                if client.state == "theirs":
                    self.hear(client)
                else:
                    self.read_keyboard()
                    self.answer()

    def accept(self) -> Client:
        connected, _ = self.listening.accept()
        self.accepted += 1
        # TODO 3: register the client, with self.hear; partial(self.hear, client) is a callback.
        # Return nothing then: each callback finds its client by itself. Readiness is a hint, so
        # accept() may raise BlockingIOError, and then there is nothing to do.
        return Client(connected, f"client {self.accepted}")

    def read_keyboard(self) -> None:
        data = read(KEYBOARD, 4096)  # readline() would hide lines in a buffer of its own
        self.typed += data
        if not data:
            sys.exit()  # or unregister it: its end would stay readable for ever

    def hear(self, client: Client) -> None:
        """Read until a message is whole, and show it."""
        # TODO 4: call recv() once, and return. The rest of a message may come in a later round, or
        # never, and other clients wait meanwhile.
        while client.state == "theirs":
            data = client.socket.recv(4096)
            if not data:
                why = "the stream ended inside a message" if client.received else "it hung up"
                self.close(client, why)
            else:
                client.received += data
                self.take_message(client)

    def take_message(self, client: Client) -> None:
        try:
            body = parse(client.received)
        except ValueError as error:
            self.close(client, str(error))
            return
        if body is None:
            return
        rest = client.received[HEADER + len(body) :]
        client.received = b""
        show(client.name, body)
        if body == BYEBYE:
            self.close(client, "it said BYEBYE")
        elif rest:
            self.close(client, "it spoke out of turn")
        else:
            client.state = "ours"
            self.waiting.append(client)

    def answer(self) -> None:
        """Send a typed line to each client that waits."""
        while self.waiting and b"\n" in self.typed:
            line, _, self.typed = self.typed.partition(b"\n")
            if len(line) > MOST:
                print(f"not sent: the line has {len(line)} bytes, {MOST} is the most", flush=True)
                continue
            client = self.waiting.popleft()
            client.state = "theirs"
            client.socket.sendall(b"%03d%b" % (len(line), line))
            if line == BYEBYE:
                self.close(client, "you said BYEBYE")

    def close(self, client: Client, why: str) -> None:
        """Forget a client, at once."""
        # TODO 5: unregister its socket before it is closed.
        print(client.name, "is over:", why, flush=True)
        client.state = "over"
        if client in self.waiting:
            self.waiting.remove(client)
        client.socket.close()


def parse(data: bytes) -> bytes | None:
    """Return the body of the frame that `data` begins with; None if the frame is not whole yet."""
    header = data[:HEADER]
    if not header.isdigit():
        raise ValueError(f"{header!r} is not a length")
    if len(header) < HEADER:
        return None
    length = int(header)
    if length > MOST:
        raise ValueError(f"the length {length} is over {MOST}")
    body = data[HEADER : HEADER + length]
    return body if len(body) == length else None


def show(name: str, body: bytes) -> None:
    """Print a message. A peer's control characters are not for this terminal."""
    text = body.decode(errors="backslashreplace")
    print(f"{name}>", "".join(one if one.isprintable() else "?" for one in text), flush=True)


def main() -> None:
    """Listen, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, without a traceback
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listening:
        print("listening on port", sys.argv[1], flush=True)
        Server(listening).run()


if __name__ == "__main__":
    main()
