import os
import socket
import struct

import pytest

from turnchat.net.hosts import host_of


class Unasked(socket.socket):
    """A socket whose options are not to be read: its address tells the host."""

    def getsockopt(self, *_: object) -> int:  # type: ignore[override]
        raise AssertionError


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::6", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::fffe:192.0.2.7", "::/64"),
        ("::1", "::1"),
        ("::2", "::/64"),
        ("fe80::1:2%eth0", "fe80::1:2"),
        ("febf::9", "febf::9"),
        ("fec0::9", "fec0::/64"),
        ("2080::9", "2080::/64"),
    ],
)
def test_a_network_of_ipv6_is_one_host(address: str, host: str) -> None:
    with Unasked() as connected:
        assert host_of(connected, socket.AF_INET6, (address, 5, 0, 0)) == host


def test_an_address_of_ipv4_is_a_host() -> None:
    with Unasked() as connected:
        assert host_of(connected, socket.AF_INET, ("192.0.2.7", 5)) == "192.0.2.7"


def test_a_peer_on_a_unix_socket_is_its_user() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert host_of(here, socket.AF_UNIX, b"\0anything:5") == f"uid {os.getuid()}"


def test_the_user_is_neither_the_process_nor_the_group() -> None:
    class OfAnother(socket.socket):
        def getsockopt(self, *_: object) -> bytes:  # type: ignore[override]
            return struct.pack("iII", 7, 3_000_000_000, 100)

    with OfAnother() as connected:
        assert host_of(connected, socket.AF_UNIX, "") == "uid 3000000000"


def test_without_credentials_all_peers_on_a_unix_socket_are_one_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "SO_PEERCRED")
    with Unasked() as connected:
        assert host_of(connected, socket.AF_UNIX, "") == "unix"
