"""Recorded conversations over TLS, or without: both ends in memory, so that nothing waits."""

import ssl
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any, cast

import trustme

from tests.support import Clock
from tests.support.recording import recording_of
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.format import Event, Recording
from turnchat.trace.wrappers.sockets import Socket

V12, V13 = VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SERVER, CLIENT = ("192.0.2.1", 2322), ("192.0.2.2", 40000)
HOST = "chat.example"
CHUNK = 1 << 14


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def context(side: str, version: ssl.TLSVersion, *, is_trusting: bool = True) -> ssl.SSLContext:
    """A context of one side, for one version. Both have certificates; the server wants one."""
    is_server = side == "server"
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = version
    made.set_alpn_protocols(["turnchat/1"])
    if is_trusting:
        authority().configure_trust(made)
    if is_server:
        made.verify_mode = ssl.CERT_REQUIRED
        authority().issue_cert(HOST).configure_cert(made)
    else:
        authority().issue_cert(common_name="Ada\x1b[2J").configure_cert(made)
    return made


class Pipe:
    """One end of a connection in memory. room: the bytes that it still takes."""

    def __init__(self, own: tuple[str, int]) -> None:
        self.other = self
        self.room = 1 << 30
        self._own = own
        self.arrived = bytearray()
        self._is_open = True
        self.has_ended = False

    def send(self, data: bytes) -> int:
        taken = bytes(data[: self.room])
        if data and not taken:
            raise BlockingIOError
        self.room -= len(taken)
        self.other.arrived += taken
        return len(taken)

    def recv(self, size: int) -> bytes:
        if not self.arrived and not self.has_ended:
            raise BlockingIOError
        data = bytes(self.arrived[:size])
        del self.arrived[:size]
        return data

    def shutdown(self, _how: int) -> None:
        self.other.has_ended = True

    def close(self) -> None:
        self.shutdown(0)
        self._is_open = False

    def fileno(self) -> int:
        return 9 if self._is_open else -1

    def getsockname(self) -> tuple[str, int]:
        return self._own

    def connect(self, _address: object) -> None:
        pass

    def accept(self) -> tuple["Pipe", tuple[str, int]]:
        return self.other, CLIENT


class End:
    """One end of a conversation: over TLS after begin_tls(), else without."""

    def __init__(self, side: str, recorder: RecordingBackend, connected: Socket) -> None:
        self.side = side
        self.recorder = recorder
        self.connected = connected
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls: ssl.SSLObject | None = None
        self.is_done = False  # the handshake

    def begin_tls(self, made: ssl.SSLContext) -> None:
        is_server = self.side == "server"
        tls = made.wrap_bio(
            self.incoming, self.outgoing, is_server, server_hostname=None if is_server else HOST
        )
        self.tls = self.recorder.tls(tls, self.connected)

    def shake(self) -> None:
        """Take a step of the handshake."""
        assert self.tls
        self.fill()
        try:
            self.tls.do_handshake()
            self.is_done = True
        except ssl.SSLWantReadError:
            pass
        finally:
            self.flush()

    def fill(self) -> None:
        """Receive what is there, in one call."""
        with suppress(BlockingIOError):
            data = self.connected.recv(CHUNK)
            if data:
                self.incoming.write(data)
            else:
                self.incoming.write_eof()

    def flush(self) -> None:
        """Send what TLS has made."""
        if data := self.outgoing.read():
            self.connected.send(data)

    def say(self, data: bytes) -> None:
        if self.tls:
            self.tls.write(data)
            self.flush()
        else:
            self.connected.send(data)

    def hear(self, size: int = CHUNK) -> bytes:
        """Return what has come of the conversation, in calls of `size` bytes."""
        found = b""
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            if self.tls:
                self.fill()
            while data := self._read(size):
                found += data
        return found

    def _read(self, size: int) -> bytes:
        return self.tls.read(size) if self.tls else self.connected.recv(size)

    def end(self) -> None:
        """End the stream in good order."""
        if self.tls:
            with suppress(ssl.SSLWantReadError):
                self.tls.unwrap()
            self.flush()
        self.connected.shutdown(1)


class Talk:
    """A server and a client, both recorded on one clock."""

    def __init__(
        self, version: ssl.TLSVersion | None = V13, *, lengths_only: bool = False, header: str = ""
    ) -> None:
        """`version`: of TLS, or None without it. `header`: one that comes before all."""
        self.clock = Clock()
        self.events: dict[str, list[Event]] = {"server": [], "client": []}
        here, there = Pipe(SERVER), Pipe(CLIENT)
        here.other, there.other = there, here
        self.pipes = here, there
        makers = {side: self._recorder(side, lengths_only) for side in self.events}
        door = makers["server"].listener(_socket(there))
        calling = makers["client"].socket(_socket(there), "server")
        calling.connect(SERVER)
        accepted, _ = door.accept()
        self.server = End("server", makers["server"], accepted)
        self.client = End("client", makers["client"], calling)
        if header:
            there.send(header.encode())
            makers["server"].header_reader(accepted)(len(header))
        self._version = version
        if version:
            self.begin_tls()

    def begin_tls(self) -> None:
        assert self._version
        for end in self.ends:
            end.begin_tls(context(end.side, self._version))

    @property
    def ends(self) -> tuple[End, End]:
        return self.client, self.server

    def shake(self) -> "Talk":
        """Make the whole handshake."""
        while not all(end.is_done for end in self.ends):
            for end in self.ends:
                if not end.is_done:
                    end.shake()
        return self

    def talk(self, frames: Iterable[bytes], *, cut: int = CHUNK, size: int = CHUNK) -> "Talk":
        """Take turns, the client first: say each frame in pieces of `cut` bytes."""
        ends = list(self.ends)
        for frame in frames:
            for i in range(0, len(frame), cut):
                ends[0].say(frame[i : i + cut])
                ends[1].hear(size)
            ends.reverse()
        return self

    def end(self) -> "Talk":
        """Both ends end it in good order."""
        for end in (self.client, self.server, self.client):
            end.hear()
            if end.connected.fileno() >= 0:
                end.end()
        for end in self.ends:
            end.connected.close()
            end.recorder.log.emit({"t": None, "call": "end"})
        return self

    def recordings(self) -> list[Recording]:
        """Return those of the server and of the client."""
        return [recording_of(events) for events in self.events.values()]

    def _recorder(self, side: str, lengths_only: bool) -> RecordingBackend:
        def keep(event: Event) -> None:
            self.clock.now += 0.001
            self.events[side].append(event)

        return RecordingBackend(keep, clock=self.clock, lengths_only=lengths_only)


def _socket(pipe: Any) -> Socket:
    return cast(Socket, pipe)
