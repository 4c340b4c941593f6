"""Plain sockets that speak the wire, or break it."""

import socket
from contextlib import suppress
from typing import Self

from tests.support.clock import PATIENCE


class Peer:
    """A plain blocking socket that speaks the wire, or breaks it."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(PATIENCE)

    @classmethod
    def to(cls, address: str) -> Self:
        """Connect to HOST:PORT or unix:PATH."""
        if address.startswith("unix:"):
            connected = socket.socket(socket.AF_UNIX)
            connected.connect(address.removeprefix("unix:"))
            return cls(connected)
        host, _, port = address.rpartition(":")
        return cls(socket.create_connection((host.strip("[]"), int(port))))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, text: str) -> None:
        body = text.encode()
        self.send(b"%03d%b" % (len(body), body))

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes, or fewer if the stream ends before."""
        data = b""
        while len(data) < size and (piece := self.socket.recv(size - len(data))):
            data += piece
        return data

    def hear(self) -> str:
        """One message, or an empty string at the end of the stream."""
        header = self.receive(3)
        return self.receive(int(header)).decode() if header else ""

    def hears_the_end(self) -> bool:
        """True if the stream ends here with EOF; a reset raises."""
        return self.socket.recv(1) == b""

    def reset(self) -> None:
        """End with a reset (RST) and not with FIN: SO_LINGER with no time."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


class Answering:
    """A listening socket for one client."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"

    def accept(self) -> Peer:
        self.listening.settimeout(PATIENCE)
        peer = Peer(self.listening.accept()[0])
        self.listening.close()
        return peer


def fill(sender: socket.socket) -> int:
    """Send until the kernel takes no more, and count the bytes that it took."""
    sent = 0
    with suppress(BlockingIOError):
        while True:
            sent += sender.send(bytes(4096))
    return sent


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection: unlike a socket pair it knows resets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = socket.create_connection(listening.getsockname())
        return listening.accept()[0], there
