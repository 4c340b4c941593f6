"""The servers that turnchat is compared with: echoes on the same wire, each library's usual way.

python -m tests.bench.rivals NAME [CERTIFICATE]

With a file that has a certificate and its key, the protocols of asyncio and uvloop speak TLS.

All check what turnchat checks, by the same Conversation, so that what differs is the loop and the
sockets. None has deadlines or limits, which turnchat has.
"""

import asyncio
import resource
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from typing import cast

from turnchat.core.conversation import OURS, OVER, THEIRS, Conversation
from turnchat.core.frame import FRAME_LIMIT

READ_SIZE = FRAME_LIMIT + 1
BACKLOG = 4096
CERTIFICATE = sys.argv[2] if len(sys.argv) == 3 else None
STACK = 64 * 1024  # bytes; the least there is


def answer(conversation: Conversation, data: bytes) -> bytes:
    """Return the bytes to send after `data` has come."""
    event = conversation.receive(data)
    if conversation.turn is OURS and isinstance(event, bytes):
        return conversation.send(event)
    return b""


def listening_socket() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    print("listening on port", listening.getsockname()[1], flush=True)
    return listening


class Protocol(asyncio.Protocol):
    """One connection of asyncio's, by callbacks. asyncio sets TCP_NODELAY itself."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one without being one
        self.conversation = Conversation(THEIRS)

    def data_received(self, data: bytes) -> None:
        if frame := answer(self.conversation, data):
            self.transport.write(frame)
        if self.conversation.turn is OVER:
            self.transport.close()


async def serve_by_protocol() -> None:
    context = None
    if CERTIFICATE:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
    server = await asyncio.get_running_loop().create_server(
        Protocol, sock=listening_socket(), backlog=BACKLOG, ssl=context
    )
    await server.serve_forever()


async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    conversation = Conversation(THEIRS)
    while data := await reader.read(READ_SIZE):
        if frame := answer(conversation, data):
            writer.write(frame)
            await writer.drain()
        if conversation.turn is OVER:
            break
    writer.close()


async def serve_by_streams() -> None:
    server = await asyncio.start_server(stream, sock=listening_socket(), backlog=BACKLOG)
    await server.serve_forever()


def talk(connected: socket.socket, _address: object) -> None:
    """One connection, in a thread or a greenlet of its own."""
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conversation = Conversation(THEIRS)
    with connected:
        while data := connected.recv(READ_SIZE):
            if frame := answer(conversation, data):
                connected.sendall(frame)
            if conversation.turn is OVER:
                return


def serve_by_threads() -> None:
    threading.stack_size(STACK)
    listening = listening_socket()
    while True:
        threading.Thread(target=talk, args=listening.accept(), daemon=True).start()


def serve_by_gevent() -> None:
    from gevent.server import StreamServer
    from gevent.socket import socket as GeventSocket  # noqa: N812 - it is a class

    listening = listening_socket()
    StreamServer(GeventSocket(fileno=listening.detach()), talk).serve_forever()


def by_asyncio() -> None:
    asyncio.run(serve_by_protocol())


def by_asyncio_streams() -> None:
    asyncio.run(serve_by_streams())


def by_uvloop() -> None:
    import uvloop

    uvloop.run(serve_by_protocol())


def by_uvloop_streams() -> None:
    import uvloop

    uvloop.run(serve_by_streams())


PEERS: dict[str, Callable[[], None]] = {
    "uvloop-protocol": by_uvloop,
    "uvloop-streams": by_uvloop_streams,
    "asyncio-protocol": by_asyncio,
    "asyncio-streams": by_asyncio_streams,
    "gevent": serve_by_gevent,
    "threads": serve_by_threads,
}


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    PEERS[sys.argv[1]]()
