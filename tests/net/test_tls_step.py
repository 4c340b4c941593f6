"""The TLS handshake of a newcomer: to its end, or to a sentence that says what to do."""

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.support import Clock, run_rounds, run_until, tcp_pair, wait_until
from tests.support.rehearsal import Rehearsal
from tests.support.tls import (
    HOST,
    V12,
    V13,
    VERSIONS,
    End,
    certificate,
    client_context,
    pending,
    server_context,
)
from turnchat.core.loop import EventLoop
from turnchat.net.newcomer import HandshakeError, HungUp

Change = Callable[[ssl.SSLContext], object]


class Scene:
    """A server and a client, each of which may be left out."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.loop = EventLoop(Rehearsal(self.clock), self.clock)
        self.here, self.there = tcp_pair()

    def serves(self, made: ssl.SSLContext | None = None, seconds: float = 1e6) -> End:
        end = End(self.loop, self.here, made or server_context(), seconds=seconds)
        end.start()
        return end

    def calls(self, made: ssl.SSLContext | None = None, name: str = HOST) -> End:
        end = End(self.loop, self.there, made or client_context(), name=name)
        end.start()
        return end

    def decide(self, *ends: End) -> list[str]:
        """Let them shake hands, and return their errors."""
        run_until(self.loop, lambda: all(end.is_decided for end in ends))
        return [str(end.error) if end.error else "" for end in ends]

    def close(self) -> None:
        self.loop.close()
        self.here.close()
        self.there.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_handshake_gives_both_a_stream(scene: Scene, version: ssl.TLSVersion) -> None:
    server, client = scene.serves(server_context(version)), scene.calls()
    assert scene.decide(server, client) == ["", ""]
    for end in (server, client):
        assert end.stream is end.newcomer.watcher
        assert end.newcomer.watcher.is_layered
        assert end.newcomer.peer_name == ""


def test_a_peers_first_message_may_come_with_the_end_of_its_handshake(scene: Scene) -> None:
    class Held:
        """Gives nothing while it is held."""

        is_held = False

        def recv(self, size: int) -> bytes:
            if self.is_held:
                raise BlockingIOError
            return scene.here.recv(size)

        send, shutdown, close = scene.here.send, scene.here.shutdown, scene.here.close

    held = Held()
    server = End(scene.loop, scene.here, server_context(), raw=held)
    server.start()
    client = scene.calls()
    while not pending(scene.there):
        run_rounds(scene.loop)
    held.is_held = True
    assert scene.decide(client) == [""]
    assert client.stream
    client.stream.send(b"005hello")
    held.is_held = False
    assert scene.decide(server) == [""]
    stream = server.stream
    assert stream
    heard: list[bytes] = []
    stream.when_readable(lambda: heard.append(stream.recv(99)))
    run_until(scene.loop, lambda: heard)
    assert heard == [b"005hello"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_common_name_of_a_client_is_known_afterwards(
    scene: Scene, version: ssl.TLSVersion
) -> None:
    made = client_context(version)
    certificate("ann@chat.example", common_name="Ann").configure_cert(made)
    server, client = scene.serves(server_context(wants_client=True)), scene.calls(made)
    assert scene.decide(server, client) == ["", ""]
    assert server.newcomer.peer_name == "Ann"


def test_a_handshake_whose_pieces_wait_for_room_goes_on(scene: Scene) -> None:
    class OneByte:
        """Takes one byte, then nothing."""

        count = 0

        def send(self, data: bytes) -> int:
            self.count += 1
            if self.count % 2:
                raise BlockingIOError
            return scene.here.send(data[:1])

        recv, shutdown, close = scene.here.recv, scene.here.shutdown, scene.here.close

    server = End(scene.loop, scene.here, server_context(), raw=OneByte())
    server.start()
    assert scene.decide(server, scene.calls()) == ["", ""]


# Failures


def refused(scene: Scene, server: ssl.SSLContext, client: ssl.SSLContext) -> list[str]:
    return scene.decide(scene.serves(server), scene.calls(client))


def test_an_expired_certificate(scene: Scene) -> None:
    made = server_context()
    certificate(HOST, is_expired=True).configure_cert(made)
    assert refused(scene, made, client_context()) == [
        "it found this server's certificate expired: get a new one, or check its clock",
        "its certificate has expired: it needs a new one, if the clock here is right",
    ]


def test_a_wrong_name(scene: Scene) -> None:
    server, client = scene.serves(), scene.calls(name="other.example")
    assert scene.decide(server, client) == [
        "it did not accept this server's certificate: a name may be missing in it",
        "its certificate is not for other.example: give a name that it has by --tls-name",
    ]


def test_a_wrong_address(scene: Scene) -> None:
    assert scene.decide(scene.serves(), scene.calls(name="127.0.0.2"))[1] == (
        "its certificate is not for 127.0.0.2: give a name that it has by --tls-name"
    )


def test_an_authority_that_is_not_known(scene: Scene) -> None:
    made = server_context()
    certificate(HOST, of="another authority").configure_cert(made)
    assert refused(scene, made, client_context()) == [
        "it does not know the authority of this server's certificate: it needs --tls-ca",
        "its certificate is from no authority known here: give the authority's by --tls-ca FILE",
    ]


def test_a_client_without_a_certificate_of_tls_12(scene: Scene) -> None:
    assert refused(scene, server_context(V12, wants_client=True), client_context()) == [
        "it has shown no certificate: it needs --tls-cert",
        "it refused the TLS handshake: it may want a certificate, by --tls-cert FILE",
    ]


def test_a_client_without_a_certificate_of_tls_13(scene: Scene) -> None:
    server = scene.serves(server_context(V13, wants_client=True))
    client = scene.calls()
    assert scene.decide(server, client) == ["it has shown no certificate: it needs --tls-cert", ""]
    stream = client.stream
    assert stream
    wait_until(lambda: pending(scene.there))
    with pytest.raises(HandshakeError, match="it wants a certificate of the client: give one by"):
        stream.recv(9)


def test_a_clients_certificate_of_an_unknown_authority(scene: Scene) -> None:
    made = client_context()
    certificate("ann@chat.example", of="another authority").configure_cert(made)
    server, client = scene.serves(server_context(wants_client=True)), scene.calls(made)
    assert scene.decide(server, client)[0] == (
        "its certificate is from no authority of --tls-client-ca"
    )
    stream = client.stream
    assert stream
    wait_until(lambda: pending(scene.there))
    with pytest.raises(HandshakeError, match="does not know the authority of the client's"):
        stream.recv(9)


def test_no_version_in_common(scene: Scene) -> None:
    sentence = "it has no version of TLS in common with this side, which takes 1.2 and 1.3"
    assert refused(scene, server_context(V13), client_context(V12)) == [sentence, sentence]


@pytest.mark.parametrize("said", [b"005hello", b"0", b"GET / HTTP/1.1\r\n"])
def test_a_client_without_tls_is_refused_at_its_first_byte(scene: Scene, said: bytes) -> None:
    server = scene.serves()
    scene.there.send(said)
    assert scene.decide(server) == ["it speaks no TLS: a turnchat-client needs --tls here"]
    wait_until(lambda: pending(scene.there))
    assert scene.there.recv(99) == b"\x15\x03\x03\0\x02\x02\x0a"  # an alert, unexpected_message


def test_a_client_that_says_nothing_is_told_that_this_is_tls(scene: Scene) -> None:
    server = scene.serves(seconds=7)
    assert scene.decide(server) == ["the TLS handshake was not complete after 7 s"]
    wait_until(lambda: pending(scene.there))
    assert scene.there.recv(99) == b"\x15\x03\x03\0\x02\x02\x0a"


def test_a_server_without_tls_is_refused_at_its_first_byte(scene: Scene) -> None:
    client = scene.calls()
    scene.here.send(b"220 mail.example\r\n")
    assert scene.decide(client) == [
        "it speaks no TLS: check the port; without --tls all would be sent in the clear"
    ]


def test_a_client_that_comes_and_goes_is_a_health_check(scene: Scene) -> None:
    server = scene.serves()
    scene.there.close()
    scene.decide(server)
    assert isinstance(server.error, HungUp)
    assert server.is_closed


def test_a_server_that_closes_at_the_first_byte_may_speak_no_tls(scene: Scene) -> None:
    client = scene.calls()
    scene.here.shutdown(socket.SHUT_WR)
    assert scene.decide(client) == [
        "it closed the connection at the TLS handshake: check the port, and that a server runs"
    ]


def test_a_peer_that_closes_amid_the_handshake(scene: Scene) -> None:
    server = scene.serves()
    scene.there.send(b"\x16\x03\x01")
    scene.there.shutdown(socket.SHUT_WR)
    assert scene.decide(server) == ["it closed the connection amid the TLS handshake"]
    assert not isinstance(server.error, HungUp)


def test_a_reset_amid_the_handshake(scene: Scene) -> None:
    server = scene.serves()
    scene.there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    scene.there.close()
    scene.decide(server)
    assert isinstance(server.error, ConnectionResetError)


def test_a_handshake_has_its_deadline(scene: Scene) -> None:
    server = scene.serves(seconds=7)
    scene.there.send(b"\x16\x03\x01")
    run_rounds(scene.loop, 3)
    assert not server.error
    scene.clock.now += 7
    assert scene.decide(server) == ["the TLS handshake was not complete after 7 s"]


def test_a_broken_record_is_worded_with_openssls_words(scene: Scene) -> None:
    server = scene.serves()
    scene.there.send(b"\x16\x03\x01\0\x05\x63\0\0\1\0")
    assert scene.decide(server) == ["TLS failed: unexpected message"]


def test_the_reason_arrives_before_the_connection_closes(scene: Scene) -> None:
    server = scene.serves()
    scene.there.send(b"\x16\x03\x01\0\x05\x63\0\0\1\0" + bytes(3000))
    scene.decide(server)
    run_until(scene.loop, lambda: pending(scene.there))
    assert scene.there.recv(2) == b"\x15\x03"  # an alert
