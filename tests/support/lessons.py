"""The lessons: their headers, and their programs."""

import ast
import re
import select
import socket
import time
from typing import NamedTuple

from tests.support.peer import Peer
from tests.support.process import ROOT, Program, Start, waiting_in
from tests.support.tcp import has_read_all

FOLDER = ROOT / "turnchat" / "lessons"
ROAD = (
    "raw_http", "fixed16", "length_prefix", "one_by_one", "select_by_hand",
    "many_clients", "short_writes", "deadlines",
)  # fmt: skip
NAMES = (*ROAD, "naive")
SERVERS = tuple(name for name in NAMES if name != "raw_http")
CLIENTS = ("fixed16", "length_prefix", "one_by_one", "select_by_hand", "naive")
TURNS = 60  # more than the buffers of the kernel hold, if they are small


class Lesson(NamedTuple):
    """A lesson's text. tries: the commands of "Try this", without what is said of them."""

    name: str
    header: str
    tries: list[str]
    code: str

    @property
    def answer(self) -> str:
        """The answer to "Predict", at the end of the file."""
        _, separator, answer = self.code.rpartition("\n\n# Answer: ")
        return answer.replace("\n# ", " ").strip() if separator else ""


def read(name: str) -> Lesson:
    """Read a lesson's file."""
    code = (FOLDER / f"{name}.py").read_text()
    header = ast.get_docstring(ast.parse(code)) or ""
    _, _, rest = header.partition("\nTry this: ")
    tries, _, _ = rest.partition("\nPredict: ")
    commands = re.findall(r"^    (.*?)(?:  # .*)?$", tries, re.MULTILINE)
    return Lesson(name, header, commands, code)


def start(program: Start, name: str, role: str, port: str = "0", *more: str) -> Program:
    """Start a lesson as README says, from the folder of the checkout."""
    return program(
        "-u", "-m", f"turnchat.lessons.{name}", role, port, *more, env={"PYTHONPATH": str(ROOT)}
    )


def serve(program: Start, name: str, *more: str) -> tuple[Program, str]:
    """Start a lesson's server: the server, and its port."""
    server = start(program, name, "server", "0", *more)
    return server, port_of(server)


def port_of(server: Program) -> str:
    """The port that a server says in its first line."""
    words = server.line()
    assert words.startswith("listening on port "), words
    return words.split()[-1]


def call(port: str) -> Peer:
    return Peer.to(f"127.0.0.1:{port}")


def is_quiet(program: Program, most: int = 0) -> bool:
    """Return True if a program prints nothing for a while, or no more than `most` bytes."""
    stdout = program.process.stdout
    assert stdout
    select.select([] if most else [stdout], [], [], 0.3)
    return waiting_in(stdout.fileno()) <= most


def deaf(port: str) -> Peer:
    """Connect a client with a small receive buffer, which has to be set before (tcp(7))."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or two messages leave as one
    made.connect(("127.0.0.1", int(port)))
    return Peer(made)


def is_read(peer: Peer) -> bool:
    """Return True if the server reads what was said last: at once, or it does not."""
    limit = time.monotonic() + 1
    while not has_read_all(peer):
        if time.monotonic() > limit:
            return False
        select.select([], [], [], 0.002)
    return True


def talk_and_do_not_read(server: Program, peer: Peer) -> int:
    """Say messages until the server reads no more of them: the number of those that it has read."""
    for turn in range(TURNS):
        peer.say("hello")
        if not is_read(peer):
            return turn
        server.line_with("you to client ")
    raise AssertionError("the kernel has taken all answers")
