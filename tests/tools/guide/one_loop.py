"""The figures of the guide's chapters 5 to 7, where one loop waits for all."""

import select
import selectors
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median

from tests.support import tcp_pair
from tests.tools.guide import tell
from turnchat.check.sockets.connecting import with_little_room
from turnchat.core.loop import EventLoop

FRAME = b"255" + b"x" * 255
PIECE = b"x" * 65536
REPLY = b"x" * 4_000_000
SECOND = 1.0  # for what is counted
MOST = 1 << 28  # bytes; no kernel takes so many
TIMERS = 10_000


# 5: readiness


def timed(call: Callable[[], object], times: int = 200) -> float:
    """Return the median time of a call in microseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return median(took) * 1e6


def watchers(number: int) -> None:
    """Ask for the one file that is ready among so many, by each of the three calls."""
    pairs = [socket.socketpair() for _ in range(number)]
    files = [one for one, _ in pairs]
    pairs[number // 2][1].send(b"x")
    if max(one.fileno() for one in files) < 1024:
        tell(
            f"select() of {number} files", f"{timed(lambda: select.select(files, [], [])):8.1f} µs"
        )
    polled, epolled = select.poll(), select.epoll()
    for one in files:
        polled.register(one, select.POLLIN)
        epolled.register(one, select.EPOLLIN)
    tell(f"poll() of {number} files", f"{timed(polled.poll):8.1f} µs")
    tell(f"epoll of {number} files", f"{timed(epolled.poll):8.1f} µs")
    epolled.close()
    for pair in pairs:
        for one in pair:
            one.close()


def spinning() -> None:
    """Ask a silent non-blocking socket for bytes, again and again, for a second."""
    here, there = tcp_pair()
    here.setblocking(False)
    count, end = 0, time.monotonic() + SECOND
    cpu = time.process_time()
    while time.monotonic() < end:
        count += 1
        with suppress(BlockingIOError):
            here.recv(1)
    tell("recv() on a silent socket, in a second", f"{count:,} times EAGAIN")
    tell("processor time of that", f"{time.process_time() - cpu:.2f} s")
    cpu = time.process_time()
    select.select([here], [], [], SECOND)
    tell(
        "processor time of one select() of a second", f"{(time.process_time() - cpu) * 1e3:.2f} ms"
    )
    here.close()
    there.close()


# 6: buffers


def swallowed(piece: bytes, *, is_small: bool = False) -> None:
    """Send to a peer that does not read, until the kernel takes no more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        make = with_little_room(socket.socket) if is_small else socket.socket
        peer = make(socket.AF_INET, socket.SOCK_STREAM)
        peer.connect(listening.getsockname())
        sender, _ = listening.accept()
    sender.setblocking(False)
    taken = calls = last = 0
    with suppress(BlockingIOError):
        while taken < MOST:
            last = sender.send(piece)
            taken, calls = taken + last, calls + 1
    kind = "small" if is_small else "usual"
    tell(
        f"{kind} buffers, {len(piece)} bytes a send",
        f"{taken:,} bytes in {calls:,} sends; the last took {last}",
    )
    sender.close()
    peer.close()


def write_interest() -> None:
    """Watch a socket that is writable all the time, and write nothing, for a second."""
    here, there = tcp_pair()
    selector = selectors.DefaultSelector()
    selector.register(here, selectors.EVENT_WRITE)
    rounds, end, cpu = 0, time.monotonic() + SECOND, time.process_time()
    while time.monotonic() < end:
        rounds += len(selector.select(SECOND))
    tell("rounds a second, with write interest and nothing to write", f"{rounds:,}")
    tell("processor time of that", f"{time.process_time() - cpu:.2f} s")
    here.close()
    there.close()


def without_a_bound() -> None:
    """Let a peer send for a second and read nothing; a loop reads all, and keeps what is unsent."""
    here, there = tcp_pair()
    for one in (here, there):
        one.setblocking(False)
    unsent, end = bytearray(), time.monotonic() + SECOND
    while time.monotonic() < end:
        with suppress(BlockingIOError):
            there.send(PIECE)
        with suppress(BlockingIOError):
            unsent += here.recv(65536)
            del unsent[: here.send(unsent)]
    tell("unsent after a second, without a bound", f"{len(unsent) >> 20} MiB")
    here.close()
    there.close()


# 7: ends


def closed(*, is_orderly: bool) -> None:
    """Send a long reply and close, while one byte of the peer was not read."""
    here, there = tcp_pair()
    there.send(b"x")
    here.setblocking(False)
    there.setblocking(False)
    sent = received = 0
    with suppress(BlockingIOError):
        sent = here.send(REPLY)
    if is_orderly:
        here.shutdown(socket.SHUT_WR)
        here.recv(1)
    else:
        here.close()
    how = "EOF"
    there.setblocking(True)
    try:
        while data := there.recv(65536):
            received += len(data)
    except OSError as error:
        how = type(error).__name__
    name = "shut down, read, closed" if is_orderly else "closed with a byte unread"
    tell(f"{name}: sent {sent:,}", f"received {received:,}, then {how}")
    here.close()
    there.close()


def lingering() -> None:
    """Close with SO_LINGER of zero seconds: a reset, although everything was read."""
    here, there = tcp_pair()
    here.send(b"last words")
    here.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    here.close()
    came = there.recv(64)
    with suppress(ConnectionResetError):
        came += there.recv(64)
        raise AssertionError("it was no reset")
    tell("closed with SO_LINGER of 0 seconds", f"received {came!r}, then ConnectionResetError")
    there.close()


def interrupted(*, has_descriptor: bool) -> None:
    """Sleep a second in select(), and get a signal after a tenth of it."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    if has_descriptor:
        signal.set_wakeup_fd(writing.fileno())
    signal.setitimer(signal.ITIMER_REAL, SECOND / 10)
    began = time.monotonic()
    ready = select.select([reading], [], [], SECOND)[0]
    took = time.monotonic() - began
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGALRM, before)
    name = "with" if has_descriptor else "without"
    said = f", {reading.recv(8)!r} to read" if ready else ""
    tell(f"a signal after 0.1 s, {name} a wakeup descriptor", f"select() took {took:.1f} s{said}")


def timers() -> None:
    """Start each of many timers again and again, as each message of a conversation does."""
    loop = EventLoop()
    made = [loop.timer("t", lambda: None) for _ in range(TIMERS)]
    for timer in made:
        timer.start(60)
    before = loop.statistics()["entries_made"]
    began = time.perf_counter()
    for _ in range(10):
        for timer in made:
            timer.start(60)
    took = (time.perf_counter() - began) / (10 * TIMERS)
    more = loop.statistics()["entries_made"] - before
    tell(f"start() of one of {TIMERS:,} timers, again", f"{took * 1e9:.0f} ns, {more} new entries")
    loop.close()


def readiness() -> None:
    for number in (10, 500, 5000):
        watchers(number)
    spinning()


def buffers() -> None:
    for piece in (PIECE, FRAME):
        swallowed(piece)
    swallowed(FRAME, is_small=True)
    write_interest()
    without_a_bound()


def ends() -> None:
    closed(is_orderly=False)
    closed(is_orderly=True)
    lingering()
    interrupted(has_descriptor=False)
    interrupted(has_descriptor=True)
    timers()
