"""The state of a program when the time of a step is up: evidence of which no event tells.

The kernel knows the call in which each thread waits, and on which file (proc_pid_syscall(5)). Where
it does not tell, there is no evidence: then no words are returned. A program that waits in poll()
for several files, as Node and Java do, is such a one.
"""

import fcntl
import os
import platform
import re
import struct
import termios
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from turnchat.check.case import Role
from turnchat.check.report import EventType
from turnchat.check.sockets.ports import TABLES, rows

if TYPE_CHECKING:
    from turnchat.check.play import Play

PROC = Path("/proc")
RECEIVING = "the program waits in recv()"
AT_KEYBOARD = "the program waits for its keyboard"
ACCEPTING = "the program waits in accept()"
LISTENING = "the program listens on port {}"
UNREAD = "the program has not read {} of the bytes that were sent"
KEYS_UNREAD = "the program has not read {} of the bytes that were typed"
KEYS_READ = "the program has read all that was typed"
READS = {"x86_64": (0, 45, 47), "aarch64": (63, 207, 212)}  # read, recvfrom, recvmsg
ACCEPTS = {"x86_64": (43, 288), "aarch64": (202, 242)}  # accept, accept4


def notes(play: "Play") -> list[str]:
    """Return words about the program that was started last: each is one of those above."""
    if play.role is Role.PAIR or not play.programs:
        return []
    pids = play.program.pids()
    found = sorted(set(_waits(pids)))
    if AT_KEYBOARD not in found and any(one.type is EventType.TYPED for one in play.events):
        unread = list(_unread_keys(pids))
        found += [KEYS_UNREAD.format(max(unread)) if any(unread) else KEYS_READ] if unread else []
    if not play.peers:
        found += [LISTENING.format(port) for port in sorted(set(_ports(pids)))]
    elif play.peer.is_open and not play.peer.is_over and play.peer.unread:
        found.append(UNREAD.format(play.peer.unread))
    return found


def number_in(words: str, note: str) -> int | None:
    """Return the number of a note, if it is made of these words."""
    found = re.fullmatch(re.escape(words).replace(r"\{\}", r"(\d+)"), note)
    return int(found[1]) if found else None


def _waits(pids: Iterable[int]) -> Iterator[str]:
    """Give the calls in which threads wait."""
    machine = platform.machine()
    for pid in pids:
        for call, descriptor in _calls(pid):
            file = ""
            with suppress(OSError):
                file = os.readlink(PROC / str(pid) / "fd" / str(descriptor))
            if call in ACCEPTS.get(machine, ()):
                yield ACCEPTING
            elif call in READS.get(machine, ()) and file.startswith("socket:"):
                yield RECEIVING
            elif call in READS.get(machine, ()) and file.startswith("/dev/"):
                yield AT_KEYBOARD


def _unread_keys(pids: Iterable[int]) -> Iterator[int]:
    """Give the bytes in the terminals that are their standard input: of a sandbox's, too."""
    for pid in pids:
        with suppress(OSError):
            file = os.open(PROC / str(pid) / "fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                if os.isatty(file):
                    size = fcntl.ioctl(file, termios.FIONREAD, struct.pack("i", 0))
                    yield struct.unpack("i", size)[0]
            finally:
                os.close(file)


def _calls(pid: int) -> Iterator[tuple[int, int]]:
    """Give the number and the first argument of each call in which a thread of a process waits."""
    tasks = PROC / str(pid) / "task"
    with suppress(OSError):
        for task in os.listdir(tasks):
            with suppress(OSError, ValueError):  # a thread may be running, or gone
                number, first, *_ = (tasks / task / "syscall").read_text().split()
                yield int(number), int(first, 16)


def _ports(pids: Iterable[int]) -> Iterator[int]:
    """Give the ports on which processes listen, also in a network of their own."""
    for pid in pids:
        with suppress(OSError):
            place = PROC / str(pid)
            files = {os.readlink(place / "fd" / name) for name in os.listdir(place / "fd")}
            for row in rows(place / "net" / table.name for table in TABLES):
                if row.listens and f"socket:[{row.inode}]" in files:
                    yield row.local
