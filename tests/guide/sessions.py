"""The sessions of the guide, typed into shells on terminals."""

import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.guide.chapters import Command
from tests.support import ROOT, Terminal

PROMPT = "guide% "
COLUMNS = 240  # so that no line is wrapped
PORT = r"\b23\d\d\b"
ESCAPES = r"\x1b\[[0-9;?]*[ -/]*[@-~]"


@contextmanager
def places(texts: Iterable[str], folder: Path) -> Iterator[dict[str, str]]:
    """Find a replacement for each port that the texts name, and for the folder build/."""
    with ExitStack() as kept:
        ports = sorted({port for text in texts for port in re.findall(PORT, text)})
        sockets = [kept.enter_context(socket.socket()) for _ in ports]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        free = [str(one.getsockname()[1]) for one in sockets]
    yield {"build/": f"{folder}/", **dict(zip(ports, free, strict=True))}


def replaced(text: str, places: dict[str, str]) -> str:
    """Put the replacements into a text."""
    text = re.sub(PORT, lambda found: places.get(found[0], found[0]), text)
    return re.sub(r"(?<![\w./-])build/", places["build/"], text)


def pattern(shown: list[str]) -> str:
    """The lines that must be shown, in order, as a regular expression for `plain` text."""
    lines = []
    for line in shown:
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?")
        elif line:
            parts = [_part(part) for part in plain(line).strip().split("…")]
            lines.append("^ ?" + ".*".join(parts) + " ?\n")
    return "".join(lines)


def _part(text: str) -> str:
    """Escape a part of a line. A fraction, and the port of a client, may be any other."""
    text = re.sub(r"(?<=127\.0\.0\.1:)[3-6]\d{4}\b", "\0", text)
    text = re.sub(r"(?<![\d.])\d+\.\d+(?![\d.])", "\1", text)
    return re.escape(text).replace("\0", r"\d+").replace("\1", r"\d+\.\d+")


def plain(text: str) -> str:
    """The text without escape sequences, empty lines and runs of blanks."""
    text = re.sub(ESCAPES, "", text).replace("\r", "")
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"\n\s*\n", "\n", text)


def shows(output: str, shown: list[str]) -> bool:
    """True if an output has the lines that it must have."""
    return bool(re.search(pattern(shown), plain(output) + "\n", re.MULTILINE))


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self) -> None:
        bash = shutil.which("bash") or "bash"
        self._terminal = Terminal(
            "--norc",
            "--noprofile",
            "--noediting",
            "-i",
            program=bash,
            env={
                "PS1": PROMPT,
                "PROMPT_COMMAND": "",
                "HISTFILE": "",
                "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
                "OLDPWD": str(ROOT),
                "PYTHONPATH": str(ROOT),
            },
            columns=COLUMNS,
        )
        self._begun = 0
        self._terminal.until(lambda: PROMPT in self._terminal.raw)
        self.enters(f"cd {ROOT}")
        self.returns()

    def enters(self, line: str) -> None:
        """Type a line at the prompt."""
        self._begun = len(self._terminal.raw)
        self._terminal.presses(f"{line}\n")
        self._terminal.until(lambda: "\n" in self._terminal.raw[self._begun :])

    def returns(self) -> None:
        """Wait until the command has ended."""
        self._terminal.until(self._is_waiting)

    def sees(self, shown: list[str]) -> None:
        """Wait until the command has shown the lines."""
        self._terminal.until(lambda: shows(self._output, shown) or self._has_ended_without(shown))
        assert shows(self._output, shown), f"shown: {plain(self._output)}\nexpected: {shown}"

    def close(self) -> None:
        self._terminal.close()

    def _has_ended_without(self, shown: list[str]) -> bool:
        return self._is_waiting() and not shows(self._output, shown)

    @property
    def _output(self) -> str:
        """All that has come since the command was typed, after its echo; the prompt is the last."""
        return self._terminal.raw[self._begun :].partition("\n")[2]

    def _is_waiting(self) -> bool:
        return re.sub(ESCAPES, "", self._output).endswith(PROMPT)


def play(sessions: list[list[Command]], folder: Path) -> None:
    """Type the sessions of a section, side by side, and see what they must show."""
    texts = [line for session in sessions for one in session for line in (one.text, *one.shown)]
    with places(texts, folder) as at, ExitStack() as stack:
        waits = []
        for session in sessions:
            shell = Shell()
            stack.callback(shell.close)
            for index, command in enumerate(session):
                shown = [replaced(line, at) for line in command.shown]
                shell.enters(replaced(command.text, at))
                is_last = index == len(session) - 1
                first = next((line for line in shown if line.strip() != "…"), None)
                if is_last and first is not None:
                    shell.sees([first])
                    waits.append(partial(shell.sees, shown))
                else:
                    shell.returns()
                    shell.sees(shown)
        for wait in waits:
            wait()
