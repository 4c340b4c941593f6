import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import tcp_pair
from turnchat.net import activation
from turnchat.net.activation import (
    UNNAMED,
    VARIABLES,
    Accepted,
    BadActivation,
    NotConnected,
    connection_at,
    inherited,
    is_for_us,
    silence,
    take,
)
from turnchat.net.keepalive import IDLE

FIRST = 200  # pytest has files of its own from 3 up

Hand = Callable[..., dict[str, str]]


@pytest.fixture
def hand() -> Iterator[Hand]:
    """Hand descriptors over from FIRST up, and return the variables that say so."""
    number = 0

    def handed(*files: int, names: str | None = None) -> dict[str, str]:
        nonlocal number
        number = len(files)
        for descriptor, file in enumerate(files, FIRST):
            os.dup2(file, descriptor)
        variables = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(number)}
        return variables if names is None else variables | {"LISTEN_FDNAMES": names}

    yield handed
    for descriptor in range(FIRST, FIRST + number):
        with suppress(OSError):  # the socket that was made of it is closed
            os.close(descriptor)


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in a call that blocks for longer than this."""

    def interrupt(*_: object) -> None:
        raise TimeoutError

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_variables_are_taken_away() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a", "HOME": "/"}
    assert take(environment, VARIABLES) == {
        "LISTEN_PID": "1",
        "LISTEN_FDS": "1",
        "LISTEN_FDNAMES": "a",
    }
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize("pid", ["1", "", "me", "-1", " {}", "+{}", None])
def test_sockets_of_another_process(pid: str | None) -> None:
    assert not is_for_us({} if pid is None else {"LISTEN_PID": pid.format(os.getpid())})
    assert is_for_us({"LISTEN_PID": str(os.getpid())})


def test_a_listener(hand: Hand, listener: socket.socket) -> None:
    found = inherited(hand(listener.fileno()), FIRST)
    assert list(found) == ["chat"]
    with found["chat"] as chat:
        assert chat.getsockname() == listener.getsockname()
        assert not isinstance(chat, Accepted)
        assert not chat.get_inheritable()
        assert not chat.getblocking()
        assert chat.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert chat.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert chat.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == IDLE


def test_a_unix_listener_leaves_its_file(
    hand: Hand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        made.listen()
        chat = inherited(hand(made.fileno()), FIRST)["chat"]
    assert chat.family == socket.AF_UNIX
    assert chat.getsockname() == "socket"
    chat.close()
    assert (tmp_path / "socket").exists()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_a_listener_that_others_make_blocking_does_not_wait(
    hand: Hand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: socket.AddressFamily
) -> None:
    """systemd does so when it starts another process with it."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(family) as made:
        made.bind("socket" if family == socket.AF_UNIX else ("127.0.0.1", 0))
        made.listen()
        with inherited(hand(made.fileno()), FIRST)["chat"] as chat:
            os.set_blocking(made.fileno(), True)
            assert os.get_blocking(chat.fileno())
            with interrupted(PATIENCE), pytest.raises(BlockingIOError):
                chat.accept()


@pytest.mark.parametrize("names", [None, "", "turnchat.socket", "chat", "connection", "unknown:x"])
def test_the_only_socket_may_have_any_name(
    hand: Hand, listener: socket.socket, names: str | None
) -> None:
    found = inherited(hand(listener.fileno(), names=names), FIRST)
    assert list(found) == ["chat"]
    found["chat"].close()


@pytest.mark.parametrize(
    ("names", "order"),
    [("metrics:x", ["metrics", "chat"]), ("x:metrics", ["chat", "metrics"])],
)
def test_a_socket_for_metrics(
    hand: Hand, listener: socket.socket, names: str, order: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = inherited(hand(listener.fileno(), other.fileno(), names=names), FIRST)
        assert list(found) == order
        assert found[order[0]].getsockname() == listener.getsockname()
        assert found[order[1]].getsockname() == other.getsockname()
        for one in found.values():
            one.close()


def test_a_connection(hand: Hand) -> None:
    here, there = tcp_pair()
    chat = inherited(hand(here.fileno()), FIRST)["chat"]
    here.close()
    assert isinstance(chat, Accepted)
    connected, peer = chat.accept()
    assert chat.fileno() == -1  # it has one owner
    assert peer == there.getsockname()
    assert connected.fileno() == FIRST
    assert not connected.get_inheritable()
    assert not connected.getblocking()
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    connected.close()
    assert there.recv(1) == b""
    there.close()


def test_an_end_of_a_pair_has_no_address(hand: Hand) -> None:
    here, there = socket.socketpair()
    with here, there:
        chat = inherited(hand(here.fileno()), FIRST)["chat"]
        connected, peer = chat.accept()
        connected.close()
        assert peer == UNNAMED


@pytest.mark.parametrize("number", ["", "x", "-1", "1.0", "٣", "9" * 5000, "99999"])
def test_a_number_that_is_none(number: str) -> None:
    with pytest.raises(BadActivation, match=r"LISTEN_FDS is .*not a number"):
        inherited({"LISTEN_FDS": number}, FIRST)


@pytest.mark.parametrize("variables", [{}, {"LISTEN_FDS": "0"}])
def test_no_socket(variables: dict[str, str]) -> None:
    with pytest.raises(BadActivation, match="there is no socket for the chat"):
        inherited(variables, FIRST)


def test_a_socket_for_metrics_alone(hand: Hand, listener: socket.socket) -> None:
    with pytest.raises(BadActivation, match="there is no socket for the chat"):
        inherited(hand(listener.fileno(), names="metrics"), FIRST)


@pytest.mark.parametrize("names", ["", "a:b", "metrics:metrics"])
def test_two_sockets_for_one_job(hand: Hand, listener: socket.socket, names: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        variables = hand(listener.fileno(), other.fileno(), names=names)
        with pytest.raises(BadActivation, match="there are two sockets for the"):
            inherited(variables, FIRST)


def test_a_connection_for_metrics(hand: Hand, listener: socket.socket) -> None:
    here, there = tcp_pair()
    with here, there:
        variables = hand(listener.fileno(), here.fileno(), names="x:metrics")
        with pytest.raises(BadActivation, match="for the metrics is connected"):
            inherited(variables, FIRST)


def test_a_closed_descriptor() -> None:
    with pytest.raises(BadActivation, match=f"descriptor {FIRST} is closed"):
        inherited({"LISTEN_FDS": "1"}, FIRST)


def test_a_file(hand: Hand, pipe: tuple[int, int]) -> None:
    with pytest.raises(BadActivation, match=f"descriptor {FIRST} is not a socket"):
        inherited(hand(pipe[0]), FIRST)


@pytest.mark.parametrize(
    ("family", "kind", "shown"),
    [
        (socket.AF_INET, socket.SOCK_DGRAM, "AF_INET, SOCK_DGRAM"),
        (socket.AF_UNIX, socket.SOCK_DGRAM, "AF_UNIX, SOCK_DGRAM"),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET, "AF_UNIX, SOCK_SEQPACKET"),
    ],
)
def test_a_socket_of_another_kind(
    hand: Hand, family: socket.AddressFamily, kind: socket.SocketKind, shown: str
) -> None:
    with (
        socket.socket(family, kind) as made,
        pytest.raises(BadActivation, match=rf"of another kind \({shown}\)"),
    ):
        inherited(hand(made.fileno()), FIRST)


def test_a_family_without_hosts(
    hand: Hand, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As AF_VSOCK, which not every system has."""
    monkeypatch.setattr(activation, "FAMILIES", (socket.AF_UNIX,))
    with pytest.raises(BadActivation, match=r"of another kind \(AF_INET, SOCK_STREAM\)"):
        inherited(hand(listener.fileno()), FIRST)


def test_a_socket_that_does_nothing(hand: Hand) -> None:
    with (
        socket.socket() as made,
        pytest.raises(NotConnected, match="neither listens nor is connected"),
    ):
        inherited(hand(made.fileno()), FIRST)


# inetd


@pytest.fixture
def stream() -> Iterator[int]:
    """A descriptor in place of standard input."""
    number = fcntl.fcntl(2, fcntl.F_DUPFD, FIRST)
    yield number
    os.close(number)


def test_standard_input_is_the_connection(stream: int) -> None:
    here, there = socket.socketpair()
    os.dup2(here.fileno(), stream)
    here.close()
    connected, _ = connection_at(stream).accept()
    assert not connected.get_inheritable()
    assert os.path.samestat(os.fstat(stream), os.stat(os.devnull))
    connected.close()  # and no other descriptor keeps it open
    assert there.recv(1) == b""
    there.close()


def test_standard_input_may_not_listen(stream: int, listener: socket.socket) -> None:
    os.dup2(listener.fileno(), stream)
    with pytest.raises(BadActivation, match="standard input listens"):
        connection_at(stream)


def test_standard_input_may_not_be_a_file(stream: int, pipe: tuple[int, int]) -> None:
    os.dup2(pipe[0], stream)
    with pytest.raises(BadActivation, match="standard input is not a socket"):
        connection_at(stream)


def test_a_silent_stream_stays_open_for_children(stream: int) -> None:
    silence(stream)
    assert os.path.samestat(os.fstat(stream), os.stat(os.devnull))
    assert os.get_inheritable(stream)
