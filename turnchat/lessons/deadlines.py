"""Lesson 8: a server that needs no person. Each wait has a deadline, and each end is in good order.

    python3 -m turnchat.lessons.deadlines server [PORT [SECONDS]]

Mends: in short_writes a silent client stays for ever, and Ctrl-C cuts all conversations. Here a
client has SECONDS (60) to read and to speak, and after Ctrl-C it can still read what was said.

Teaches: a heap of timers, whose first bounds the sleep of select(). A signal is one more ready
file: Python writes its number to the wakeup descriptor. An end has three steps: shut down, read
until the client closes, close. Without the second, close() may destroy what is still on its way.

Limit: no keyboard, each message is its own answer. Each turn leaves an entry in the heap for
SECONDS. If accept() has no descriptor left, the server ends. turnchat.core lifts these limits.

Try this: start the server, call it from other terminals, and press Ctrl-C at the server.

    python3 -m turnchat.lessons.deadlines server 2322 5
    (printf 00; sleep 60) | nc 127.0.0.1 2322  # is let go after five seconds
    (printf 005hello; sleep 60) | nc 127.0.0.1 2322  # press Ctrl-C: it has two seconds to close

Predict: a client sends a byte of its message every second, and never ends. Is it let go?
"""

import heapq
import signal
import socket
import sys
import time
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

CLOSING = 2.0  # seconds for a client to read the last message, and to close


class EventLoop:
    """The files that are watched, the heap of timers, and the rounds."""

    def __init__(self, listening: socket.socket, seconds: float) -> None:
        self.listening, self.seconds, self.selector = listening, seconds, DefaultSelector()
        self.heap: list[tuple[float, int, Connection]] = []
        self.signals, self.wakeup = socket.socketpair()
        for one in (listening, self.signals, self.wakeup):
            one.setblocking(False)
        signal.set_wakeup_fd(self.wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, lambda *_: None)  # the loop does the work
        self.selector.register(self.signals, EVENT_READ, self.stop)
        self.selector.register(listening, EVENT_READ, self.accept)

    def run(self) -> None:
        print("listening on port", self.listening.getsockname()[1], flush=True)
        while self.selector.get_map():
            timeout = self.heap[0][0] - time.monotonic() if self.heap else None
            for key, _ in self.selector.select(timeout):
                key.data()
            while self.heap and self.heap[0][0] <= time.monotonic():
                when, _, connection = heapq.heappop(self.heap)
                if when == connection.when:  # else its timer was started again
                    connection.end("is let go")

    def accept(self) -> None:
        with suppress(BlockingIOError):  # readiness is a hint
            Connection(self, *self.listening.accept())

    def stop(self) -> None:
        self.selector.unregister(self.signals)
        self.selector.unregister(self.listening)
        for connection in {entry[2] for entry in self.heap if entry[2].is_open}:
            connection.start_timer(0.0)


class Connection:
    """One client: its socket, its two buffers, and the time of its timer."""

    def __init__(self, loop: EventLoop, connected: socket.socket, address: tuple[str, int]) -> None:
        self.loop, self.socket, self.name = loop, connected, f"client {address[1]}"
        self.received, self.unsent, self.is_open = b"", b"", True
        connected.setblocking(False)
        loop.selector.register(connected, EVENT_READ, self.on_ready)
        self.start_timer(loop.seconds)

    def start_timer(self, seconds: float) -> None:
        self.when = time.monotonic() + seconds
        heapq.heappush(self.loop.heap, (self.when, id(self), self))

    def on_ready(self) -> None:
        try:
            if self.unsent:
                self.flush()
            elif not (data := self.socket.recv(4096)):
                self.end("has hung up")
            elif self.is_open:  # else it is read to be dropped
                self.receive(data)
        except BlockingIOError:  # readiness is a hint
            pass
        except OSError as error:
            self.end(str(error))

    def receive(self, data: bytes) -> None:
        """Take in bytes. Show a message when it is whole, and send it back."""
        self.received += data
        header, body = self.received[:3], self.received[3:]
        size = int(header) if header.isdigit() else 999
        if size > 255 or len(body) > size:
            self.end(f"broke the protocol: {data[:9]!r}")
        elif len(header) == 3 and len(body) == size:
            text = body.decode(errors="backslashreplace")
            shown = (one if one.isprintable() else ascii(one)[1:-1] for one in text)
            print(f"{self.name}>", "".join(shown), flush=True)
            if body == b"BYEBYE":
                self.end("has left")
            else:
                self.received, self.unsent = b"", self.received
                self.start_timer(self.loop.seconds)
                self.flush()

    def flush(self) -> None:
        """Send what the kernel takes, and wait for room while bytes are left."""
        with suppress(BlockingIOError):  # EAGAIN: there is no room now
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        event = EVENT_WRITE if self.unsent else EVENT_READ
        self.loop.selector.modify(self.socket, event, self.on_ready)
        if not (self.unsent or self.is_open):
            self.socket.shutdown(socket.SHUT_WR)

    def end(self, why: str) -> None:
        """End the conversation in good order. If it has ended already, close."""
        if self.is_open:
            self.is_open = False
            print(self.name, why, flush=True)
            self.start_timer(CLOSING)
            with suppress(OSError):  # the connection is lost: recv() will tell
                self.flush()
        else:
            self.when = 0.0  # all entries are stale
            self.loop.selector.unregister(self.socket)
            self.socket.close()


if __name__ == "__main__":
    role, port, seconds = (*sys.argv[1:4], *("", "2322", "60")[len(sys.argv[1:4]) :])
    if role != "server":
        sys.exit("usage: python3 -m turnchat.lessons.deadlines server [PORT [SECONDS]]")
    try:
        with socket.create_server(("127.0.0.1", int(port))) as listening:
            EventLoop(listening, min(1e6, float(seconds))).run()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"deadlines: {error}")
    sys.exit(130)

# Answer: yes, SECONDS after its turn began. Its bytes do not start the timer again.
