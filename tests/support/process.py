"""Programs on pipes, and what the kernel knows of a process."""

import fcntl
import gc
import os
import re
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import IO

from tests.support.clock import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = str(ROOT / "bin" / "turnchat-server")
CLIENT = str(ROOT / "bin" / "turnchat-client")

Start = Callable[..., "Program"]


class Program:
    """A program on pipes. Its output is read line by line, with patience."""

    def __init__(
        self,
        *command: str,
        stdin: int | None = subprocess.PIPE,
        stdout: IO[str] | int = subprocess.PIPE,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: Collection[int] = (),
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            pass_fds=pass_fds,
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


def serve(program: Start, *arguments: str, **how: object) -> tuple[Program, str]:
    """Start a server with a script at its input: the server, and its address."""
    has_address = any(one.startswith(("unix:", "[", "localhost")) for one in arguments)
    server = program(SERVER, *arguments, *([] if has_address else ["0"]), **how)
    line = server.line()
    assert line.startswith("* listening on "), line
    return server, line.removeprefix("* listening on ")


def run(*command: str, stdin: str | bytes = "", **how: object) -> tuple[int, str, str]:
    """Run a program to its end: its status, and the text of its outputs."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    result = subprocess.run(  # type: ignore[call-overload]
        [sys.executable, *command],
        input=data,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        **how,
    )
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def exit_status(main: Callable[[list[str]], int], *arguments: str) -> int:
    """The exit status of a program's main function, which is run in this process."""
    try:
        return main(list(arguments))
    except SystemExit as leaving:
        return int(leaving.code or 0)


def steady(text: str) -> str:
    """A text without ports and durations, which differ from run to run."""
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
    return re.sub(r"(\d+ min )?\d+(\.\d)? s\b", "T s", text)


def waiting_in(descriptor: int) -> int:
    """The number of bytes that can be read from a pipe now."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def catches(pid: int, number: signal.Signals) -> bool:
    """True if a process has a handler for the signal."""
    return bool(int(status_of(pid, "SigCgt"), 16) >> (number - 1) & 1)


def status_of(pid: int, field: str) -> str:
    """A field of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return line.split()[1]
    raise KeyError(field)


def cpu_seconds(pid: int) -> float:
    """The user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors_of(pid: int) -> list[int]:
    """The descriptors that a process has open."""
    return sorted(map(int, os.listdir(f"/proc/{pid}/fd")))


def own_descriptors() -> list[str]:
    """The descriptors that this process has open.

    What other tests have left in cycles is closed first: it must not be closed between two looks.
    """
    gc.collect()
    return sorted(os.listdir("/proc/self/fd"))


def child_of(pid: int) -> int:
    """The only child of a process, as soon as it has one."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    wait_until(lambda: children.read_text().split())
    (child,) = map(int, children.read_text().split())
    return child
