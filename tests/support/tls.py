"""Certificates for tests, and two ends of TLS."""

import socket
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tests.support import CLIENT, Clock, run_until, tcp_pair, wait_until
from tests.support.process import run
from tests.support.rehearsal import Rehearsal
from turnchat.core.connection import Stream
from turnchat.core.loop import FOREVER, EventLoop
from turnchat.net.address import Endpoint
from turnchat.net.newcomer import Newcomer
from turnchat.net.tls import Handshakes, TLSStream

HOST = "chat.example"
KNOWN = "an authority"  # to both sides, if nothing else is said
V12, V13 = VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@cache
def authority(name: str) -> trustme.CA:
    """An authority that signs certificates; each name has one."""
    return trustme.CA(organization_name=name)


@cache
def certificate(
    *names: str, common_name: str | None = None, of: str = KNOWN, is_expired: bool = False
) -> trustme.LeafCert:
    until = datetime.now(UTC) - timedelta(days=1) if is_expired else None
    return authority(of).issue_cert(
        *names,
        common_name=common_name,
        not_before=until and until - timedelta(days=1),
        not_after=until,
    )


def context(
    protocol: int, version: ssl.TLSVersion | None = None, *, wants_client: bool = False
) -> ssl.SSLContext:
    """A context of one side, which trusts the authority; `version`: the only one."""
    made = ssl.SSLContext(protocol)
    if version:
        made.minimum_version = made.maximum_version = version
    authority(KNOWN).configure_trust(made)
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        certificate(HOST, "127.0.0.1", "localhost").configure_cert(made)
        if wants_client:
            made.verify_mode = ssl.CERT_REQUIRED
    return made


def server_context(
    version: ssl.TLSVersion | None = None, *, wants_client: bool = False
) -> ssl.SSLContext:
    return context(ssl.PROTOCOL_TLS_SERVER, version, wants_client=wants_client)


def client_context(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    return context(ssl.PROTOCOL_TLS_CLIENT, version)


MakeRaw = Callable[[socket.socket], Stream]


class End:
    """One end of a connection that takes its handshake: `stream` is there when it is done."""

    def __init__(
        self,
        loop: EventLoop,
        connected: socket.socket,
        made: ssl.SSLContext,
        *,
        name: str | None = None,
        raw: Stream | None = None,
        seconds: float = FOREVER,
    ) -> None:
        """`name`: a client's, for the server. `raw`: the stream to use instead of the socket."""
        connected.setblocking(False)
        self.error: Exception | None = None
        self.is_closed = False
        self.tls: ssl.SSLObject
        self.handshakes = Handshakes(loop, made, seconds, name, self._keep)
        endpoint = Endpoint(socket.AF_INET, ("192.0.2.1", 4000))
        watcher = loop.watcher(connected, "client" if name else "server")
        self.newcomer = Newcomer(loop, raw or connected, watcher, endpoint, self)

    def _keep(self, tls: ssl.SSLObject, _connected: socket.socket) -> ssl.SSLObject:
        self.tls = tls
        return tls

    def start(self) -> None:
        self.newcomer.start([self.handshakes])

    @property
    def stream(self) -> TLSStream | None:
        stream = self.newcomer.stream
        return stream if isinstance(stream, TLSStream) else None

    @property
    def is_decided(self) -> bool:
        return bool(self.stream or self.error)

    def on_ready(self, newcomer: Newcomer) -> None:
        newcomer.watcher.unregister()

    def on_failure(self, _newcomer: Newcomer, error: Exception) -> None:
        self.error = error

    def on_close(self, _newcomer: Newcomer) -> None:
        self.is_closed = True


class Ends:
    """A server's end and a client's end after the handshake, in one loop."""

    def __init__(self, version: ssl.TLSVersion = V13, raw: MakeRaw | None = None) -> None:
        """`raw`: makes the streams to use instead of the sockets."""
        self.clock = Clock()
        self.loop = EventLoop(Rehearsal(self.clock), self.clock)
        self.here, self.there = tcp_pair()
        raws = (raw(self.here), raw(self.there)) if raw else (None, None)
        self.ends = (
            End(self.loop, self.here, server_context(version), raw=raws[0]),
            End(self.loop, self.there, client_context(version), name=HOST, raw=raws[1]),
        )
        for end in self.ends:
            end.start()
        run_until(self.loop, lambda: all(end.is_decided for end in self.ends))
        assert [end.error for end in self.ends] == [None, None]
        server, client = (end.stream for end in self.ends)
        assert server
        assert client
        self.server, self.client = server, client
        self.errors: list[Exception] = []
        server.on_error = client.on_error = self.errors.append
        if version is V13 and not raw:  # its tickets come behind the handshake
            wait_until(lambda: pending(self.there))
            with suppress(BlockingIOError):
                client.recv(1)

    def close(self) -> None:
        self.loop.close()
        self.here.close()
        self.there.close()


def pending(connected: socket.socket) -> bool:
    try:
        return bool(connected.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


class Reader:
    """Reads so many bytes at each call."""

    def __init__(self, stream: TLSStream, size: int = 100) -> None:
        self.stream, self.size = stream, size
        self.data, self.calls, self.has_ended = b"", 0, False
        stream.when_readable(self.read)

    def read(self) -> None:
        self.calls += 1
        try:
            data = self.stream.recv(self.size)
        except BlockingIOError:
            return
        self.data += data
        if not data:
            self.has_ended = True
            self.stream.unregister()


class Writer:
    """Writes pieces, each repeated until it is out."""

    def __init__(self, stream: TLSStream, pieces: list[bytes], then: Callable[[], object]) -> None:
        self.stream, self.pieces, self.then = stream, pieces, then
        stream.when_writable(self.write)

    def write(self) -> None:
        if not self.pieces:
            self.then()
            return
        try:
            sent = self.stream.send(self.pieces[0])
        except BlockingIOError:
            return
        self.pieces[0] = self.pieces[0][sent:]
        if not self.pieces[0]:
            del self.pieces[0]


class Files:
    """Certificates and keys in files, each made when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def ca(self, name: str = KNOWN) -> str:
        """The certificate of an authority."""
        return self.write(f"{name}.pem".replace(" ", "-"), authority(name).cert_pem.bytes())

    def server(self, *names: str, of: str = KNOWN, is_expired: bool = False) -> str:
        """The certificate and the key of a server, in one file."""
        made = certificate(*(names or ("127.0.0.1",)), of=of, is_expired=is_expired)
        return self.write("server.pem", made.private_key_and_cert_chain_pem.bytes())

    def client(self, common_name: str, of: str = KNOWN) -> str:
        """The certificate and the key of a client, in one file."""
        made = certificate("ann@chat.example", common_name=common_name, of=of)
        return self.write("client.pem", made.private_key_and_cert_chain_pem.bytes())

    def stranger(self, common_name: str) -> str:
        """The same, with a name that no decent authority would sign: trustme makes none of it."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "strangers")]
        if common_name:
            kind = NameOID.COMMON_NAME
            with warnings.catch_warnings(action="ignore"):
                attributes.append(x509.NameAttribute(kind, common_name, _validate=False))
        now = datetime.now(UTC)
        issuer = x509.load_pem_x509_certificate(authority(KNOWN).cert_pem.bytes())
        signer = load_pem_private_key(authority(KNOWN).private_key_pem.bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(attributes))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(identifier, critical=False)
            .sign(signer, hashes.SHA256())
        )
        encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.write("client.pem", encoded + made.public_bytes(Encoding.PEM))


def encrypted(of: trustme.CA) -> bytes:
    """The key of an authority, with a pass phrase."""
    key = load_pem_private_key(of.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def say_over_tls(*options: str, text: str = "hello\n") -> tuple[int, list[str], list[str]]:
    """Run a client that says a line over TLS: its status and the lines of both outputs."""
    status, out, err = run(CLIENT, "--tls", *options, stdin=text)
    return status, out.splitlines(), err.splitlines()
