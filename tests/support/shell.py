"""A shell in tmux: a terminal that another project has written, with its own idea of widths.

tmux runs in control mode, as a child on two pipes: commands go in; their results come out, and a
line for each output of the shell (tmux(1), CONTROL MODE). So a test waits for events there too.
"""

import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from tests.support.clock import PATIENCE, wait_until

PROMPT = "$ "
NUMBERS = count(1)
LEFT_OUT = {"TMUX", "TMUX_PANE", "PROMPT_COMMAND", "ENV", "MAKEFLAGS"}


def open_terminal(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOCTTY)


class TmuxShell:
    """A shell with job control on a terminal of tmux, with a server of its own."""

    def __init__(self, *, columns: int = 80, rows: int = 24, env: dict[str, str] | None = None):
        bash = shutil.which("bash")
        shell = f"exec env PS1='{PROMPT}' " + (f"{bash} --norc --noprofile" if bash else "sh -i")
        self._folder = tempfile.TemporaryDirectory(prefix="turnchat-test-")
        name = f"turnchat-test-{os.getpid()}-{next(NUMBERS)}"
        size = ["-x", str(columns), "-y", str(rows)]
        inherited = {key: text for key, text in os.environ.items() if key not in LEFT_OUT}
        places = {"TMUX_TMPDIR": self._folder.name, "LC_ALL": "C.UTF-8", "HISTFILE": ""}
        self._process = subprocess.Popen(
            ["tmux", "-u", "-L", name, "-f", "/dev/null", "-C", "new-session", *size, shell],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**inherited, **places, **(env or {})},
        )
        assert self._process.stdin
        assert self._process.stdout
        self._commands, self._results = self._process.stdin, self._process.stdout
        self._rest = b""
        self._events = 0  # lines of tmux that are not the result of a command
        self._result()  # of new-session
        self.resize(columns, rows)
        self.until(lambda: self.row == PROMPT.rstrip())

    def run(self, command: str) -> list[str]:
        """Run a command of tmux: the lines of its result."""
        self._commands.write(command.encode() + b"\n")
        self._commands.flush()
        return self._result()

    def send(self, keys: str) -> None:
        """Type keys: text, control characters, sequences of bytes."""
        self.run("send-keys -H " + " ".join(f"{byte:02x}" for byte in keys.encode()))

    def enters(self, line: str) -> None:
        """Type a line and its end."""
        self.send(f"{line}\r")

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds of the screen. tmux tells when that may have changed."""
        while True:
            events = self._events
            if condition():
                return
            while self._events == events:
                assert self._can_read(), f"nothing more came, but:\n{self.text}"
                self._line()

    def shows(self, text: str) -> None:
        """Wait until `text` is on the screen; it may run over the end of a row."""
        self.until(lambda: text in self.text or text in "\n".join(self.lines))

    @property
    def rows(self) -> list[str]:
        """The rows of the screen, without the spaces at their ends."""
        return [row.rstrip() for row in self.run("capture-pane -p")]

    @property
    def all_rows(self) -> list[str]:
        """The rows of the history and of the screen that are not empty."""
        return [row.rstrip() for row in self.run("capture-pane -p -S -") if row.strip()]

    @property
    def lines(self) -> list[str]:
        """The lines of the screen and of its history that are not empty, each as one."""
        return [line.rstrip() for line in self.run("capture-pane -p -J -S -") if line.strip()]

    @property
    def text(self) -> str:
        return "\n".join(row for row in self.rows if row)

    @property
    def row(self) -> str:
        """The row of the cursor."""
        return self.rows[self.cursor[1]]

    @property
    def cursor(self) -> tuple[int, int]:
        """The column and the row of the cursor, from 0."""
        (line,) = self.run("display-message -p '#{cursor_x} #{cursor_y}'")
        column, row = map(int, line.split())
        return column, row

    def resize(self, columns: int, rows: int = 24) -> None:
        """Change the size of the terminal, and wait until its programs see that."""
        self.run(f"refresh-client -C {columns}x{rows}")
        (path,) = self.run("display-message -p '#{pane_tty}'")
        with open(path, "rb", buffering=0, opener=open_terminal) as terminal:
            wait_until(lambda: os.get_terminal_size(terminal.fileno()) == (columns, rows))

    def close(self) -> None:
        """End this server of tmux, and with it the shell."""
        with suppress(OSError):  # it has ended
            self._commands.write(b"kill-server\n")
            self._commands.close()
        while os.read(self._results.fileno(), 65536):
            pass
        self._results.close()
        self._process.wait(PATIENCE)
        self._folder.cleanup()

    def _result(self) -> list[str]:
        while not (line := self._line()).startswith("%begin "):
            pass
        end, error = line.replace("%begin", "%end", 1), line.replace("%begin", "%error", 1)
        lines: list[str] = []
        while (line := self._line(is_event=False)) not in (end, error):
            lines.append(line)
        assert line == end, lines
        return lines

    def _can_read(self) -> bool:
        """Wait until there is something to read, with patience."""
        is_complete = b"\n" in self._rest
        return is_complete or bool(select.select([self._results], [], [], PATIENCE)[0])

    def _line(self, *, is_event: bool = True) -> str:
        """Read a line of tmux."""
        while b"\n" not in self._rest:
            assert self._can_read(), "no result came"
            data = os.read(self._results.fileno(), 65536)
            assert data, "tmux has ended"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        text = line.decode(errors="replace")
        self._events += is_event and not text.startswith("%begin ")
        return text
