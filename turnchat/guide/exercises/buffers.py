"""Chapter 6, Build: a client that does not read costs its own time, and no other's.

    python3 turnchat/guide/exercises/buffers.py 2322

This is the server of chapter 5. It waits in sendall() when a client does not read. accept(),
serve(), answer() and flush() are yours.
"""

import selectors
import signal
import socket
import sys
from collections import deque
from functools import partial
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
        self.unsent = b""  # the rest of a frame that the kernel has not taken


class Server:
    """All conversations, and the person who answers them."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening, self.selector = listening, selectors.DefaultSelector()
        self.waiting: deque[Client] = deque()  # for an answer, the longest first
        self.typed = b""  # not taken yet
        self.accepted = 0
        listening.setblocking(False)
        self.selector.register(listening, selectors.EVENT_READ, self.accept)
        self.selector.register(KEYBOARD, selectors.EVENT_READ, self.read_keyboard)

    def run(self) -> None:
        """Run rounds: sleep until a file is ready, and serve all that are."""
        while True:
            for key, _ in self.selector.select():
                key.data()
            self.answer()

    def accept(self) -> None:
        try:
            connected, _ = self.listening.accept()
        except BlockingIOError:  # readiness is a hint: another process may have taken it
            return
        # TODO 1: make it non-blocking: no call on it waits from now on.
        self.accepted += 1
        client = Client(connected, f"client {self.accepted}")
        self.selector.register(connected, selectors.EVENT_READ, partial(self.serve, client))

    def read_keyboard(self) -> None:
        data = read(KEYBOARD, 4096)  # readline() would hide lines in a buffer of its own
        self.typed += data
        if not data:
            self.selector.unregister(KEYBOARD)  # its end would stay readable for ever

    def serve(self, client: Client) -> None:
        """Serve a client that is ready."""
        # TODO 2: if it has unsent bytes, flush() them, else hear() it. Readiness is a hint: a call
        # may raise BlockingIOError all the same, and then there is nothing to do.
        self.hear(client)

    def hear(self, client: Client) -> None:
        """Read once. Show the message if it is whole."""
        data = client.socket.recv(4096)
        if not data:
            why = "the stream ended inside a message" if client.received else "it hung up"
            self.close(client, why)
        elif client.state == "ours":
            self.close(client, "it spoke out of turn")
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
            # TODO 3: put the frame into client.unsent, and call flush().
            client.socket.sendall(b"%03d%b" % (len(line), line))
            if line == BYEBYE:
                self.close(client, "you said BYEBYE")

    def flush(self, client: Client) -> None:
        """Send what the kernel takes now, and wait for room while something is left."""
        # TODO 4: send() returns how many bytes it took, keep the rest. If it raises
        # BlockingIOError, that is all of them. Then modify() the interest in the socket: in
        # writing while something is left, in reading else.

    def close(self, client: Client, why: str) -> None:
        """Forget a client, at once."""
        print(client.name, "is over:", why, flush=True)
        client.state = "over"
        if client in self.waiting:
            self.waiting.remove(client)
        self.selector.unregister(client.socket)
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
