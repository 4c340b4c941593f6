"""The step that reads a PROXY header: from whom, for how long, and not a byte too many."""

import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.headers import block, line
from tests.support.peer import Peer
from tests.support.visitors import Scene
from turnchat.chat.admission.limits import REPEAT, Limits
from turnchat.net.address import Endpoint
from turnchat.net.proxy import BadNetwork, ProxyStep, Trusted

HEADER = line("TCP4 192.0.2.1 192.0.2.2 4000 2322")
LOCAL = block(0x20, 0, b"")
NO_HEADER = "it has sent no PROXY header: does the balancer have send-proxy-v2?"
STRANGER = "it is none of the balancers of --proxy-from"


class Balanced(Scene):
    """A server behind a balancer. sizes: of the reads in front of the messages."""

    def __init__(self, trusted: str, limits: Limits, address: str) -> None:
        self.sizes: list[int] = []
        step = partial(ProxyStep, Trusted.parse(trusted), self.reader_of)
        super().__init__(limits, proxy=step, address=address)

    def reader_of(self, connected: socket.socket) -> Callable[[int], bytes]:
        def read(size: int) -> bytes:
            self.sizes.append(size)
            return connected.recv(size)

        return read

    def sends(self, *pieces: bytes) -> Peer:
        """Have a peer come and send these bytes, piece by piece."""
        peer = self.comes()
        for piece in pieces:
            peer.send(piece)
            self.passes(0.001)
        return peer


Balance = Callable[..., Balanced]


@pytest.fixture
def balance() -> Iterator[Balance]:
    scenes: list[Balanced] = []

    def made(
        trusted: str = "127.0.0.0/8,unix", address: str = "0", per_address: int | None = None
    ) -> Balanced:
        scenes.append(Balanced(trusted, Limits(per_address=per_address), address))
        return scenes[-1]

    yield made
    for scene in scenes:
        scene.close()


def hang_up(scene: Scene, peer: Peer) -> None:
    peer.close()
    scene.passes(0.001)


# The client behind the header


def test_the_conversation_begins_behind_the_header(balance: Balance) -> None:
    scene = balance()
    peer = scene.sends(HEADER + b"005hello")
    assert scene.hears(peer) == b"005hello"
    assert scene.log.lines[-1] == "client 1 connected from 192.0.2.1:4000"


@pytest.mark.parametrize("header", [HEADER, block(0x21, 0x11, bytes(12) + b"\x04\0\1x")])
def test_not_a_byte_behind_the_header_is_asked_for(balance: Balance, header: bytes) -> None:
    scene = balance()
    peer = scene.comes()
    before = sum(scene.sizes)  # found nothing yet
    peer.send(header + b"005hello")
    scene.passes(0.001)
    assert sum(scene.sizes) - before == len(header)
    assert scene.hears(peer) == b"005hello"


def test_a_header_may_come_byte_by_byte(balance: Balance) -> None:
    scene = balance()
    peer = scene.sends(*(bytes([one]) for one in HEADER + b"005hello"))
    assert scene.hears(peer) == b"005hello"
    assert scene.log.lines[-1] == "client 1 connected from 192.0.2.1:4000"


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n", block(0x21, 0, b"")])
def test_without_a_client_the_real_peer_counts(balance: Balance, header: bytes) -> None:
    scene = balance()
    peer = scene.sends(header + b"005hello")
    host, port = peer.socket.getsockname()
    assert scene.log.lines[-1] == f"client 1 connected from {host}:{port}"


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (line("TCP6 2001:db8::1 2001:db8::2 4000 2322"), "[2001:db8::1]:4000"),
        (block(0x21, 0x31, b"/run/\x1b[31m".ljust(216, b"\0")), "unix:/run/\x1b[31m"),
        (block(0x21, 0x31, b"/\xff\n".ljust(216, b"\0")), "unix:/\\xff\n"),
        (block(0x21, 0x31, b"\0at\n\0no".ljust(216, b"\0")), r"unix:@at\n\x00no"),
        (block(0x21, 0x31, bytes(216)), "unix:"),
    ],
)
def test_a_client_may_have_another_family_than_the_balancer(
    balance: Balance, header: bytes, peer: str
) -> None:
    scene = balance()
    scene.sends(header + b"005hello")
    assert scene.log.lines[-1] == f"client 1 connected from {peer}"


@pytest.mark.parametrize(
    "of",
    [
        ("TCP4 192.0.2.1 192.0.2.9 1 9", "TCP4 192.0.2.2 192.0.2.9 1 9", "192.0.2.1"),
        ("TCP6 2001:db8::1 :: 1 9", "TCP6 2001:db8:0:1::1 :: 1 9", "2001:db8::/64"),
        ("TCP6 ::ffff:192.0.2.1 :: 1 9", "TCP6 ::ffff:192.0.2.2 :: 1 9", "192.0.2.1"),
    ],
)
@pytest.mark.parametrize("kind", ["0", "unix:{}/chat.sock"])
def test_limits_are_by_the_host_of_the_client(
    balance: Balance, tmp_path: Path, of: tuple[str, str, str], kind: str
) -> None:
    scene = balance(address=kind.format(tmp_path), per_address=1)
    first, other, host = of
    one, same = (scene.sends(line(first) + b"005hello") for _ in range(2))
    third = scene.sends(line(other) + b"005hello")
    assert [scene.hears(peer) for peer in (one, third)] == [b"005hello"] * 2
    with pytest.raises(ConnectionResetError):  # its message was not read
        scene.hears(same)
    assert f"{host} has 1 conversation already: newcomers from there are refused" in scene.log.lines
    hang_up(scene, one)
    assert scene.hears(scene.sends(line(first) + b"005hello")) == b"005hello"


@pytest.mark.parametrize("kind", ["0", "unix:{}/chat.sock"])
def test_clients_that_came_to_a_unix_socket_of_the_balancer_are_one_host(
    balance: Balance, tmp_path: Path, kind: str
) -> None:
    scene = balance(address=kind.format(tmp_path), per_address=1)
    for name in (b"/one", b"/other"):
        scene.sends(block(0x21, 0x31, name.ljust(216, b"\0")) + b"005hello")
    assert "unix has 1 conversation already: newcomers from there are refused" in scene.log.lines


# Those who are refused


@pytest.mark.parametrize(
    ("trusted", "kind"), [("192.0.2.0/24,unix", "0"), ("127.0.0.0/8", "unix:{}/chat.sock")]
)
def test_a_peer_from_elsewhere_is_refused_unread(
    balance: Balance, tmp_path: Path, trusted: str, kind: str
) -> None:
    scene = balance(trusted, address=kind.format(tmp_path))
    peers = [scene.comes() for _ in range(3)]
    assert [scene.hears(peer) for peer in peers] == [b""] * 3
    assert (scene.sizes, scene.occupied) == ([], 0)
    refused = scene.log.lines[1:]
    assert len(refused) == 1
    assert refused[0].endswith(f" was refused: {STRANGER}")
    scene.passes(REPEAT)
    assert scene.log.lines[2:] == [f"2 more newcomers were refused: {STRANGER}"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"005hello", NO_HEADER),
        (b"0", NO_HEADER),
        (line("TCP4 192.0.2.1 192.0.2.2 4000 99999"), "its PROXY header is malformed"),
    ],
)
def test_who_sends_no_header_is_refused_at_once(balance: Balance, data: bytes, why: str) -> None:
    scene = balance()
    peer = scene.sends(data)
    host, port = peer.socket.getsockname()
    assert scene.log.lines[1:] == [f"{host}:{port} was refused: {why}"]
    assert scene.hears(peer) == b""
    hang_up(scene, peer)
    assert scene.occupied == 0


@pytest.mark.parametrize("part", [b"", HEADER[:20], LOCAL[:9]])
def test_a_header_has_five_seconds(balance: Balance, part: bytes) -> None:
    scene = balance()
    peer = scene.sends(part) if part else scene.comes()
    scene.passes(4.9)
    assert scene.log.lines[1:] == []
    scene.passes(0.1)
    assert [one.partition(": ")[2] for one in scene.log.lines[1:]] == [
        "the PROXY header was not complete after 5 s"
    ]
    assert scene.hears(peer) == b""


def test_half_a_header_is_told(balance: Balance) -> None:
    scene = balance()
    hang_up(scene, scene.sends(HEADER[:20]))
    assert [one.partition(": ")[2] for one in scene.log.lines[1:]] == [
        "it hung up before the end of its PROXY header"
    ]


@pytest.mark.parametrize("header", [b"", LOCAL, HEADER])
@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
def test_a_health_check_costs_no_line(
    balance: Balance, header: bytes, end: Callable[[Peer], None]
) -> None:
    scene = balance()
    end(scene.sends(header) if header else scene.comes())
    scene.passes(0.001)
    assert scene.log.lines[1:] == []
    assert scene.occupied == 0


# Networks


@pytest.mark.parametrize(
    ("networks", "inside", "outside"),
    [
        ("10.0.0.0/8", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.1", "::ffff:11.0.0.1", "::1"]),
        ("192.0.2.1,2001:db8::/32", ["192.0.2.1", "2001:db8:1::"], ["192.0.2.2", "2001:db9::"]),
        ("::ffff:10.0.0.0/104", ["::ffff:10.1.2.3"], ["::ffff:11.0.0.1"]),
        ("fe80::/10", ["fe80::1%eth0"], ["fec0::1"]),
        ("0.0.0.0/0", ["203.0.113.9", "::ffff:203.0.113.9"], ["2001:db8::1"]),
        ("::/0", ["2001:db8::1", "::ffff:203.0.113.9"], ["203.0.113.9"]),
        ("unix", [], ["127.0.0.1", "::1"]),
    ],
)
def test_addresses_in_networks(networks: str, inside: list[str], outside: list[str]) -> None:
    trusted = Trusted.parse(networks)
    families = {False: socket.AF_INET, True: socket.AF_INET6}
    for hosts, expected in ((inside, True), (outside, False)):
        for host in hosts:
            assert trusted.includes(Endpoint(families[":" in host], (host, 1))) is expected, host


@pytest.mark.parametrize(
    ("networks", "has_unix"), [("unix", True), ("::1,unix", True), ("::1", False)]
)
def test_peers_on_unix_sockets_are_trusted_by_a_word(networks: str, has_unix: bool) -> None:
    peer = Endpoint(socket.AF_UNIX, "/run/chat.sock")
    assert Trusted.parse(networks).includes(peer) is has_unix


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.0/33", "'10.0.0.0/33' is not a network"),
        ("balancer", "'balancer' is not a network: write 10.0.0.0/8, "),
        ("10.0.0.1,", "'' is not a network"),
        ("10.0.0.1, ::1", "' ::1' is not a network"),
        ("10.0.0.1/8", "'10.0.0.1/8' is an address in a network: write 10.0.0.0/8"),
        ("::1,2001:db8::1/32", "'2001:db8::1/32' is an address in a network: write 2001:db8::/32"),
    ],
)
def test_a_bad_network_is_named(text: str, why: str) -> None:
    with pytest.raises(BadNetwork) as refused:
        Trusted.parse(text)
    assert str(refused.value).startswith(why)
