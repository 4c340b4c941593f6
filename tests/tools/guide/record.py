"""Make the recordings of the guide anew, from real runs.

python -m tests.tools.guide.record [NAME ...]
"""

import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from select import select

from tests.support import ROOT, SERVER, Peer, Program, status_of, wait_until
from tests.support.tcp import has_read_all
from turnchat.trace import record

RECORDINGS = ROOT / "turnchat" / "guide" / "recordings"

# A lesson with its sockets recorded: every one comes from one of these two functions. Ctrl-C, which
# a lesson may leave to the kernel, ends the recording here.
LESSON = """
import runpy, signal, socket, sys
from contextlib import suppress
from turnchat.trace import record

path, name, *sys.argv[1:] = sys.argv[1:]
listen = socket.create_server

def connect(address):
    connected = recorder.socket(socket.socket(), "server")
    connected.connect(address)
    return connected

signal.signal = lambda *_: None
with record(path, name) as recorder, suppress(KeyboardInterrupt, SystemExit):
    socket.create_server = lambda address: recorder.listener(listen(address))
    socket.create_connection = connect
    runpy.run_module(f"turnchat.lessons.{name}", run_name="__main__")
"""

# The whole chat of turnchat.core, with its loop, its sockets and its standard input recorded.
CORE = """
import socket, sys
from turnchat.core import __main__ as core
from turnchat.trace import record

listen = socket.create_server
with record(sys.argv[1], "turnchat.core") as recorder:
    core.EventLoop = recorder.loop
    core.open = lambda *_, **__: recorder.stream(0)
    socket.create_server = lambda address: recorder.listener(listen(address))
    core.main("server", 0)
"""


def lesson(path: Path, name: str, role: str, port: str = "0") -> Program:
    """Start a lesson that is recorded."""
    return Program("-u", "-c", LESSON, str(path), name, role, port, env={"PYTHONPATH": str(ROOT)})


def sleeps(program: Program) -> None:
    """Wait until a program sleeps in a call."""
    wait_until(lambda: status_of(program.pid, "State") == "S")


def ends(program: Program) -> None:
    """End a program that is recorded, as Ctrl-C does, when it sleeps in a call."""
    sleeps(program)
    program.signal(signal.SIGINT)
    program.wait()
    program.kill()  # it closes the pipes


def leaves(peer: Peer) -> None:
    """End a peer's stream, and wait until the other end has read so, and closed."""
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.hears_the_end()
    peer.close()


def one_send(path: Path) -> None:
    """Record length_prefix as a peer sends two messages and a half at once, then the rest."""
    server = lesson(path, "length_prefix", "server")
    peer = Peer.to(f"127.0.0.1:{server.line().split()[-1]}")
    peer.send(b"005hello003and0")
    wait_until(lambda: has_read_all(peer))
    peer.send(b"03you")
    assert [peer.hear() for _ in range(3)] == ["hello", "and", "you"]
    leaves(peer)
    ends(server)


def characters(path: Path) -> None:
    """Record an echo and a client that counts characters: café has four, and five bytes."""
    server = Program(SERVER, "--echo", "--once", "--record", str(path), "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    peer.say("tea")
    assert peer.hear() == "tea"
    peer.send("004café".encode())
    while select([peer.socket], [], [])[0] and peer.socket.recv(64):
        pass
    peer.close()
    server.wait()
    server.kill()


def two_sends(path: Path) -> None:
    """Record naive as a client that says three messages, to an echo: header and body apart."""
    server = lesson(Path("/dev/null"), "length_prefix", "server")
    client = lesson(path, "naive", "client", server.line().split()[-1])
    for text in ("one", "two", "three"):
        client.type(text)
        client.line_with(text)
    client.end_input()
    client.wait()
    client.kill()
    ends(server)


def second_client(path: Path) -> None:
    """Record length_prefix while a second client waits for the first to leave."""
    server = lesson(path, "length_prefix", "server")
    address = f"127.0.0.1:{server.line().split()[-1]}"
    first, second = Peer.to(address), Peer.to(address)
    first.say("first")
    assert first.hear() == "first"
    second.say("second")
    assert not select([second.socket], [], [], 1.0)[0]
    first.close()
    assert second.hear() == "second"
    leaves(second)
    ends(server)


def bytes_of_four(path: Path) -> None:
    """Record a loop that reads four bytes at a time, as eleven come at once, and then the end."""
    with record(str(path), "recv(4)") as recorder:
        selector = recorder.selector(selectors.DefaultSelector())
        real = socket.create_server(("127.0.0.1", 0))
        peer = socket.create_connection(real.getsockname())
        listening = recorder.listener(real)
        connected, _ = listening.accept()
        connected.setblocking(False)
        selector.register(connected, selectors.EVENT_READ)
        peer.send(b"008new loop")
        peer.close()
        while selector.select():
            if not connected.recv(4):
                break
        selector.unregister(connected)
        connected.close()
        listening.close()
        selector.close()


def echo(path: Path, talk: Callable[[Peer], None], *options: str) -> None:
    """Record an echo server that serves one conversation."""
    command = (SERVER, "--echo", "--once", "--record", str(path), *options, "127.0.0.1:0")
    server = Program(*command)
    talk(Peer.to(server.line("stderr").rpartition(" ")[2]))
    server.wait()
    server.kill()


def let_go(path: Path) -> None:
    """Record a peer that says half of a header, and nothing more."""

    def talk(peer: Peer) -> None:
        peer.send(b"00")
        assert peer.hears_the_end()
        peer.close()

    echo(path, talk, "--frame-timeout", "0.5")


def reset(path: Path) -> None:
    """Record a peer that says something, hears the answer, and resets the connection."""

    def talk(peer: Peer) -> None:
        peer.say("hello")
        assert peer.hear() == "hello"
        peer.reset()

    echo(path, talk)


def core(path: Path) -> Program:
    """Start turnchat.core's server, with all that it does recorded."""
    return Program("-u", "-c", CORE, str(path), env={"PYTHONPATH": str(ROOT)})


def say_goodbye(server: Program, *peers: Peer) -> None:
    """Let the peers say BYEBYE, one after the other, and end the operator's input."""
    for peer in peers:
        peer.say("BYEBYE")
        assert peer.hears_the_end()
        peer.close()
        sleeps(server)
    server.end_input()
    assert server.wait() == 0
    server.kill()


def one_message(path: Path) -> None:
    """Record turnchat.core: a message in two pieces, its answer, and BYEBYE."""
    server = core(path)
    peer = Peer.to(server.line().split()[-1])
    for piece in (b"005he", b"llo"):
        sleeps(server)
        peer.send(piece)
        wait_until(lambda: has_read_all(peer))
    server.line_with("hello")
    sleeps(server)
    server.type("I am all ears")
    assert peer.hear() == "I am all ears"
    say_goodbye(server, peer)


def three_files(path: Path) -> None:
    """Record turnchat.core as two clients and its input have something at the same time."""
    server = core(path)
    address = server.line().split()[-1]
    one, two = (Peer.to(address) for _ in range(2))
    wait_until(lambda: path.read_text().count('"call":"accept"') >= 3)
    sleeps(server)
    server.signal(signal.SIGSTOP)
    wait_until(lambda: status_of(server.pid, "State") == "T")
    one.say("may I ask you something?")
    two.say("me too!")
    server.type("one after the other\nnow you")
    server.signal(signal.SIGCONT)
    assert [one.hear(), two.hear()] == ["one after the other", "now you"]
    say_goodbye(server, one, two)


RECORDED: dict[str, Callable[[Path], None]] = {
    "one-send": one_send,
    "characters": characters,
    "two-sends": two_sends,
    "second-client": second_client,
    "bytes-of-four": bytes_of_four,
    "let-go": let_go,
    "reset": reset,
    "one-message": one_message,
    "three-files": three_files,
}


def main() -> None:
    """Make all, or those whose names are given."""
    for name in sys.argv[1:] or RECORDED:
        path = RECORDINGS / f"{name}.jsonl"
        RECORDED[name](path)
        print(f"{name}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
