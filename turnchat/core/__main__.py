"""The whole chat with nothing but core.

usage: python3 -m turnchat.core server|client [PORT]

Each line of standard input answers the message that has waited longest. Its end says BYEBYE.
"""

import socket
import sys
from collections import deque

from turnchat.core.connection import CloseReason, Connection, Label, Timeouts
from turnchat.core.conversation import OURS, THEIRS, Conversation, Turn
from turnchat.core.frame import BODY_LIMIT
from turnchat.core.lines import LineReader
from turnchat.core.listener import Listener, make_ready
from turnchat.core.loop import EventLoop


class Chat:
    """Any number of conversations, and one keyboard, pipe or file that answers them."""

    def __init__(self) -> None:
        self.loop = EventLoop()
        stdin = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - it stays open
        self.lines = LineReader(self.loop, stdin, "stdin", self.send_lines)
        self.listener: Listener | None = None
        self.connections: set[Connection] = set()
        self.waiting: deque[Connection] = deque()  # for a line, the longest first

    def accept(self, connected: socket.socket, address: tuple[str, int]) -> None:
        self.begin(connected, THEIRS, f"client {address[1]}")

    def begin(self, connected: socket.socket, first: Turn, name: str) -> None:
        watcher, conversation = self.loop.watcher(connected, name), Conversation(first)
        connection = Connection(
            self.loop, connected, watcher, conversation, self,
            label=Label(name), timeouts=Timeouts(idle=600.0, frame=10.0),
        )  # fmt: skip
        self.connections.add(connection)
        connection.start(Session(self, connection))

    def send_lines(self) -> None:
        while self.waiting and (line := self.lines.take()):
            if line.size > BODY_LIMIT:
                show(f"* not sent: the line has {line.size} bytes, {BODY_LIMIT} is the most")
            else:
                self.waiting.popleft().send(line.text)
        if self.lines.is_exhausted:
            if self.listener:
                self.listener.close()
            self.listener = None
            for connection in self.connections:
                connection.leave()

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        if connection in self.waiting:
            self.waiting.remove(connection)
        connection.responder.on_end(reason)
        show(f"* {connection.label.name}: {reason.cause} {reason.error or ''}")

    def on_close(self, connection: Connection) -> None:
        self.connections.remove(connection)

    def on_error(self, _connection: Connection, error: Exception) -> None:
        raise error


class Session:
    """One conversation's responder: shows its messages, and queues it for a line."""

    is_automatic = False

    def __init__(self, chat: Chat, connection: Connection) -> None:
        self.chat, self.connection = chat, connection

    def on_turn(self) -> None:
        self.chat.waiting.append(self.connection)
        self.chat.send_lines()

    def on_message(self, body: bytes) -> None:
        show(f"{self.connection.label.name}> {body.decode(errors='backslashreplace')}")
        if self.connection.is_open:
            self.on_turn()

    def on_end(self, reason: CloseReason) -> None: ...


def show(text: str) -> None:
    """Print a line; a peer's control characters become escapes. This blocks if nothing reads."""
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text), flush=True)


def main(role: str, port: str = "2322") -> None:
    """Serve, or talk with a server, on 127.0.0.1."""
    chat, address = Chat(), ("127.0.0.1", int(port))
    if role == "server":
        listening = socket.create_server(address)
        listening.setblocking(False)
        chat.listener = Listener(chat.loop, listening, chat.accept)
        show(f"* listening on 127.0.0.1:{listening.getsockname()[1]}")
    else:
        connected = socket.create_connection(address)  # blocks, before the loop runs
        make_ready(connected, connected.family)
        chat.begin(connected, OURS, "server")
    chat.lines.start()
    while chat.listener or chat.connections:
        chat.loop.run_once()


if __name__ == "__main__":
    if sys.argv[1:2] not in (["server"], ["client"]) or len(sys.argv) > 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
