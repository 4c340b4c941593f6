"""Chapter 7, Build: every conversation ends, in good order and in time.

    python3 turnchat/guide/exercises/ends.py 2322

This is the server of chapter 6. It dies of a reset, and resets others itself. serve(), answer(),
flush(), end() and let_go() are yours.
"""

import heapq
import selectors
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from functools import partial
from os import read

HEADER = 3  # bytes
MOST = 255  # bytes of a body
BYEBYE = b"BYEBYE"
KEYBOARD = 0  # the descriptor of standard input
FRAME_TIMEOUT = 10.0  # seconds from the first byte of a message to its last
IDLE_TIMEOUT = 600.0  # seconds for a client to begin a message, and to read an answer
CLOSE_TIMEOUT = 2.0  # seconds for a client to read what was sent, and to close


class Client:
    """One conversation. state: "theirs", "ours", "ending" or "over"."""

    def __init__(self, connected: socket.socket, name: str) -> None:
        self.socket, self.name, self.state = connected, name, "theirs"
        self.received = b""  # the beginning of a message whose rest has not come
        self.unsent = b""  # the rest of a frame that the kernel has not taken
        self.deadline = 0.0  # of its only valid entry in the heap; 0: it has none


class Server:
    """All conversations, and the person who answers them."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening, self.selector = listening, selectors.DefaultSelector()
        self.waiting: deque[Client] = deque()  # for an answer, the longest first
        self.typed = b""  # not taken yet
        self.accepted = 0
        self.heap: list[tuple[float, int, Client]] = []
        listening.setblocking(False)
        self.selector.register(listening, selectors.EVENT_READ, self.accept)
        self.selector.register(KEYBOARD, selectors.EVENT_READ, self.read_keyboard)

    def run(self) -> None:
        """Run rounds: sleep until a file is ready or a deadline has come, and serve."""
        while True:
            timeout = None  # TODO 5: the seconds to the first deadline, None if there is none
            for key, _ in self.selector.select(timeout):
                key.data()
            self.let_go()
            self.answer()

    def accept(self) -> None:
        try:
            connected, _ = self.listening.accept()
        except BlockingIOError:  # readiness is a hint: another process may have taken it
            return
        connected.setblocking(False)
        self.accepted += 1
        client = Client(connected, f"client {self.accepted}")
        self.selector.register(connected, selectors.EVENT_READ, partial(self.serve, client))
        self.start_timer(client, IDLE_TIMEOUT)

    def read_keyboard(self) -> None:
        data = read(KEYBOARD, 4096)  # readline() would hide lines in a buffer of its own
        self.typed += data
        if not data:
            self.selector.unregister(KEYBOARD)  # its end would stay readable for ever

    def serve(self, client: Client) -> None:
        """Write if something is left to write, else read."""
        try:
            if client.unsent:
                self.flush(client)
            else:
                self.hear(client)
        except BlockingIOError:  # readiness is a hint
            pass
        # TODO 1: any other OSError ends this conversation, and no other: close() it. answer() and
        # end() send, too.

    def hear(self, client: Client) -> None:
        """Read once. Show the message if it is whole."""
        data = client.socket.recv(4096)
        if not data:
            why = "the stream ended inside a message" if client.received else "it hung up"
            self.close(client, why)
        elif client.state == "ours":
            self.end(client, "it spoke out of turn")
        elif client.state == "theirs":  # else the conversation is over, and this is dropped
            if not client.received:
                self.start_timer(client, FRAME_TIMEOUT)
            client.received += data
            self.take_message(client)

    def take_message(self, client: Client) -> None:
        try:
            body = parse(client.received)
        except ValueError as error:
            self.end(client, str(error))
            return
        if body is None:
            return
        rest = client.received[HEADER + len(body) :]
        client.received, client.deadline = b"", 0.0
        show(client.name, body)
        if body == BYEBYE:
            self.end(client, "it said BYEBYE")
        elif rest:
            self.end(client, "it spoke out of turn")
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
            client.unsent = b"%03d%b" % (len(line), line)
            self.start_timer(client, IDLE_TIMEOUT)
            self.flush(client)
            if line == BYEBYE:
                self.end(client, "you said BYEBYE")

    def flush(self, client: Client) -> None:
        """Send what the kernel takes now, and wait for room while something is left."""
        with suppress(BlockingIOError):
            client.unsent = client.unsent[client.socket.send(client.unsent) :]
        event = selectors.EVENT_WRITE if client.unsent else selectors.EVENT_READ
        self.selector.modify(client.socket, event, partial(self.serve, client))
        # TODO 3: if the client is "ending" and nothing is left, shut down the sending side.

    def end(self, client: Client, why: str) -> None:
        """Say no more, and read until the client closes too, but not for ever."""
        # TODO 2: do not close() now. Say why it ends, as close() does, take the client out of
        # self.waiting, set its state to "ending", start its timer (CLOSE_TIMEOUT), and flush().
        self.close(client, why)

    def close(self, client: Client, why: str) -> None:
        """Forget a client, at once."""
        if client.state != "ending":
            print(client.name, "is over:", why, flush=True)
        client.state, client.deadline = "over", 0.0
        if client in self.waiting:
            self.waiting.remove(client)
        self.selector.unregister(client.socket)
        client.socket.close()

    def start_timer(self, client: Client, seconds: float) -> None:
        client.deadline = time.monotonic() + seconds
        heapq.heappush(self.heap, (client.deadline, id(client), client))

    def let_go(self) -> None:
        """End each conversation whose deadline has passed; close those that are ending."""
        # TODO 4: take the entries that are due from self.heap. An entry whose time is not the
        # client's deadline is stale: the timer was started again, or cancelled.


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
