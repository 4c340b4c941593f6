r"""Lesson 6: the chat with many clients, in one loop.

    python3 -m turnchat.lessons.many_clients server [PORT]

Mends: select_by_hand hears one client. Here the listening socket is one more file that select()
waits for, and so is each client. A typed line answers the client that has waited longest.

Teaches: what belongs to one client is in one object. Half a message waits in its read buffer, and
no other client waits for the rest. Beside each file, the selector keeps the method to call.

Limit: all sockets block, and sendall() is trusted. If a client does not read, it waits for room,
and all others wait, too. (The send buffer of the kernel is small here: about twenty messages fit.)

Try this: let a pipe give the answers, and call the server from other terminals. The nc that writes
to /dev/full cannot, and so it reads no more.

    (printf '%0250d\n' {1..99}; sleep 60) | python3 -m turnchat.lessons.many_clients server
    (printf 00; sleep 60) | nc 127.0.0.1 2322  # half a header
    (printf 005hello; sleep 1) | nc -N 127.0.0.1 2322  # is answered all the same
    (for i in {1..40}; do printf 001x; sleep .1; done; sleep 60) | nc -I 1 127.0.0.1 2322 >/dev/full
    (printf 005hello; sleep 1) | nc -N 127.0.0.1 2322  # is not heard, since that nc reads nothing

Predict: add connected.setblocking(False) to __init__(), and change nothing else. What becomes of
the client that does not read?
"""

import os
import selectors
import signal
import socket
import sys
from collections import deque

PORT, HEADER, MOST, BYEBYE = 2322, 3, 255, b"BYEBYE"


class Connection:
    """One client: its socket and its read buffer."""

    def __init__(self, chat: "Chat", connected: socket.socket, address: tuple[str, int]) -> None:
        self.chat, self.socket, self.name = chat, connected, f"client {address[1]}"
        self.received = b""
        chat.selector.register(connected, selectors.EVENT_READ, self.on_ready)

    def on_ready(self) -> None:
        """Read what is there: one recv() does not wait after select()."""
        try:
            data = self.socket.recv(4096)
        except OSError as error:
            self.close(str(error))
            return
        if data:
            self.receive(data)
        else:
            self.close("has hung up")

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
        """Send a message, and wait until the kernel has taken all of it."""
        print(f"you to {self.name}> {shown(body)}", flush=True)
        try:
            self.socket.sendall(b"%03d%b" % (len(body), body))
        except OSError as error:
            self.close(str(error))
        else:
            if body == BYEBYE:
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
        self.listening, self.selector = listening, selectors.DefaultSelector()
        self.waiting: deque[Connection] = deque()  # for an answer, the longest first
        self.typed, self.input_has_ended = b"", False
        self.selector.register(listening, selectors.EVENT_READ, self.accept)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.read)

    def run(self) -> None:
        """Serve the files that are ready, round after round."""
        while True:
            for key, _ in self.selector.select():
                key.data()
            self.answer()  # not before: it may close a client that was ready in this round

    def accept(self) -> None:
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
        sys.exit("usage: python3 -m turnchat.lessons.many_clients server [PORT]")
    try:
        port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
        with socket.create_server(("127.0.0.1", port)) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least that there is
            print("listening on port", listening.getsockname()[1], flush=True)
            Chat(listening).run()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"many_clients: {error}")

# Answer: sendall() sends what fits, and raises BlockingIOError, an OSError. So its connection is
# closed, perhaps after half a message, though it may only be slow; and all others are served.
