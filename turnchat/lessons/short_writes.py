r"""Lesson 7: the chat with a write buffer for each client.

    python3 -m turnchat.lessons.short_writes server [PORT]

Mends: in many_clients one client that does not read stops all others, since sendall() waits for
room. Here the sockets do not block: send() takes what fits, and the rest stays in a buffer.

Teaches: a non-blocking call that would have to wait raises BlockingIOError (EAGAIN). While bytes
are left, the selector waits for room (EVENT_WRITE), and only then: a socket nearly always has room,
so the loop would spin. Meanwhile nothing is read, so each buffer holds one message at the most.

Limit: a client that says nothing stays for ever. Ctrl-C cuts all conversations, and what is unsent.

Try this: the nc that writes to /dev/full cannot, so it reads no more. See many_clients for it.

    (printf '%0250d\n' {1..99}; sleep 60) | python3 -m turnchat.lessons.short_writes server
    (for i in {1..40}; do printf 001x; sleep .1; done; sleep 60) | nc -I 1 127.0.0.1 2322 >/dev/full
    (printf 005hello; sleep 1) | nc -N 127.0.0.1 2322  # is answered, though the first does not read
    (printf 00; sleep 99) | nc 127.0.0.1 2322  # is there until it leaves, or you press Ctrl-C

Predict: leave EVENT_WRITE out, and wait for EVENT_READ alone. When is the unsent rest sent?
"""

import os
import signal
import socket
import sys
from collections import deque
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

PORT, HEADER, MOST, BYEBYE = 2322, 3, 255, b"BYEBYE"


class Connection:
    """One client: its socket, its read buffer and its write buffer."""

    def __init__(self, chat: "Chat", connected: socket.socket, address: tuple[str, int]) -> None:
        self.chat, self.socket, self.name = chat, connected, f"client {address[1]}"
        self.received, self.unsent, self.is_last = b"", b"", False
        connected.setblocking(False)
        chat.selector.register(connected, EVENT_READ, self.on_ready)

    def on_ready(self) -> None:
        try:
            if self.unsent:
                self.flush()
            elif data := self.socket.recv(4096):
                self.receive(data)
            else:
                self.close("has hung up")
        except BlockingIOError:  # EAGAIN: readiness is a hint
            pass
        except OSError as error:
            self.close(str(error))

    def receive(self, data: bytes) -> None:
        """Take in bytes of a message. When it is whole, show it, and wait for the answer."""
        self.received += data
        header, body = self.received[:HEADER], self.received[HEADER:]
        size = int(header) if header.isdigit() else 999
        if size > MOST or len(body) > size or self in self.chat.waiting:
            self.close(f"broke the protocol: {data[:9]!r}")
        elif len(header) == HEADER and len(body) == size:
            print(f"{self.name}> {shown(body)}", flush=True)
            self.received = b""
            if body == BYEBYE:
                self.close("has left")
            else:
                self.chat.waiting.append(self)

    def send(self, body: bytes) -> None:
        """Send a message, now or as soon as there is room."""
        print(f"you to {self.name}> {shown(body)}", flush=True)
        self.unsent, self.is_last = b"%03d%b" % (len(body), body), body == BYEBYE
        self.on_ready()

    def flush(self) -> None:
        """Send what fits, and wait for room while bytes are left."""
        with suppress(BlockingIOError):  # EAGAIN: nothing fits now
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        event = EVENT_WRITE if self.unsent else EVENT_READ
        self.chat.selector.modify(self.socket, event, self.on_ready)
        if self.is_last and not self.unsent:
            self.close("is gone")

    def close(self, why: str) -> None:
        print(self.name, why, flush=True)
        self.chat.selector.unregister(self.socket)
        self.socket.close()
        if self in self.chat.waiting:
            self.chat.waiting.remove(self)


class Chat:
    """The clients, the operator who answers them, and the loop."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening, self.selector = listening, DefaultSelector()
        self.waiting: deque[Connection] = deque()  # for an answer, the longest first
        self.typed, self.input_has_ended = b"", False
        listening.setblocking(False)
        self.selector.register(listening, EVENT_READ, self.accept)
        self.selector.register(sys.stdin, EVENT_READ, self.read)

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                key.data()
            self.answer()  # not before: it may close a client that was ready in this round

    def accept(self) -> None:
        with suppress(BlockingIOError):  # another process may have taken it
            Connection(self, *self.listening.accept())

    def read(self) -> None:
        data = os.read(0, 4096)  # readline() would hide further lines in its buffer
        self.typed += data
        if not data:
            self.selector.unregister(sys.stdin)  # its end stays readable for ever
            self.input_has_ended = True

    def answer(self) -> None:
        """Send a line to each client that waits; BYEBYE, when the input has ended."""
        while self.waiting and (b"\n" in self.typed or self.input_has_ended):
            line, newline, self.typed = self.typed.partition(b"\n")
            body = line[:MOST].decode(errors="ignore").encode()  # not more, and no half character
            self.waiting.popleft().send(body if line or newline else BYEBYE)


def shown(data: bytes) -> str:
    """Return the text of `data`, escaped: raw, a peer's control characters move the cursor."""
    text = data.decode(errors="backslashreplace")
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, here and now
    if sys.argv[1:2] != ["server"]:
        sys.exit("usage: python3 -m turnchat.lessons.short_writes server [PORT]")
    try:
        port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
        with socket.create_server(("127.0.0.1", port)) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least that there is
            print("listening on port", listening.getsockname()[1], flush=True)
            Chat(listening).run()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"short_writes: {error}")

# Answer: when its client sends something. But it waits for the rest of our message: a deadlock.
