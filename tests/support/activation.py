"""Programs that are started with sockets, as a service manager and an inetd do it."""

import fcntl
import os
import socket
from collections.abc import Sequence

from tests.support.process import SERVER, Program, Start

# Takes numbers of descriptors, the number that the first of them shall have, and a command.
HAND_OVER = """\
import os, sys
handed, first, command = sys.argv[1].split(), int(sys.argv[2]), sys.argv[3:]
for number, descriptor in enumerate(handed, first):
    os.dup2(int(descriptor), number)
if first == 3:
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ.setdefault("LISTEN_FDS", str(len(handed)))
os.execvp(command[0], command)
"""
HIGH = 100  # descriptors that are out of the way of 0 to 4


def listening(address: tuple[str, int] | str = ("127.0.0.1", 0)) -> tuple[socket.socket, str]:
    """A listening socket, and its address."""
    if isinstance(address, str):
        made = socket.socket(socket.AF_UNIX)
        made.bind(address)
        made.listen()
        return made, f"unix:{address}"
    made = socket.create_server(address)
    return made, f"127.0.0.1:{made.getsockname()[1]}"


def activated(
    program: Start,
    sockets: Sequence[socket.socket],
    *arguments: str,
    before: Sequence[str] = (),
    **environment: str,
) -> Program:
    """Start a server with sockets from descriptor 3 up. `before`: a program that starts it."""
    return _start(program, sockets, 3, [*before, SERVER, *arguments], environment)


def handed_over(program: Start, sockets: Sequence[socket.socket], *command: str) -> Program:
    """Start any program with sockets from descriptor 3 up."""
    return _start(program, sockets, 3, command, {})


def by_inetd(
    program: Start, connected: socket.socket, *arguments: str, streams: int = 3
) -> Program:
    """Start a server with one socket as this many of its standard streams."""
    return _start(program, [connected] * streams, 0, [SERVER, *arguments], {})


def _start(
    program: Start,
    sockets: Sequence[socket.socket],
    first: int,
    command: Sequence[str],
    environment: dict[str, str],
) -> Program:
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, HIGH) for one in sockets]
    try:
        words = ["-c", HAND_OVER, " ".join(map(str, high)), str(first), *command]
        return program(*words, pass_fds=high, env=environment)
    finally:
        for descriptor in high:
            os.close(descriptor)
