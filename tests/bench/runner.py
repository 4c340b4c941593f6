"""One measurement: a server on one core, the load on another."""

import json
import os
import platform
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from string import ascii_lowercase
from typing import IO, NamedTuple

from tests.bench.rivals import PEERS
from tests.support import ROOT, SERVER
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import FRAME_LIMIT, encode

HERE = Path(__file__).parent
BUILT = ROOT / "build" / "bench"
TICK = 1e6 / os.sysconf("SC_CLK_TCK")  # microseconds
MOST = "20000"  # conversations at a time
BODY = 16  # bytes
TURNCHAT = "turnchat"
RECORDED = "turnchat --record"
FLOOR = "C over epoll"
NAKED = "naked"
UVLOOP, ASYNCIO = "uvloop protocol", "asyncio protocol"
CERTIFICATE = BUILT / "certificate.pem"  # and its key
CORES = sorted(os.sched_getaffinity(0))
PATIENCE = (
    60.0  # seconds for a server to say its port, to answer and to end: valgrind takes its time
)


class LoadFailed(Exception):
    """The load gave up; its reason is on standard error."""


class Figures(NamedTuple):
    """The results of a measurement. cpu: microseconds of the server's processor a turn."""

    rate: float
    cpu: float
    p50: float
    p99: float
    failures: int


def commands(python: str = sys.executable) -> dict[str, list[str]]:
    """Return the command of each server; its first line ends with its port."""
    turnchat = [python, SERVER, "--echo", "--max-conversations", MOST, "127.0.0.1:0"]
    naked = [python, "-m", "tests.bench.naked"]
    peers = {name.replace("-", " "): [python, "-m", "tests.bench.rivals", name] for name in PEERS}
    return {FLOOR: [str(BUILT / "floor")], NAKED: naked, TURNCHAT: turnchat, **peers}


def commands_with_tls() -> dict[str, list[str]]:
    """Return the commands of the servers that speak TLS."""
    chosen, plain = {}, commands()
    for name in (UVLOOP, ASYNCIO):
        chosen[name] = [*plain[name], str(CERTIFICATE)]
    *command, address = plain[TURNCHAT]
    return {TURNCHAT: [*command, "--tls-cert", str(CERTIFICATE), address], **chosen}


def recorded(command: list[str]) -> list[str]:
    """Return turnchat's command with a recording."""
    return [*command, "--record", "/dev/null"]


def commands_by(python: str) -> dict[str, list[str]]:
    """Return the commands that need the standard library alone, by the system's own Python.

    There are none if it is missing, too old, or the one that runs this.
    """
    if not shutil.which(python) or os.path.samefile(python, sys.executable):
        return {}
    is_new = "import sys; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run([python, "-S", "-c", is_new], check=False).returncode:
        return {}
    theirs, maker = commands(python), platform.freedesktop_os_release()["NAME"].split()[0]
    return {f"{name}, {maker}'s Python": theirs[name] for name in (NAKED, TURNCHAT, ASYNCIO)}


def build() -> None:
    """Compile what is in C. Exits where there is no compiler."""
    compiler = os.environ.get("CC", "cc")
    if not shutil.which(compiler):
        sys.exit(f"the load is a program in C, and there is no {compiler}: install gcc or clang")
    BUILT.mkdir(parents=True, exist_ok=True)
    for name in ("load", "floor"):
        _compile(compiler, name, f"{name}.c")


def prepare_tls() -> None:
    """Compile the load that speaks TLS, and make a certificate: P-256, as most have today."""
    _compile(os.environ.get("CC", "cc"), "load-tls", "load.c", "-DTLS", "-lssl", "-lcrypto")
    made = BUILT / f"certificate.{os.getpid()}"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(made), "-out", str(made.with_suffix(".crt"))]
    command = ["openssl", "req", "-x509", *key, *files, "-subj", "/CN=localhost"]
    subprocess.run(command, check=True, capture_output=True)
    with made.open("a") as both:
        both.write(made.with_suffix(".crt").read_text())
    made.with_suffix(".crt").unlink()
    made.replace(CERTIFICATE)


def _compile(compiler: str, name: str, source: str, *libraries: str) -> None:
    made = BUILT / f"{name}.{os.getpid()}"  # another test may run the former one just now
    flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", made, HERE / source, *libraries], check=True)
    made.replace(BUILT / name)


def pinned(core: int, command: list[str]) -> list[str]:
    """A command on one core. With one core alone there is nothing to choose."""
    return ["taskset", "--cpu-list", str(core), *command]


class Server:
    """A server under measurement."""

    def __init__(self, process: subprocess.Popen[bytes], port: str, *, is_tls: bool) -> None:
        self.process = process
        self.port = port
        self.load = "load-tls" if is_tls else "load"
        self._proc = Path("/proc") / str(process.pid)

    @property
    def cpu(self) -> float:
        """Microseconds of processor time so far, user and system (proc(5): utime, stime)."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK

    @property
    def memory(self) -> int:
        """KiB in memory now."""
        status = (self._proc / "status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1])  # type: ignore[index]

    def connect(self) -> socket.socket:
        connected = socket.create_connection(("127.0.0.1", int(self.port)), PATIENCE)
        if self.load == "load":
            return connected
        context = ssl.create_default_context(cafile=CERTIFICATE)
        return context.wrap_socket(connected, server_hostname="localhost")

    def end(self) -> None:
        """Ask it to end, and wait: a program around it writes what it has counted."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(PATIENCE)


@contextmanager
def started(command: list[str], lines: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[Server]:
    """Start a server, and kill it. What it prints goes to a file; `lines` are its input."""
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            pinned(CORES[0], command),
            cwd=ROOT,
            stdin=lines,
            stdout=printed,
            stderr=printed,
            start_new_session=True,  # its group is the server, with a program around it
        )
        try:
            yield Server(process, _port(process, printed), is_tls=str(CERTIFICATE) in command)
        finally:
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def serving(command: list[str]) -> Iterator[Server]:
    """Start a server, and warm it by a visitor that has come and gone.

    asyncio asks the kernel for memory in each turn, and gives it back, until its first connection
    has been closed: with 100 conversations it is far slower.
    """
    with started(command) as server:
        with server.connect() as visitor:
            exchange([visitor], b"hello")
            leave([visitor])
        yield server


def exchange(conversations: list[socket.socket], body: bytes) -> None:
    """Take a turn in each: first all messages, then all answers."""
    frame = encode(body)
    for one in conversations:
        one.sendall(frame)
    for one in conversations:
        assert one.recv(FRAME_LIMIT) == frame


def leave(conversations: list[socket.socket]) -> None:
    """Say BYEBYE in each, and wait until the server has ended its stream."""
    for one in conversations:
        one.sendall(encode(BYEBYE))
    for one in conversations:
        assert one.recv(FRAME_LIMIT) == b""


@contextmanager
def serving_naively() -> Iterator[Server]:
    """Run the naive lesson, which serves one client, and type the answers that the load expects."""
    command = [sys.executable, "-m", "turnchat.lessons.naive", "server", "0"]
    answers = "\n".join(letter * BODY for letter in ascii_lowercase)
    with subprocess.Popen(["yes", answers], stdout=subprocess.PIPE) as person:
        assert person.stdout
        with started(command, person.stdout) as server:  # a visitor would be its only one
            yield server
        person.kill()


def _port(process: subprocess.Popen[bytes], printed: IO[str]) -> str:
    """The port at the end of the first line that a server prints."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
        if port := re.search(r"(\d+)\n", os.pread(printed.fileno(), 4096, 0).decode()):
            return port[1]
    sys.exit(f"{process.args!r} does not tell its port: {os.pread(printed.fileno(), 4096, 0)!r}")


@contextmanager
def loading(server: Server, *what: object) -> Iterator[subprocess.Popen[str]]:
    """Start the load on the other core."""
    command = [str(BUILT / server.load), str(what[0]), server.port, *map(str, what[1:])]
    with subprocess.Popen(
        pinned(CORES[-1], command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as load:
        try:
            yield load
        finally:
            load.kill()


def next_line(load: subprocess.Popen[str]) -> str:
    """Return the next line of the load. Raises LoadFailed."""
    assert load.stdout
    line = load.stdout.readline()
    if not line:
        raise LoadFailed
    return line


def turns(server: Server, conversations: int, body: int, seconds: float) -> Figures:
    """As many turns as the server makes. Raises LoadFailed."""
    with loading(server, "turns", conversations, body, seconds) as load:
        next_line(load)
        before = server.cpu
        next_line(load)
        cpu = server.cpu - before
        found = json.loads(next_line(load))
    _settle(server)
    return Figures(
        found["turns"] / found["seconds"],
        cpu / found["turns"] if found["turns"] else 0.0,
        found["p50"],
        found["p99"],
        found["failures"],
    )


def _settle(server: Server) -> None:
    """Wait until it has closed what the load has left: others are measured next."""
    before = -1.0
    while server.cpu > before:
        before = server.cpu
        time.sleep(0.05)


def visits(server: Server, at_once: int, seconds: float) -> tuple[float, int]:
    """Return the visitors a second, which have one turn and say BYEBYE, and the failures."""
    with loading(server, "visits", at_once, seconds) as load:
        next_line(load)
        next_line(load)
        found = json.loads(next_line(load))
    return found["visits"] / found["seconds"], found["failures"]


def hold(server: Server, conversations: int) -> tuple[float, int]:
    """KiB of memory a silent conversation, and failures of a turn that each has in the end."""
    before = server.memory
    with loading(server, "hold", conversations) as load:
        next_line(load)
        grown = server.memory - before
        assert load.stdin
        load.stdin.close()
        found = json.loads(next_line(load))
    return grown / conversations, found["failures"]


@contextmanager
def trouble(
    server: Server, silent: int, dripping: int, vanishing: int, drip: float = 1.0
) -> Iterator[None]:
    """Run bad peers on a core with the load.

    vanishing: peers a second. drip: seconds between two bytes of a dripping peer.
    """
    with loading(server, "trouble", silent, dripping, vanishing, drip) as load:
        next_line(load)
        yield
        assert load.stdin
        load.stdin.close()
        failures = json.loads(next_line(load))["failures"]
        assert not failures, f"{failures} dripping peers were not answered"


def processor() -> str:
    """The processor's name, as the kernel tells it."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else "unknown processor"
