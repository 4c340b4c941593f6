"""HAProxy with a configuration of a test's own, and what it tells of its servers."""

import csv
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support.clock import PATIENCE, wait_until
from tests.support.process import ROOT

SHIPPED = ROOT / "turnchat" / "deploy" / "haproxy.cfg"
GLOBALS = """
global
    maxconn 4000
    stats socket {folder}/haproxy.sock level admin
defaults
    mode tcp
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    timeout queue 60s
    option redispatch 1
"""


class Balancer:
    """A running HAProxy. addresses: where its frontends listen."""

    def __init__(self, folder: Path, config: str, fronts: list[socket.socket]) -> None:
        """`config` has a stats socket haproxy.sock in `folder`, and binds the fronts."""
        self.folder = folder
        self.addresses = [_address_of(front) for front in fronts]
        written = folder / "haproxy.cfg"
        written.write_text(config)
        self._output = (folder / "haproxy.log").open("w+")
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(written)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            pass_fds=[front.fileno() for front in fronts],
        )
        wait_until(lambda: self._is_ready() or self._process.poll() is not None)
        assert self._process.poll() is None, (folder / "haproxy.log").read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _is_ready(self) -> bool:
        try:
            self.command("show info")
        except OSError:
            return False
        return True

    def command(self, text: str) -> str:
        """Give HAProxy a command: its answer (management.txt, 9.3)."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(PATIENCE)
            asked.connect(str(self.folder / "haproxy.sock"))
            asked.sendall(f"{text}\n".encode())
            answer = b""
            while data := asked.recv(65536):
                answer += data
        return answer.decode()

    def row(self, proxy: str, server: str) -> dict[str, str]:
        """The statistics of a server, or of FRONTEND or BACKEND."""
        rows = csv.DictReader(self.command("show stat").removeprefix("# ").splitlines())
        (found,) = [row for row in rows if (row["pxname"], row["svname"]) == (proxy, server)]
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self._output.close()

    @classmethod
    @contextmanager
    def running(cls, folder: Path, config: str, *hosts: str) -> Iterator[Self]:
        """Run one that listens on a free port of each host; {0}, {1} in `config` bind them."""
        fronts = [_front(host) for host in hosts]
        binds = [f"bind fd@{front.fileno()}" for front in fronts]
        balancer = cls(folder, GLOBALS.format(folder=folder) + config.format(*binds), fronts)
        try:
            yield balancer
        finally:
            balancer.close()
            for front in fronts:
                front.close()


def _front(host: str) -> socket.socket:
    """A socket that listens, for HAProxy to inherit: so no other program gets its port."""
    if host.startswith("/"):
        front = socket.socket(socket.AF_UNIX)
        front.bind(host)
    else:
        front = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        front.bind((host, 0))
    front.listen(1024)
    return front


def _address_of(front: socket.socket) -> str:
    if front.family == socket.AF_UNIX:
        return f"unix:{os.fsdecode(front.getsockname())}"
    host, port, *_ = front.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
