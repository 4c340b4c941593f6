"""The figures of the guide's chapters 1 to 4, where each call waits."""

import itertools
import select
import socket
import string
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from threading import Thread

from tests.support import ROOT, Peer, Program, cpu_seconds, status_of, tcp_pair
from tests.tools.guide import tell
from turnchat.core.frame import LENGTH_OF, encode, parse

SEGS_OUT = 136  # offset of tcpi_segs_out in struct tcp_info (linux/tcp.h)
SENDS = 10_000
MEGABYTE = 1_000_000
FRAME = encode(b"hello")
TURNS = 50
PARSES = 100_000
CLIENTS = 1000
WAIT = 10  # seconds


def segments_of(one: socket.socket) -> int:
    """The segments that a socket has sent."""
    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SEGS_OUT + 4)
    return int(struct.unpack_from("=I", info, SEGS_OUT)[0])


def pieces(send: Callable[[socket.socket], object], size: int, most: int) -> str:
    """Let a thread send, and count the calls of recv() that bring it all."""
    here, there = tcp_pair()
    before = segments_of(there)
    sender = Thread(target=send, args=(there,))
    sender.start()
    sizes: list[int] = []
    while sum(sizes) < size:
        sizes.append(len(here.recv(most)))
    sender.join()
    told = f"{len(sizes)} recv() of {min(sizes)} to {max(sizes)} bytes"
    told += f", {segments_of(there) - before} segments"
    here.close()
    there.close()
    return told


def many_sends(there: socket.socket) -> None:
    for _ in range(SENDS):
        there.send(b"hello")


def may_pass(character: str) -> bool:
    return character.isspace() or character in string.digits + "+-_"


def headers() -> str:
    """Count the headers of three ASCII characters that int() takes for a number."""
    taken = []
    # int() strips blanks, and takes signs and underscores; all other characters it refuses.
    for each in itertools.product([one for one in map(chr, range(128)) if may_pass(one)], repeat=3):
        with suppress(ValueError):
            taken.append((int("".join(each).encode()), "".join(each)))
    legal = [one for _, one in taken if one.encode() in LENGTH_OF]
    digits = [one for _, one in taken if all(char in string.digits for char in one)]
    return f"int() takes {len(taken)}, {len(digits)} of three digits, {len(legal)} are lengths"


def exchanged(name: str, exchange: Callable[[], object]) -> None:
    """Print the median time of an exchange."""
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        exchange()
        times.append(time.perf_counter() - began)
    tell(name, f"{median(times) * 1000:8.3f} ms, at most {max(times) * 1000:.1f}")


def lesson(name: str) -> tuple[Program, str]:
    server = Program("-u", "-m", f"turnchat.lessons.{name}", "server", "0", cwd=ROOT)
    return server, f"127.0.0.1:{server.line().split()[-1]}"


def in_one(peer: Peer) -> None:
    """Say a message in one send, and hear its answer."""
    peer.send(FRAME)
    peer.receive(len(FRAME))


def in_two(peer: Peer) -> None:
    """Say a message in two sends, and hear its answer."""
    peer.send(FRAME[:3])
    peer.send(FRAME[3:])
    peer.receive(len(FRAME))


def waiting() -> None:
    """The processor time of a server that waits for a client."""
    server, _ = lesson("length_prefix")
    before = cpu_seconds(server.pid)
    select.select([], [], [], WAIT)
    tell(f"processor time of {WAIT} s in accept()", f"{cpu_seconds(server.pid) - before:.2f} s")
    server.kill()


def threads() -> None:
    """The memory of a server with a thread for each silent client."""
    solution = str(ROOT / "tests" / "guide" / "solutions" / "blocking.py")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Program("-u", solution, str(port), cwd=ROOT)
    server.line()
    sizes = [int(status_of(server.pid, field)) for field in ("VmRSS", "VmSize")]
    peers = [Peer.to(f"127.0.0.1:{port}") for _ in range(CLIENTS)]
    while int(status_of(server.pid, "Threads")) <= CLIENTS:
        pass
    grown = [int(status_of(server.pid, field)) for field in ("VmRSS", "VmSize")]
    each = [(after - before) / CLIENTS for before, after in zip(sizes, grown, strict=True)]
    tell(f"each of {CLIENTS} threads", f"{each[0]:.1f} KiB, and {each[1]:.0f} KiB of addresses")
    tell("processor time to start them", f"{cpu_seconds(server.pid):.2f} s")
    for peer in peers:
        peer.close()
    server.kill()


def streams() -> None:
    tell(f"{SENDS} sends of 5 bytes", pieces(many_sends, 5 * SENDS, 4096))
    data = bytes(MEGABYTE)
    tell("one sendall() of 1 MB", pieces(lambda there: there.sendall(data), MEGABYTE, 65536))


def framing() -> None:
    tell("headers of three ASCII characters", headers())
    began = time.perf_counter()
    for _ in range(PARSES):
        parse(FRAME)
    tell("parse()", f"{(time.perf_counter() - began) / PARSES * 1e6:.2f} µs")


def turns() -> None:
    """A message and its answer, in one piece."""
    server, address = lesson("length_prefix")
    peer = Peer.to(address)
    exchanged("header and body in one send", lambda: in_one(peer))
    peer.close()
    server.kill()


def blocking() -> None:
    """A message and its answer, in two pieces; and what a wait costs."""
    server, address = lesson("length_prefix")
    peer = Peer.to(address)
    exchanged("header and body in two sends", lambda: in_two(peer))
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    exchanged("in two sends, with TCP_NODELAY", lambda: in_two(peer))
    peer.close()
    server.kill()
    waiting()
    threads()
