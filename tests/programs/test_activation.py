"""A server on a socket that another program has opened, and what it tells of itself."""

import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.activation import activated, listening
from tests.support.clock import PATIENCE
from tests.support.headless import python, stop, talk
from tests.support.peer import Peer, tcp_pair
from tests.support.process import ROOT, SERVER, Program, Start, run, status_of
from tests.support.tools import needs
from tests.tools.sharing import measure_stops


@pytest.fixture
def there() -> Iterator[tuple[socket.socket, str]]:
    """A listening socket and its address; a test may close the socket."""
    made, address = listening()
    yield made, address
    made.close()


@pytest.fixture
def unix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, str]]:
    """A listening unix socket and its address."""
    monkeypatch.chdir(tmp_path)  # a relative path is short enough wherever tmp_path is
    made, address = listening("socket")
    yield made, address
    made.close()


@needs("systemd")
def test_systemd_socket_activate(program: Start, there: tuple[socket.socket, str]) -> None:
    made, address = there
    server = activated(program, [made], "--echo", before=["systemd-socket-activate"])
    made.close()
    for number in 1, 2, 3:
        assert talk(address, "hello", "you") == ["hello", "you"]
        server.line_with(f"client {number} said BYEBYE (5 turns", "stderr")
    assert stop(server) == ["* stopping"]


@needs("systemd")
def test_systemd_socket_activate_with_a_server_for_each_connection(
    program: Start, there: tuple[socket.socket, str]
) -> None:
    made, address = there
    manager = activated(program, [made], "--echo", before=["systemd-socket-activate", "--accept"])
    made.close()
    for _ in range(2):
        assert talk(address, "hello") == ["hello"]
        manager.line_with("client 1 said BYEBYE (3 turns", "stderr")
        manager.line_with("died with code 0", "stderr")


def test_a_unix_socket_leaves_its_file(program: Start, unix: tuple[socket.socket, str]) -> None:
    made, address = unix
    server = activated(program, [made], "--echo")
    assert server.line("stderr").endswith("* listening on unix:socket")
    assert talk(address, "hello") == ["hello"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert os.path.exists("socket")
    server = activated(program, [made], "--echo")  # and another one can go on
    assert talk(address, "hello") == ["hello"]
    stop(server)


def test_who_came_before_the_server_is_served(
    program: Start, there: tuple[socket.socket, str]
) -> None:
    made, address = there
    peer = Peer.to(address)
    peer.say("first")
    server = activated(program, [made], "--echo")
    assert peer.hear() == "first"
    peer.close()
    server.line_with("client 1 hung up", "stderr")
    stop(server)


def test_two_servers_on_one_socket_and_one_of_them_stops(
    program: Start, there: tuple[socket.socket, str]
) -> None:
    made, address = there
    servers = [activated(program, [made], "--echo") for _ in range(2)]
    for server in servers:
        server.line_with("listening on", "stderr")
    assert talk(address, "both") == ["both"]
    servers[0].signal(signal.SIGTERM)
    assert servers[0].wait() == 0
    for _ in range(5):
        assert talk(address, "one") == ["one"]
    stop(servers[1])


def test_one_conversation_with_an_inherited_listener(
    program: Start, there: tuple[socket.socket, str]
) -> None:
    made, address = there
    server = activated(program, [made], "--echo", "--once")
    assert talk(address, "hello") == ["hello"]
    assert server.wait() == 0


def test_an_operator_has_an_inherited_listener(
    program: Start, there: tuple[socket.socket, str]
) -> None:
    made, address = there
    server = activated(program, [made])
    assert server.line() == f"* listening on {address}"
    peer = Peer.to(address)
    peer.say("hello")
    server.line_with("hello")
    server.type("you")
    assert peer.hear() == "you"
    server.end_input()
    peer.say("more")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_a_program_gets_neither_variables_nor_sockets(
    program: Start, there: tuple[socket.socket, str]
) -> None:
    made, address = there
    names = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC")
    look = f"""\
import os
print([name for name in {names} if name in os.environ], len(os.listdir("/proc/self/fd")))
"""
    passed_on = [word for name in names for word in ("--exec-env", name)]
    server = activated(
        program,
        [made],
        *("--exec", python(look), *passed_on),
        LISTEN_FDNAMES="chat",
        NOTIFY_SOCKET="/no/such/socket",
        WATCHDOG_USEC="1",
    )
    assert talk(address, "which?") == ["[] 4"]  # the fourth reads the folder
    stop(server)


def test_sockets_of_another_process_are_left_alone(program: Start) -> None:
    server = program(
        *("-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"),
        *(SERVER, "--exec", python("import os; print(dict(os.environ))")),
        *("--exec-env", "LISTEN_FDS", "127.0.0.1:0"),
        env={"LISTEN_PID": "1", "LISTEN_FDS": "1"},
    )
    address = server.line_with("listening on", "stderr").rpartition(" ")[2]
    (answer,) = talk(address, "which?")
    assert "LISTEN" not in answer
    stop(server)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--echo", "127.0.0.1:0"), 2, "the service manager (LISTEN_FDS) names the socket"),
        (("--echo", "127.0.0.1:2322"), 2, "leave ADDRESS out"),
        (("--echo", "--reuse-port"), 2, "--reuse-port is for an address"),
        (("--echo", "--inetd"), 2, "leave --inetd out"),
    ],
)
def test_arguments_that_make_no_sense(
    program: Start,
    there: tuple[socket.socket, str],
    arguments: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    server = activated(program, [there[0]], *arguments)
    assert server.wait() == status
    assert words in "\n".join(server.rest("stderr"))


@pytest.mark.parametrize(
    ("number", "names", "words"),
    [
        ("0", "", "there is no socket for the chat"),
        ("x", "", "LISTEN_FDS is 'x', and not a number of sockets"),
        ("\x1b[2J", "", r"LISTEN_FDS is '\x1b[2J', and not a number of sockets"),
        ("2", "a:b", "descriptor 4 is closed"),
        ("1", "metrics", "there is no socket for the chat"),
    ],
)
def test_what_cannot_be_used_ends_the_start(
    program: Start, there: tuple[socket.socket, str], number: str, names: str, words: str
) -> None:
    server = activated(program, [there[0]], "--echo", LISTEN_FDS=number, LISTEN_FDNAMES=names)
    assert server.wait() == os.EX_CONFIG
    assert server.rest("stderr") == [
        f"turnchat-server: cannot use what was handed over: {words}",
        "turnchat-server: sd_listen_fds(3) says what a service manager hands over",
    ]


def test_two_sockets_for_the_chat(program: Start, there: tuple[socket.socket, str]) -> None:
    server = activated(program, [there[0]] * 2, "--echo")
    assert server.wait() == os.EX_CONFIG
    assert "there are two sockets for the chat" in server.line("stderr")


def test_a_socket_for_the_metrics(program: Start, there: tuple[socket.socket, str]) -> None:
    made, address = there
    other, metrics = listening()
    with other:
        server = activated(program, [other, made], "--echo", LISTEN_FDNAMES="metrics:x")
        server.line_with(f"* listening on {address}", "stderr")
        server.line_with(f"* metrics on {metrics}", "stderr")
        assert talk(address, "hello") == ["hello"]
        with urlopen(f"http://{metrics}/metrics", timeout=PATIENCE) as answer:
            assert b"turnchat_connections_accepted_total 1" in answer.read()
        stop(server)
        both = activated(
            program, [other, made], "--echo", "--metrics", "0", LISTEN_FDNAMES="metrics:x"
        )
        assert both.wait() == 2
        assert "a socket is there for the metrics: leave --metrics out" in both.rest("stderr")[-2]


def test_a_connection_needs_an_answer(program: Start) -> None:
    here, peer = tcp_pair()
    with here, peer:
        server = activated(program, [here])
        assert server.wait() == 2
        assert "no person is there: add --echo or --exec" in server.rest("stderr")[-2]


@pytest.mark.slow
def test_no_connection_is_lost_when_servers_on_one_socket_are_replaced() -> None:
    outcome = measure_stops("inherited", 5)
    assert outcome.answered > 5
    assert outcome.lost == 0


# Several servers on one port


def test_two_servers_on_one_port(program: Start) -> None:
    with socket.socket() as bound:  # it keeps the port, and listens to nobody
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        servers = [program(SERVER, "--echo", "--reuse-port", address) for _ in range(2)]
        for server in servers:
            server.line_with(f"* listening on {address}", "stderr")
        assert talk(address, "both") == ["both"]
        servers[0].signal(signal.SIGTERM)
        assert servers[0].wait() == 0
        for _ in range(5):
            assert talk(address, "one") == ["one"]
        alone = program(SERVER, "--echo", address)
        assert alone.wait() == os.EX_UNAVAILABLE
        stop(servers[1])


def test_a_unix_socket_has_one_server(tmp_path: Path) -> None:
    status, _, err = run(SERVER, "--echo", "--reuse-port", f"unix:{tmp_path}/s")
    assert status == 2
    assert "--reuse-port is for TCP: a unix socket has one server" in err


def test_a_system_without_it() -> None:
    code = (
        "import socket; del socket.SO_REUSEPORT; from turnchat.cli.chat.server import main; main()"
    )
    status, _, err = run("-c", code, "--echo", "--reuse-port", cwd=ROOT)
    assert status == 2
    assert "--reuse-port cannot be had: this system has no SO_REUSEPORT" in err


# The service manager hears of it


class Manager:
    """A service manager's socket for notifications."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.environment = {"NOTIFY_SOCKET": str(path)}

    def hears(self, line: str, seconds: float = 30.0) -> None:
        """Wait until a datagram has this line. Raises TimeoutError if none comes in time."""
        self.socket.settimeout(seconds)
        while line not in self.socket.recv(4096).decode().split("\n"):
            pass

    def misses(self, seconds: float) -> None:
        """Wait until no datagram has come for so long, as a watchdog does."""
        self.socket.settimeout(seconds)
        with suppress(TimeoutError):
            while self.socket.recv(4096):
                pass


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.socket.close()


def test_it_tells_that_it_is_ready_and_that_it_stops(
    program: Start, there: tuple[socket.socket, str], manager: Manager
) -> None:
    made, address = there
    server = activated(program, [made], "--echo", **manager.environment)
    manager.hears("READY=1")
    peer = Peer.to(address)
    peer.say("hello")
    manager.hears("STATUS=1 conversation")
    peer.say("again")
    server.signal(signal.SIGTERM)
    manager.hears("STOPPING=1")
    peer.close()
    assert server.wait() == 0


def test_it_is_ready_when_it_listens(program: Start, tmp_path: Path, manager: Manager) -> None:
    path = tmp_path / "s"
    server = program(*(SERVER, "--echo", f"unix:{path}"), env=manager.environment)
    manager.hears("READY=1")
    assert talk(f"unix:{path}", "hello") == ["hello"]
    stop(server)


def test_a_start_that_fails_is_not_ready(program: Start, manager: Manager) -> None:
    address = "unix:/no/such/folder/socket"
    server = program(*(SERVER, "--echo", address), env=manager.environment)
    assert server.wait() == os.EX_UNAVAILABLE
    assert manager.socket not in select.select([manager.socket], [], [], 0)[0]


@pytest.mark.slow
def test_a_server_that_hangs_is_started_again(
    program: Start, there: tuple[socket.socket, str], manager: Manager
) -> None:
    """The part of the service manager is played here: its deadline is WATCHDOG_USEC."""
    made, address = there

    def start() -> Program:
        started = activated(
            program, [made], "--echo", WATCHDOG_USEC="1000000", **manager.environment
        )
        manager.hears("READY=1")
        for _ in range(3):
            manager.hears("WATCHDOG=1")
        return started

    server = start()
    server.signal(signal.SIGSTOP)
    manager.misses(1.0)
    peer = Peer.to(address)  # the socket is there all the while
    peer.say("is anybody there?")
    server.signal(signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL
    server = start()
    assert peer.hear() == "is anybody there?"
    peer.close()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@needs("root")
def test_it_is_ready_as_another_user(program: Start, manager: Manager) -> None:
    """It connects before: the socket is in a folder of root's."""
    server = program(
        *(SERVER, "--echo", "--user", "nobody", "127.0.0.1:0"),
        env={**manager.environment, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    manager.hears("READY=1")
    assert status_of(server.pid, "Uid") != "0"
    stop(server)
