"""Chapter 8, Build: my own loop, and a server on it that passes every check.

    python3 turnchat/guide/exercises/loop.py 2322

Connection and Server are those of chapter 7, with methods as callbacks. What they stand on is
yours: a loop that knows nothing of a chat, and its timers. Look at turnchat/core/loop.py first.
"""

import heapq  # noqa: F401 - for yours
import selectors
import signal
import socket
import sys
import time  # noqa: F401 - for yours
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from os import read

HEADER = 3  # bytes
MOST = 255  # bytes of a body
BYEBYE = b"BYEBYE"
KEYBOARD = 0  # the descriptor of standard input
FRAME_TIMEOUT = 10.0  # seconds from the first byte of a message to its last
IDLE_TIMEOUT = 600.0  # seconds for a client to begin a message, and to read an answer
CLOSE_TIMEOUT = 2.0  # seconds for a client to read what was sent, and to close
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

File = int | socket.socket
Callback = Callable[[], object]


class Loop:
    """Watched files and timers, and the rounds that serve them. It knows nothing of a chat."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.heap: list[tuple[float, int, Timer]] = []
        self.callbacks: dict[object, Callback] = {}  # of the files that are watched

    def watch(self, file: File, event: int, callback: Callback) -> None:
        """Run the callback in each round in which the file is ready. A former one is replaced."""
        # TODO 1: keep the callback, and register the file, or modify() its event.
        raise NotImplementedError("TODO 1: watch a file")

    def forget(self, file: File) -> None:
        """Watch a file no more, not even in this round."""
        # TODO 2: the reverse. It may have been reported as ready in this very round.
        raise NotImplementedError("TODO 2: forget a file")

    def run_once(self) -> None:
        """Sleep until a file is ready or a timer is due, and run their callbacks."""
        # TODO 3: sleep no longer than to the first entry of the heap. Run the callbacks of ready
        # files that are still watched. Then run the timers that are due, and drop stale entries.
        raise NotImplementedError("TODO 3: one round")


class Timer:
    """A callback at a time to come. when: the time; 0 if it is not started."""

    def __init__(self, loop: Loop, callback: Callback) -> None:
        self.loop, self.callback, self.when = loop, callback, 0.0

    def start(self, seconds: float) -> None:
        """Run the callback in so many seconds, and at no other time."""
        # TODO 4: set self.when, and push an entry into the loop's heap. An earlier entry of this
        # timer stays there, stale.
        raise NotImplementedError("TODO 4: a timer")

    def cancel(self) -> None:
        self.when = 0.0  # the entry in the heap is stale now, and is dropped when it is due


class Connection:
    """One conversation. state: "theirs", "ours", "ending" or "over"."""

    def __init__(self, server: "Server", connected: socket.socket, name: str) -> None:
        self.server, self.socket, self.name, self.state = server, connected, name, "theirs"
        self.received = b""  # the beginning of a message whose rest has not come
        self.unsent = b""  # the rest of a frame that the kernel has not taken
        self.timer = Timer(server.loop, self.on_timer)
        connected.setblocking(False)
        server.loop.watch(connected, READ, self.on_readable)
        self.timer.start(IDLE_TIMEOUT)

    def on_readable(self) -> None:
        """Read once. Show the message if it is whole."""
        try:
            data = self.socket.recv(4096)
        except BlockingIOError:  # readiness is a hint
            return
        except OSError as error:
            self.close(str(error))
            return
        if not data:
            self.close("the stream ended inside a message" if self.received else "it hung up")
        elif self.state == "ours":
            self.end("it spoke out of turn")
        elif self.state == "theirs":  # else the conversation is over, and this is dropped
            if not self.received:
                self.timer.start(FRAME_TIMEOUT)
            self.received += data
            self.take_message()

    def take_message(self) -> None:
        try:
            body = parse(self.received)
        except ValueError as error:
            self.end(str(error))
            return
        if body is None:
            return
        rest, self.received = self.received[HEADER + len(body) :], b""
        self.timer.cancel()
        show(self.name, body)
        if body == BYEBYE:
            self.end("it said BYEBYE")
        elif rest:
            self.end("it spoke out of turn")
        else:
            self.state = "ours"
            self.server.waiting.append(self)

    def send(self, body: bytes) -> None:
        self.state = "theirs"
        self.unsent = b"%03d%b" % (len(body), body)
        self.timer.start(IDLE_TIMEOUT)
        self.flush()
        if body == BYEBYE:
            self.end("you said BYEBYE")

    def flush(self) -> None:
        """Send what the kernel takes now, and wait for room while something is left."""
        try:
            with suppress(BlockingIOError):
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
            if self.unsent:
                self.server.loop.watch(self.socket, WRITE, self.flush)
                return
            self.server.loop.watch(self.socket, READ, self.on_readable)
            if self.state == "ending":
                self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.close(str(error))

    def end(self, why: str) -> None:
        """Say no more, and read until the client closes too, but not for ever."""
        if self.state == "over":
            return
        print(self.name, "is over:", why, flush=True)
        self.state = "ending"
        if self in self.server.waiting:
            self.server.waiting.remove(self)
        self.timer.start(CLOSE_TIMEOUT)
        self.flush()

    def on_timer(self) -> None:
        if self.state == "theirs" and self.received:
            self.end("its message is not complete in time")
        elif self.state == "theirs":
            self.end("it did not speak or read in time")
        else:
            self.close("it did not close in time")

    def close(self, why: str) -> None:
        """Forget the client, at once."""
        if self.state != "ending":
            print(self.name, "is over:", why, flush=True)
        self.state = "over"
        if self in self.server.waiting:
            self.server.waiting.remove(self)
        self.timer.cancel()
        self.server.loop.forget(self.socket)
        self.socket.close()


class Server:
    """All conversations, and the person who answers them."""

    def __init__(self, listening: socket.socket) -> None:
        self.loop, self.listening = Loop(), listening
        self.waiting: deque[Connection] = deque()  # for an answer, the longest first
        self.typed = b""  # not taken yet
        self.accepted = 0
        listening.setblocking(False)
        self.loop.watch(listening, READ, self.accept)
        self.loop.watch(KEYBOARD, READ, self.read_keyboard)

    def run(self) -> None:
        while True:
            self.loop.run_once()
            self.answer()

    def accept(self) -> None:
        try:
            connected, _ = self.listening.accept()
        except BlockingIOError:  # readiness is a hint: another process may have taken it
            return
        self.accepted += 1
        Connection(self, connected, f"client {self.accepted}")

    def read_keyboard(self) -> None:
        data = read(KEYBOARD, 4096)  # readline() would hide lines in a buffer of its own
        self.typed += data
        if not data:
            self.loop.forget(KEYBOARD)  # its end would stay readable for ever

    def answer(self) -> None:
        """Send a typed line to each client that waits."""
        while self.waiting and b"\n" in self.typed:
            line, _, self.typed = self.typed.partition(b"\n")
            if len(line) > MOST:
                print(f"not sent: the line has {len(line)} bytes, {MOST} is the most", flush=True)
            else:
                self.waiting.popleft().send(line)


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
