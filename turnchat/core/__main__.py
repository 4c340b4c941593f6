"""The whole chat with nothing but core: python3 -m turnchat.core server|client [PORT].

Each line of standard input answers the message that has waited longest. Its end says BYEBYE.
"""

import socket
import sys
from collections import deque

from turnchat.core.connection import Cause, CloseReason, Connection, Label, Timeouts
from turnchat.core.conversation import OURS, THEIRS, Conversation, Turn
from turnchat.core.frame import BODY_LIMIT
from turnchat.core.lines import LineReader
from turnchat.core.listener import Listener, make_ready
from turnchat.core.loop import EventLoop


class Chat:
    """Any number of conversations, and one keyboard, pipe or file that answers them."""

    def __init__(self) -> None:
        stdin = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - it stays open
        self.loop = EventLoop()
        self.soon = self.loop.timer("lines", self.send_lines)
        self.lines = LineReader(self.loop, stdin, "stdin", lambda: self.soon.start(0))
        self.listener: Listener | None = None
        self.connections: set[Connection] = set()
        self.waiting: deque[Connection] = deque()  # for a line, the longest first
        self.is_well = True

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
        """Send a line in each conversation that waits, at the end of a round."""
        self.waiting = deque(connection for connection in self.waiting if connection.is_open)
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
        connection.responder.on_end(reason)
        show(f"* {connection.label.name}: {reason.cause} {reason.error or ''}".rstrip())
        self.is_well = reason.cause in (Cause.BYEBYE_RECEIVED, Cause.BYEBYE_SENT)

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
        self.chat.soon.start(0)

    def on_message(self, body: bytes) -> None:
        show(f"{self.connection.label.name}> {body.decode(errors='backslashreplace')}")
        self.on_turn()

    def on_end(self, reason: CloseReason) -> None: ...


def show(text: str) -> None:
    """Print a line; a peer's control characters become escapes. This blocks if nothing reads."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()


def main(role: str, port: int) -> bool:
    """Serve, or talk with a server, on 127.0.0.1. Return True if all went well."""
    chat, address = Chat(), ("127.0.0.1", port)
    if role == "server":
        listening = socket.create_server(address)
        chat.listener = Listener(chat.loop, listening, chat.accept)
        show(f"* listening on 127.0.0.1:{listening.getsockname()[1]}")
    else:
        connected = socket.create_connection(address)  # blocks, before the loop runs
        make_ready(connected)
        chat.begin(connected, OURS, "server")
    chat.lines.start()
    while chat.listener or chat.connections:
        chat.loop.run_once()
    return (role == "server" or chat.is_well) and not chat.lines.error


if __name__ == "__main__":
    role, port = sys.argv[1:] if len(sys.argv) == 3 else ("".join(sys.argv[1:]), "2322")
    if role not in ("server", "client") or not port.isdecimal():
        sys.exit(__doc__)
    try:
        sys.exit(not main(role, int(port)))
    except (OSError, OverflowError) as error:
        sys.exit(f"{role}: cannot use 127.0.0.1:{port}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
