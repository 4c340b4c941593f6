"""Servers without an operator: they answer by themselves and log to standard error."""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.peer import Peer
from tests.support.process import SERVER, Program, Start

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


def python(code: str) -> str:
    """The command that runs a piece of Python."""
    return shlex.join([sys.executable, "-c", code])


def serve(program: Start, *arguments: str, **how: object) -> tuple[Program, str]:
    """Start a server without an operator: the server, and its address."""
    address = () if "unix:" in arguments[-1] else ("0",)
    how = {"stdin": subprocess.DEVNULL, **how}
    server = program(SERVER, *arguments, *address, **how)
    line = server.line("stderr")
    assert re.match(rf"{TIME} \* listening on ", line), line
    return server, line.rpartition(" ")[2]


def stop(server: Program) -> list[str]:
    """Stop a server in good order: the rest of its log, without the times."""
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    return [re.sub(rf"^{TIME} ", "", line) for line in server.rest("stderr")]


def talk(address: str, *messages: str) -> list[str]:
    """Say messages, and then BYEBYE: the answers."""
    peer = Peer.to(address)
    answers = []
    for message in messages:
        peer.say(message)
        answers.append(peer.hear())
    peer.say("BYEBYE")
    assert peer.hears_the_end()
    peer.close()
    return answers


def is_served(address: str) -> bool:
    """True if a newcomer gets an answer now."""
    try:
        return talk(address, "again") == ["again"]
    except ConnectionError:
        return False


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
