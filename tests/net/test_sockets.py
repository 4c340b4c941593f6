import errno
import fcntl
import os
import re
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process import own_descriptors
from turnchat.net.address import Address, Endpoint, bound_endpoint
from turnchat.net.sockets import UnixListener, listen


def bind(address: str) -> socket.socket:
    return listen(Address.parse(address).resolve())


def test_port_0_picks_a_free_one() -> None:
    with bind("0") as listening:
        endpoint = bound_endpoint(listening)
        assert re.fullmatch(r"127\.0\.0\.1:[1-9][0-9]+", str(endpoint))
        assert listening.getblocking() is False


def test_ipv6() -> None:
    try:
        listening = bind("[::1]:0")
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with listening:
        assert str(bound_endpoint(listening)).startswith("[::1]:")


def test_a_port_can_be_used_again_at_once_after_conversations() -> None:
    """Without SO_REUSEADDR the closed ones, in TIME_WAIT, would keep it for minutes."""
    with bind("0") as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as there:
            listening.setblocking(True)
            here, _ = listening.accept()
            here.close()
            assert there.recv(1) == b""
    bind(str(port)).close()


def test_a_port_that_is_taken() -> None:
    with bind("0") as listening:
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match="Address already in use"):
            bind(str(port))


def test_a_port_that_several_servers_share() -> None:
    with listen(Address.parse("0").resolve(), reuse_port=True) as listening:
        address = Address.parse(str(listening.getsockname()[1]))
        with listen(address.resolve(), reuse_port=True) as other:
            assert other.getsockname() == listening.getsockname()
        with pytest.raises(OSError, match="Address already in use"):
            listen(address.resolve())  # it does not allow it


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)  # a relative path is short enough wherever tmp_path is
    return "socket"


@pytest.fixture
def folder(path: str) -> Iterator[int]:
    """A descriptor of the folder of `path`, as another server has it."""
    descriptor = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_unix_socket_is_its_owners_alone_and_leaves_no_file(path: str) -> None:
    former = os.umask(0)
    try:
        listening = bind(f"unix:{path}")
    finally:
        assert os.umask(former) == 0
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert str(bound_endpoint(listening)) == f"unix:{path}"
    listening.close()
    assert not os.path.exists(path)
    assert listening.fileno() == -1
    listening.close()


def test_a_stale_unix_socket_is_replaced(path: str) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    assert os.path.exists(path)
    with bind(f"unix:{path}"), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def test_a_live_unix_socket_is_an_error_and_its_server_is_not_disturbed(path: str) -> None:
    with bind(f"unix:{path}") as listening:
        with pytest.raises(OSError, match="another server listens there") as raised:
            bind(f"unix:{path}")
        assert raised.value.errno == errno.EADDRINUSE
        with pytest.raises(BlockingIOError):
            listening.accept()
        assert os.path.exists(path)


def test_a_socket_of_datagrams_is_in_use_as_well(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(path)
        with pytest.raises(OSError, match="another server listens there"):
            bind(f"unix:{path}")


def test_the_first_endpoint_that_can_be_bound_is_taken() -> None:
    with bind("0") as taken:
        first = bound_endpoint(taken)
        free = [Endpoint(socket.AF_INET, (host, 0)) for host in ("127.0.0.2", "127.0.0.3")]
        with listen([first, *free]) as listening:
            assert bound_endpoint(listening).sockaddr[0] == "127.0.0.2"
        with pytest.raises(OSError, match="Address already in use"):
            listen([Endpoint(socket.AddressFamily.AF_X25, ("", 0)), first])


def test_an_address_that_cannot_be_bound_leaves_no_socket_open(path: str) -> None:
    Path(path).touch()
    with bind("0") as taken:
        for address in f"unix:{path}", str(bound_endpoint(taken)):
            before = own_descriptors()
            with pytest.raises(OSError, match=r"not a socket|in use") as raised:
                bind(address)
            assert own_descriptors() == before
            assert raised.tb  # it keeps what the call had, so that nothing is collected


def test_a_file_that_is_no_socket_is_not_touched(path: str) -> None:
    Path(path).write_text("precious")
    with pytest.raises(OSError, match="it is not a socket"):
        bind(f"unix:{path}")
    assert Path(path).read_text() == "precious"


def test_closing_removes_no_file_of_another(path: str) -> None:
    listening = bind(f"unix:{path}")
    os.unlink(path)
    with bind(f"unix:{path}"):
        listening.close()
        assert os.path.exists(path)


def make_stale(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)


class Stillness:
    """The module time for one process alone: it passes while that sleeps."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self.looks = 0
        self.on_sleep: Callable[[], object] = int

    def monotonic(self) -> float:
        self.looks += 1
        assert self.looks < 1000, "it waits without a sleep"
        return 1000.0 + sum(self.sleeps)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps.append(seconds)
        self.on_sleep()


@pytest.fixture
def stillness(monkeypatch: pytest.MonkeyPatch) -> Stillness:
    made = Stillness()
    monkeypatch.setattr("turnchat.net.sockets.time", made)
    return made


def test_the_lock_of_a_folder_is_tried_a_hundred_times_in_one_second(
    path: str, folder: int, stillness: Stillness
) -> None:
    make_stale(path)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(OSError, match="about to listen there") as raised:
        bind(f"unix:{path}")
    assert raised.value.errno == errno.EADDRINUSE
    assert 99 <= len(stillness.sleeps) <= 101
    assert sum(stillness.sleeps) == pytest.approx(1.0, abs=0.02)


def test_a_lock_that_is_free_in_time_is_waited_for(
    path: str, folder: int, stillness: Stillness
) -> None:
    make_stale(path)
    fcntl.flock(folder, fcntl.LOCK_EX)
    stillness.on_sleep = lambda: fcntl.flock(folder, fcntl.LOCK_UN)
    with bind(f"unix:{path}"):
        assert len(stillness.sleeps) == 1


def test_the_end_waits_for_no_lock(path: str, folder: int, stillness: Stillness) -> None:
    listening = bind(f"unix:{path}")
    fcntl.flock(folder, fcntl.LOCK_EX)
    listening.close()
    assert stillness.sleeps == []


def test_the_lock_is_that_of_the_folder_which_the_socket_is_in(
    tmp_path: Path, path: str, stillness: Stillness
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    make_stale(f"inner/{path}")
    descriptor = os.open(inner, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(OSError, match="about to listen there"):
        bind(f"unix:inner/{path}")
    os.close(descriptor)
    assert stillness.sleeps
    bind(f"unix:inner/{path}").close()


def test_another_servers_lock_is_respected(
    path: str, monkeypatch: pytest.MonkeyPatch, folder: int
) -> None:
    monkeypatch.setattr("turnchat.net.sockets.LOCK_PATIENCE", 0.02)
    make_stale(path)
    fcntl.flock(folder, fcntl.LOCK_SH)  # LOCK_EX alone conflicts with it
    with pytest.raises(OSError, match="another server is about to listen there"):
        bind(f"unix:{path}")
    assert os.path.exists(path)
    fcntl.flock(folder, fcntl.LOCK_UN)
    bind(f"unix:{path}").close()


def test_a_new_name_can_be_bound_while_another_keeps_the_folder_locked(
    path: str, monkeypatch: pytest.MonkeyPatch, folder: int
) -> None:
    """Everyone may lock /tmp, and must not keep servers from listening there."""
    monkeypatch.setattr("turnchat.net.sockets.LOCK_PATIENCE", 0.02)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with bind(f"unix:{path}"), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def test_the_lock_is_held_from_the_probe_to_the_bind_and_at_the_removal(
    path: str, monkeypatch: pytest.MonkeyPatch, folder: int
) -> None:
    held: list[tuple[str, bool]] = []

    def is_locked() -> bool:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(folder, fcntl.LOCK_UN)
        return False

    def watch(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def watched(*arguments: object) -> object:
            held.append((name, is_locked()))
            return real(*arguments)

        monkeypatch.setattr(owner, name, watched)

    make_stale(path)
    for owner, name in (
        (UnixListener, "bind_file"),
        (socket.socket, "connect_ex"),
        (os, "unlink"),
    ):
        watch(owner, name)
    bind(f"unix:{path}").close()
    names = ["bind_file", "connect_ex", "unlink", "bind_file", "unlink"]
    assert held == [(name, True) for name in names]


def test_a_socket_that_has_replaced_a_stale_one_is_not_removed(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without the lock, say after rm: it binds between the probe and the removal."""
    make_stale(path)
    successor = socket.socket(socket.AF_UNIX)
    real = socket.socket.connect_ex

    def connect_ex(probe: socket.socket, address: str) -> int:
        answer = real(probe, address)
        os.unlink(path)
        successor.bind(path)
        return answer

    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    replaced = pytest.raises(OSError, match="another server has replaced the socket there")
    with successor, replaced as raised:
        bind(f"unix:{path}")
    assert raised.value.errno == errno.EADDRINUSE
    assert os.path.exists(path)


def test_a_server_in_the_way_of_another_user_is_not_removed(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a refused connection proves that no process has the socket bound."""
    make_stale(path)
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: errno.EACCES)
    with pytest.raises(PermissionError):
        bind(f"unix:{path}")
    assert os.path.exists(path)


def test_the_file_goes_while_the_socket_is_still_open(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed socket's file is stale: a successor may replace it, and its inode may come back."""
    listening = bind(f"unix:{path}")
    open_at_removal: list[bool] = []
    real = os.unlink

    def unlink(name: str) -> None:
        open_at_removal.append(listening.fileno() >= 0)
        real(name)

    monkeypatch.setattr(os, "unlink", unlink)
    listening.close()
    assert open_at_removal == [True]
    assert not os.path.exists(path)


def test_a_folder_that_is_locked_at_the_end_leaves_a_file_that_the_next_server_replaces(
    path: str, folder: int
) -> None:
    listening = bind(f"unix:{path}")
    fcntl.flock(folder, fcntl.LOCK_EX)
    listening.close()
    fcntl.flock(folder, fcntl.LOCK_UN)
    assert os.path.exists(path)
    bind(f"unix:{path}").close()
    assert not os.path.exists(path)
