import runpy
import socket
import sys

import pytest

from turnchat.net import address as module
from turnchat.net.address import Address, BadAddress, Endpoint


@pytest.mark.parametrize(
    ("text", "address", "printed"),
    [
        ("example.org:80", Address("example.org", 80), "example.org:80"),
        ("example.org", Address("example.org", 2322), "example.org:2322"),
        ("4000", Address("127.0.0.1", 4000), "127.0.0.1:4000"),
        ("0", Address("127.0.0.1", 0), "127.0.0.1:0"),
        ("65535", Address("127.0.0.1", 65535), "127.0.0.1:65535"),
        ("10.0.0.7", Address("10.0.0.7", 2322), "10.0.0.7:2322"),
        ("１２", Address("１２", 2322), "１２:2322"),  # no port: those are not the digits of ASCII
        ("[::1]:4000", Address("::1", 4000), "[::1]:4000"),
        ("[::1]", Address("::1", 2322), "[::1]:2322"),
        ("[fe80::1%eth0]:1", Address("fe80::1%eth0", 1), "[fe80::1%eth0]:1"),
        ("unix:/tmp/a b", Address(path="/tmp/a b"), "unix:/tmp/a b"),
        ("unix:12", Address(path="12"), "unix:12"),
    ],
)
def test_every_form_is_read_and_printed(text: str, address: Address, printed: str) -> None:
    assert Address.parse(text) == address
    assert str(address) == printed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not an address: write HOST:PORT"),
        (":4000", "':4000' is not an address"),
        ("host:", "'host:' is not an address"),
        ("host:http", "'host:http' is not an address"),
        ("host:-1", "is not an address"),
        ("host:+1", "is not an address"),
        ("host: 1", "is not an address"),
        ("host:１", "is not an address"),
        ("::1", "'::1' is not an address: write .* [::1]:PORT"),
        ("::1:4000", "is not an address"),
        ("[::1]4000", "is not an address"),
        ("[::1", "is not an address"),
        ("host:65536", "there is no port 65536: 65535 is the highest"),
        ("99999", "there is no port 99999"),
        ("unix:", "unix: needs a path after it"),
        ("unix:/" + "x" * 107, "107 bytes at the most, not 108"),
        ("host\n:1", "is not an address"),
        ("host:1\n", "is not an address"),
    ],
)
def test_what_is_no_address_says_why(text: str, words: str) -> None:
    with pytest.raises(BadAddress, match=words.replace("[", r"\[")):
        Address.parse(text)


def test_a_path_is_shorter_where_the_kernel_has_less_room_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert runpy.run_path(str(module.__file__))["UNIX_PATH_LIMIT"] == 103  # of 104: unix(4) there


def test_a_port_may_have_any_number_of_digits_and_still_be_refused() -> None:
    with pytest.raises(BadAddress):
        Address.parse("9" * 10_000)


@pytest.mark.parametrize(
    ("family", "sockaddr", "shown"),
    [
        (socket.AF_INET, ("10.0.0.7", 80), "10.0.0.7:80"),
        (socket.AF_INET6, ("::1", 80, 0, 0), "[::1]:80"),
        (socket.AF_INET6, ("fe80::1%eth0", 80, 0, 2), "[fe80::1%eth0]:80"),
        (socket.AF_UNIX, "/tmp/a:b", "unix:/tmp/a:b"),
        (socket.AF_UNIX, "/tmp/\udcff", "unix:/tmp/\\xff"),
        (socket.AF_UNIX, b"/tmp/\xff", "unix:/tmp/\\xff"),
        (socket.AF_UNIX, b"\0abstract", "unix:@abstract"),
        (socket.AF_UNIX, b"\x0000001", "unix:@00001"),
        (socket.AF_UNIX, b"\0a\0b\xff\x1b", "unix:@a\\x00b\\xff\\x1b"),
    ],
)
def test_an_endpoint_as_a_person_writes_it(
    family: socket.AddressFamily, sockaddr: object, shown: str
) -> None:
    assert str(Endpoint(family, sockaddr)) == shown


@pytest.mark.parametrize("name", ["x" * 64, "x..y", "ü" * 64, "ü..y"])
def test_a_name_that_no_host_can_have_is_an_unknown_name(name: str) -> None:
    with pytest.raises(socket.gaierror):  # from the system, or from the codec of names
        Address(name).resolve()
