import socket

import pytest

from tests.support import run_until
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, Endpoint
from turnchat.net.connector import Connector
from turnchat.net.keepalive import IDLE, INTERVAL, PROBES, UNACKNOWLEDGED, detect_loss
from turnchat.net.sockets import listen

LINUX_ONLY = socket.TCP_USER_TIMEOUT
EXPECTED = {
    socket.TCP_KEEPIDLE: IDLE,
    socket.TCP_KEEPINTVL: INTERVAL,
    socket.TCP_KEEPCNT: PROBES,
    LINUX_ONLY: UNACKNOWLEDGED,
}


def test_a_peer_that_has_vanished_is_given_up_after_two_minutes() -> None:
    """The manual promises it, whether bytes are on their way to the peer or not."""
    assert IDLE + PROBES * INTERVAL == UNACKNOWLEDGED / 1000 == 120


def options_of(made: socket.socket) -> dict[int, int]:
    assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return {option: made.getsockopt(socket.IPPROTO_TCP, option) for option in EXPECTED}


def test_an_accepted_socket_inherits_the_options_of_its_listener() -> None:
    with (
        listen(Address.parse("0").resolve()) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert options_of(accepted) == EXPECTED


def test_the_socket_of_a_client_has_the_options(loop: EventLoop) -> None:
    connected: list[socket.socket] = []

    def on_connect(made: socket.socket, _: Endpoint) -> None:
        connected.append(made)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        endpoint = Endpoint(socket.AF_INET, listening.getsockname())
        Connector(loop, [endpoint], 5.0, on_connect, lambda _: None).start()
        run_until(loop, lambda: connected)
    with connected[0]:
        assert options_of(connected[0]) == EXPECTED


def test_a_system_that_has_other_options_is_asked_for_those(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", socket.TCP_KEEPIDLE, raising=False)
    monkeypatch.delattr(socket, "TCP_KEEPIDLE")
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
    with socket.socket() as made:
        detect_loss(made, socket.AF_INET)
        assert options_of(made) == EXPECTED | {LINUX_ONLY: 0}  # the system's own time


def test_a_system_that_refuses_goes_without() -> None:
    with socket.socket(socket.AF_UNIX) as made:
        detect_loss(made, socket.AF_INET)  # EOPNOTSUPP
        detect_loss(made, socket.AF_UNIX)
    with socket.socket() as untouched:
        detect_loss(untouched, socket.AF_UNIX)
        assert not untouched.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
