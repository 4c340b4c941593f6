"""Programs on terminals, and the text on their screens."""

import codecs
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pyte

from tests.support.clock import PATIENCE
from tests.support.emulator import Emulator
from tests.support.peer import Peer
from tests.support.process import SERVER

ROWS, COLUMNS = 50, 80
LISTENING = re.compile(r"\* listening on (127\.0\.0\.1:\d+)\n")

Start = Callable[..., "Terminal"]


class Terminal:
    """A program on a terminal of its own, and the text on its screen.

    raw: every character that it wrote. speed: bytes that the terminal takes in a second, or None.

    setsid(1) gives the program its terminal. pty.fork() and pexpect would fork this process, which
    has several threads under pytest-xdist; Python 3.12 and later warn of that, with reason.
    """

    def __init__(
        self,
        *arguments: str,
        program: str = sys.executable,
        env: dict[str, str] | None = None,
        columns: int = COLUMNS,
        speed: float | None = None,
    ) -> None:
        self.raw = ""
        self._speed = speed
        self._read_at = time.monotonic()
        self.screen = Emulator(columns, ROWS)
        self._emulator = pyte.Stream(self.screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        self._is_hung_up = self._has_ended = False
        termios.tcsetwinsize(slave, (ROWS, columns))
        self.process = subprocess.Popen(
            ["setsid", "-c", program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", **(env or {})},
        )
        os.close(slave)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds of the screen."""
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert not self._has_ended, f"its output has ended, but:\n{self.text}"
            ready, _, _ = select.select([self._master], [], [], max(0.0, limit - time.monotonic()))
            assert ready, f"nothing more came, but:\n{self.text}"
            assert time.monotonic() < limit, f"other text goes on coming:\n{self.text}"
            self._read()

    def _read(self) -> None:
        data, size = b"", 65536
        if self._speed:
            select.select([], [], [], 0.05)  # the pace of the line, which is no wait for an event
            now = time.monotonic()
            size, self._read_at = max(1, int((now - self._read_at) * self._speed)), now
        with suppress(OSError):  # EIO: no process has the terminal open any more
            data = os.read(self._master, size)
        self._has_ended = not data
        text = self._decoder.decode(data)
        self.raw += text
        self._emulator.feed(text)

    def sees(self, *texts: str) -> None:
        """Wait until each of `texts` is on the screen, wherever it is."""
        for text in texts:
            self.until(partial(self.shows, text))

    def shows(self, text: str) -> bool:
        """True if `text` is on the screen now; it may run over the end of a row."""
        return text in self.text or text in "".join(self.screen.display)

    def asks(self, prompt: str) -> None:
        """Wait until `prompt`, and nothing else, is on the row of the cursor."""
        self.until(lambda: self.row == prompt.rstrip())

    def types(self, text: str) -> None:
        """Type `text`, and wait until it stands in front of the cursor."""
        self.presses(text)
        self.until(lambda: self.row.endswith(text))

    def enters(self, text: str) -> None:
        """Type a line and its end, and wait until it has left the row of the cursor.

        A program that edits its lines may take it from a row where the cursor stays. If it shows no
        change for an empty line, its next output must do.
        """
        if text:
            self.types(text)
        row, written = self.screen.cursor.y, len(self.raw)
        is_edited = not self.settings()[3] & termios.ICANON

        def has_left() -> bool:
            if self.screen.cursor.y != row:
                return True
            return not self.row.endswith(text) if text else is_edited and len(self.raw) > written

        self.presses("\r")
        self.until(has_left)

    def pastes(self, text: str) -> None:
        """Paste into a program that has asked for bracketed paste (xterm ctlseqs)."""
        self.presses(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int = ROWS) -> None:
        """Change the size, of which the kernel tells the foreground job (SIGWINCH)."""
        while select.select([self._master], [], [], 0)[0] and not self._has_ended:
            self._read()  # it was written for the old size
        self.screen.resize(rows, columns)
        termios.tcsetwinsize(self._master, (rows, columns))

    def settings(self) -> list[Any]:
        """Return the settings of the terminal: termios(3)."""
        return termios.tcgetattr(self._master)

    def presses(self, keys: str) -> None:
        """Type what has no echo to wait for."""
        data = keys.encode()
        while data:
            data = data[os.write(self._master, data) :]

    @property
    def row(self) -> str:
        """The row of the cursor."""
        display: list[str] = self.screen.display
        return display[self.screen.cursor.y].rstrip()

    @property
    def lines(self) -> list[str]:
        """The rows of the screen that are not empty."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def last(self, number: int) -> list[str]:
        """The last rows that are not empty."""
        return self.lines[-number:]

    @property
    def scrolled(self) -> list[str]:
        """The rows that have left the top of the screen, without empty ones, in order.

        With `lines` they are all that was shown, unless it was erased.
        """
        return [row for row in self.screen.history if row]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Take the terminal away, as closing its window does."""
        os.close(self._master)
        self._is_hung_up = True

    def exits_with(self) -> int:
        """Wait for its end: its status, or the negative number of the signal that ended it."""
        if not self._is_hung_up:
            self.until(lambda: self._has_ended)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if not self._is_hung_up:
            self.hang_up()
        self.process.kill()
        self.process.wait(PATIENCE)


def serve(terminal: Start, *arguments: str, **how: object) -> tuple[Terminal, str]:
    """Start a server with an operator: the server, and its address."""
    server = terminal(SERVER, *arguments, "0", **how)
    return server, address_of(server)


def address_of(server: Terminal) -> str:
    """The address on which a server at a terminal says that it listens."""
    server.until(lambda: LISTENING.match(server.text + "\n"))
    found = LISTENING.match(server.text + "\n")
    assert found
    return found[1]


def join(address: str, message: str) -> Peer:
    """Connect a peer that says a message."""
    peer = Peer.to(address)
    peer.say(message)
    return peer


def three_wait(terminal: Start) -> tuple[Terminal, list[Peer]]:
    """Start a server that asks for an answer to client 1, while two more clients wait."""
    server, address = serve(terminal)
    peers = []
    for number in (1, 2, 3):
        peers.append(join(address, f"message {number}"))
        if number == 1:
            server.asks("you to client 1> ")
    server.sees("[2 more wait: client 2, client 3]")
    return server, peers
