"""What several tests need: a clock driven by hand, peers, programs, terminals."""

import fcntl
import os
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Self

import pexpect
import pyte

from turnchat.core.loop import EventLoop

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = str(ROOT / "bin" / "turnchat-server")
CLIENT = str(ROOT / "bin" / "turnchat-client")

ROWS, COLUMNS = 50, 80
PATIENCE = 30.0  # seconds until an event that must come is taken to be missing


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def run_until(loop: EventLoop, condition: Callable[[], object]) -> None:
    """Run rounds until `condition` holds. Each round must have something to wake up for."""
    give_up = loop.timer("the test's patience", lambda: None)
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "what the test waits for has not happened"
        give_up.start(0.05)
        loop.run_once()
    give_up.cancel()


def run_rounds(loop: EventLoop, number: int = 1) -> None:
    """Run so many rounds, whether or not there is anything to wake up for."""
    for _ in range(number):
        loop.timer("the test's round", lambda: None).start(0)
        loop.run_once()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what another process does, looking now and then, without keeping it from it."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "what the test waits for has not happened"
        select.select([], [], [], 0.005)


def fill(sender: socket.socket) -> int:
    """Send until the kernel takes no more: how many bytes it took."""
    sent = 0
    with suppress(BlockingIOError):
        while True:
            sent += sender.send(bytes(4096))
    return sent


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection: unlike a socket pair it knows resets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = socket.create_connection(listening.getsockname())
        return listening.accept()[0], there


class Peer:
    """A plain blocking socket that speaks the wire, or breaks it."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(PATIENCE)

    @classmethod
    def to(cls, address: str) -> Self:
        """Connect to HOST:PORT or unix:PATH."""
        if address.startswith("unix:"):
            connected = socket.socket(socket.AF_UNIX)
            connected.connect(address.removeprefix("unix:"))
            return cls(connected)
        host, _, port = address.rpartition(":")
        return cls(socket.create_connection((host.strip("[]"), int(port))))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, text: str) -> None:
        body = text.encode()
        self.send(b"%03d%b" % (len(body), body))

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes, or fewer if the stream ends before."""
        data = b""
        while len(data) < size and (piece := self.socket.recv(size - len(data))):
            data += piece
        return data

    def hear(self) -> str:
        """One message, or an empty string at the end of the stream."""
        header = self.receive(3)
        return self.receive(int(header)).decode() if header else ""

    def hears_the_end(self) -> bool:
        """Whether the stream ends here, in good order: EOF, and no reset."""
        return self.socket.recv(1) == b""

    def reset(self) -> None:
        """End with a reset (RST) and not with FIN: SO_LINGER with no time."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


class Answering:
    """A server of the test's own, for one client: sends what it is told when it has heard."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"

    def accept(self) -> Peer:
        self.listening.settimeout(PATIENCE)
        peer = Peer(self.listening.accept()[0])
        self.listening.close()
        return peer


class Noted:
    """News, for tests to look at."""

    shows_details = False
    shows_arrivals = True

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.details: list[str] = []
        self.notice = self.status = self.error = self.lines.append
        self.detail = self.details.append


class Program:
    """A program on pipes. Its output is read line by line, with patience."""

    def __init__(
        self,
        *command: str,
        stdin: int | None = subprocess.PIPE,
        stdout: IO[str] | int = subprocess.PIPE,
        env: dict[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
        )
        self._rests = {"stdout": b"", "stderr": b""}

    @property
    def pid(self) -> int:
        return self.process.pid

    def type(self, *lines: str) -> None:
        assert self.process.stdin
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def line(self, stream: str = "stdout") -> str:
        """The next line, without its end; an empty string at the end of the stream."""
        pipe = getattr(self.process, stream)
        while b"\n" not in self._rests[stream]:
            ready, _, _ = select.select([pipe], [], [], PATIENCE)
            assert ready, f"no line on {stream}, but {self._rests[stream]!r}"
            if not (data := os.read(pipe.fileno(), 65536)):
                break
            self._rests[stream] += data
        line, _, self._rests[stream] = self._rests[stream].partition(b"\n")
        return line.decode()

    def line_with(self, text: str, stream: str = "stdout") -> str:
        """The next line that contains `text`."""
        seen = []
        while line := self.line(stream):
            seen.append(line)
            if text in line:
                return line
        raise AssertionError(f"no {text!r} on {stream}, but {seen}")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def rest(self, stream: str = "stdout") -> list[str]:
        """All lines until the stream ends."""
        lines = []
        while line := self.line(stream):
            lines.append(line)
        return lines

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                with suppress(BrokenPipeError):  # it closes all the same
                    pipe.close()


class Terminal:
    """A program on a terminal of its own, and what stands on its screen.

    raw: every character that it wrote.
    """

    def __init__(
        self, *command: str, env: dict[str, str] | None = None, columns: int = COLUMNS
    ) -> None:
        self.raw = ""
        self.spawn = pexpect.spawn(
            sys.executable,
            list(command),
            encoding="utf-8",
            dimensions=(ROWS, columns),
            env={**os.environ, "TERM": "xterm", **(env or {})},
        )
        self.spawn.delaybeforesend = None
        self.screen = pyte.Screen(columns, ROWS)
        self._emulator = pyte.Stream(self.screen)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds of the screen."""
        limit = time.monotonic() + PATIENCE
        while not condition():
            try:
                text = self.spawn.read_nonblocking(65536, max(0.0, limit - time.monotonic()))
            except (pexpect.EOF, pexpect.TIMEOUT) as error:
                raise AssertionError(f"{type(error).__name__}, but:\n{self.text}") from None
            self.raw += text
            self._emulator.feed(text)

    def sees(self, *texts: str) -> None:
        """Wait until each of `texts` is on the screen, wherever it is."""
        for text in texts:
            self.until(partial(self.shows, text))

    def shows(self, text: str) -> bool:
        """Whether `text` is on the screen now; it may run over the end of a row."""
        return text in self.text or text in "".join(self.screen.display)

    def asks(self, prompt: str) -> None:
        """Wait until `prompt`, and nothing else, is on the row of the cursor."""
        self.until(lambda: self.row == prompt.rstrip())

    def types(self, text: str) -> None:
        """Type `text`, and wait until it stands in front of the cursor."""
        self.spawn.send(text)
        self.until(lambda: self.row.endswith(text))

    def enters(self, text: str) -> None:
        """Type a line and its end."""
        if text:
            self.types(text)
        row = self.screen.cursor.y
        self.spawn.send("\n")
        self.until(lambda: self.screen.cursor.y > row)

    def presses(self, keys: str) -> None:
        """Type what has no echo to wait for."""
        self.spawn.send(keys)

    @property
    def row(self) -> str:
        """The row of the cursor."""
        display: list[str] = self.screen.display
        return display[self.screen.cursor.y].rstrip()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: int) -> None:
        self.spawn.kill(number)

    def hang_up(self) -> None:
        """Take the terminal away, as closing its window does."""
        os.close(self.spawn.child_fd)
        self.spawn.closed = True

    def exits_with(self) -> int:
        """Wait for its end: its status, or the negative number of the signal that ended it."""
        if not self.spawn.closed:
            with suppress(AssertionError):
                self.until(lambda: self.spawn.flag_eof)
            assert self.spawn.flag_eof, f"it has not ended:\n{self.text}"
        self.spawn.wait()
        if self.spawn.exitstatus is None:
            assert self.spawn.signalstatus
            return -self.spawn.signalstatus
        return self.spawn.exitstatus

    def close(self) -> None:
        if not self.spawn.closed:
            self.spawn.close(force=True)


def steady(text: str) -> str:
    """A text without what is different each time: ports, and how long something took."""
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
    return re.sub(r"(\d+ min )?\d+(\.\d)? s\b", "T s", text)


def waiting_in(descriptor: int) -> int:
    """How many bytes can be read from a pipe now."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for the signal."""
    return bool(int(status_of(pid, "SigCgt"), 16) >> (number - 1) & 1)


def status_of(pid: int, field: str) -> str:
    """A field of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return line.split()[1]
    raise KeyError(field)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors_of(pid: int) -> list[int]:
    """Those that a process has open."""
    return sorted(map(int, os.listdir(f"/proc/{pid}/fd")))
