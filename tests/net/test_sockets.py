import os
import re
import socket
import stat
from pathlib import Path

import pytest

from turnchat.net.address import Address, bound_endpoint
from turnchat.net.sockets import listen


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


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)  # a relative path is short enough wherever tmp_path is
    return "socket"


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
        with pytest.raises(OSError, match="another server listens there"):
            bind(f"unix:{path}")
        with pytest.raises(BlockingIOError):
            listening.accept()
        assert os.path.exists(path)


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
