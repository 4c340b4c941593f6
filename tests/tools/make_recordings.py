"""Make the example recordings anew, from real runs.

python -m tests.tools.make_recordings [NAME ...]
"""

import re
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory

import trustme

from tests.support import CLIENT, ROOT, SERVER, Peer, Program, Terminal, wait_until
from tests.support.logs import collected_log
from tests.support.tcp import unread_at
from tests.support.terminal import address_of
from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Server
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address
from turnchat.net.sockets import listen
from turnchat.responders.echo import Echo
from turnchat.trace import record

EXAMPLES = ROOT / "turnchat" / "replay" / "examples"
# Run a program that listens on a port of its own, on a free one instead, and print the address.
LAUNCH = """
import runpy, socket

def listen(address, make=socket.create_server):
    made = make((address[0], 0))
    print("127.0.0.1:%d" % made.getsockname()[1], flush=True)
    return made

socket.create_server = listen
runpy.run_path("mine.py")
"""
LEAST = 2304  # bytes; the smallest buffer that the kernel gives


def on_terminals(path: Path, talk: Callable[[Terminal, str], None], *options: str) -> None:
    """Record a server with an operator. `talk` gets its terminal and its address.

    The terminal edits the lines (--plain): a line is one read, and the page has less to skip.
    """
    server = Terminal(SERVER, "--plain", "--record", str(path), *options, "127.0.0.1:0")
    talk(server, address_of(server))
    server.signal(signal.SIGINT)
    server.exits_with()


def first_chat(path: Path) -> None:
    def talk(server: Terminal, address: str) -> None:
        ours = path.with_name("first-chat-client.jsonl")
        chat(server, Terminal(CLIENT, "--plain", "--record", str(ours), address))

    on_terminals(path, talk)


def chat(server: Terminal, client: Terminal) -> None:
    client.asks("you> ")
    client.enters("hello, is anybody there?")
    server.asks("you to client 1> ")
    server.enters("I am: one thread, and all ears")
    client.asks("you> ")
    client.enters("BYEBYE")
    client.exits_with()


def tls(path: Path) -> None:
    """Record the first chat over TLS; the certificates are forgotten."""
    with TemporaryDirectory() as folder:
        authority = trustme.CA()
        trusted = Path(folder, "authority.pem")
        authority.cert_pem.write_to_path(trusted)
        server = certificate(authority.issue_cert("127.0.0.1"), Path(folder, "server"))
        client = certificate(authority.issue_cert(common_name="Ada"), Path(folder, "client"))

        def talk(terminal: Terminal, address: str) -> None:
            ours = path.with_name("tls-client.jsonl")
            options = ("--tls", "--tls-ca", str(trusted), *client)
            chat(terminal, Terminal(CLIENT, "--plain", "--record", str(ours), *options, address))

        on_terminals(path, talk, *server, "--tls-client-ca", str(trusted))


def certificate(issued: trustme.LeafCert, stem: Path) -> tuple[str, ...]:
    """Return the options for a certificate, which is written to files."""
    chain, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return "--tls-cert", str(chain), "--tls-key", str(key)


def two_clients(path: Path) -> None:
    def talk(server: Terminal, address: str) -> None:
        one = Terminal(CLIENT, address)
        one.asks("you> ")
        two = Terminal(CLIENT, address)
        two.asks("you> ")
        server.signal(signal.SIGSTOP)  # so it finds both ready in one round
        one.enters("may I ask you something?")
        wait_until(lambda: waiting(address) == 1)
        two.enters("me too!")
        wait_until(lambda: waiting(address) == 2)
        server.signal(signal.SIGCONT)
        server.asks("you to client 1> ")
        server.enters("one after the other")
        server.asks("you to client 2> ")
        server.enters("now you")
        for client in one, two:
            client.asks("you> ")
            client.enters("BYEBYE")
            client.exits_with()

    on_terminals(path, talk)


def waiting(address: str) -> int:
    """Return the number of connections to a server that have bytes which it has not received."""
    unread = unread_at(address.rpartition(":")[2])
    return len(unread) - unread.count(0)


def with_echo(path: Path, talk: Callable[[Peer], None]) -> None:
    """Record an echo server. `talk` gets a peer that is connected to it."""
    server = Program(SERVER, "--echo", "--once", "--record", str(path), "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    talk(peer)
    peer.close()
    server.wait()


def split_header(path: Path) -> None:
    def talk(peer: Peer) -> None:
        for piece in (b"0", b"05", b"he", b"llo"):
            peer.send(piece)
            wait_for_round(path, piece)
        assert peer.hear() == "hello"
        peer.say("BYEBYE")
        assert peer.hears_the_end()

    with_echo(path, talk)


def wait_for_round(path: Path, piece: bytes) -> None:
    """Wait until the server has received `piece` and sleeps again."""
    while f'"octets":"{piece.decode()}"' not in path.read_text():
        pass


def out_of_turn(path: Path) -> None:
    def talk(peer: Peer) -> None:
        peer.say("one message a turn")
        assert peer.hear()
        peer.send(b"003and007another")
        assert peer.hears_the_end()

    with_echo(path, talk)


def own_loop(path: Path) -> None:
    """Record the loop of the manual, to the letter and with its mistakes, on a free port."""
    with TemporaryDirectory() as folder:
        Path(folder, "mine.py").write_text(own_code())
        loop = Program("-c", LAUNCH, cwd=Path(folder), env={"PYTHONPATH": str(ROOT)})
        address = loop.line()
        client = Terminal(CLIENT, "--plain", address)
        client.asks("you> ")
        client.enters("hello")
        client.sees("server> hello")
        client.enters("BYEBYE")
        client.exits_with()
        Peer.to(address).hears_the_end()
        loop.wait()
        shutil.copyfile(Path(folder, "mine.jsonl"), path)


def own_code() -> str:
    """Return the code of "Your own loop" in the manual."""
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", (ROOT / "turnchat" / "MANUAL.md").read_text(), re.M)
    (block,) = [block for block in blocks if "from turnchat.trace import record" in block]
    return re.sub("^    ", "", block, flags=re.MULTILINE).strip("\n") + "\n"


def slow_reader(path: Path) -> None:
    """Record a server with small buffers, and a peer that sends without reading."""
    (endpoint,) = Address(port=0).resolve()
    with record(str(path), "turnchat-server") as recorder:
        loop = recorder.loop()
        listening = listen([endpoint])
        # Accepted sockets inherit the size of the buffer.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LEAST)
        logger, _ = collected_log()
        server = Server(loop, logger, Limits())
        server.start(recorder.listener(listening), Echo)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LEAST)
            slow.connect(listening.getsockname())
            peer = Peer(slow)
            message = "slowly" * 42
            said = 0
            while not is_stuck(server):
                peer.say(message)
                said += 1
                run_until(loop, partial(has_answered, server, said))
            for _ in range(said):
                run_until(loop, partial(is_readable, slow))
                assert peer.hear() == message
            peer.say("BYEBYE")
            run_until(loop, partial(is_readable, slow))
        run_until(loop, lambda: not server.connections)
        server.stop()
        server.close()
        loop.close()


def run_until(loop: EventLoop, condition: Callable[[], bool]) -> None:
    """Run rounds until `condition` holds, without a timer: it would be in the recording."""
    while not condition():
        loop.run_once()


def is_stuck(server: Server) -> bool:
    """True if the kernel has not taken all of an answer."""
    return any(one.statistics()["unsent"] for one in server.connections)


def has_answered(server: Server, said: int) -> bool:
    """True if `said` messages were answered, as far as the kernel takes the answers."""
    conversations = [one.conversation for one in server.connections]
    return bool(conversations) and all(one.message_count == 2 * said for one in conversations)


def is_readable(connected: socket.socket) -> bool:
    return bool(select([connected], [], [], 0)[0])


def main() -> None:
    """Make all, or those whose names are given."""
    made = {
        "first-chat": first_chat,
        "tls": tls,
        "split-header": split_header,
        "two-clients": two_clients,
        "out-of-turn": out_of_turn,
        "slow-reader": slow_reader,
        "own-loop": own_loop,
    }
    for name in sys.argv[1:] or made:
        make = made[name]
        make(EXAMPLES / f"{name}.jsonl")
        print(f"{name}: {(EXAMPLES / f'{name}.jsonl').stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
