"""The commands of the programs that are checked, and mistakes in them that need no run to see."""

import argparse
import os
import shlex
import shutil
from collections.abc import Sequence

from turnchat.check.case import Role
from turnchat.check.peer import listening_socket
from turnchat.cli.startup import StartupError
from turnchat.text import reason

EX_WRONG = 2
PORT, HOST = "{port}", "{host}"
MOST_PORT = 65_535
SOURCES = (".py", ".js", ".mjs", ".java", ".jar", ".rb", ".pl", ".sh")


def commands_of(role: Role, arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Return the words of each program's command, by role. Raises StartupError."""
    if role is Role.PAIR:
        commands = {
            str(Role.SERVER): _split("--server", arguments.server),
            str(Role.CLIENT): _split("--client", arguments.client),
        }
    else:
        commands = {str(role): arguments.command}
    for name, words in commands.items():
        _check(name, words, has_port=arguments.port is not None)
    return commands


def port(text: str) -> int:
    """Parse the number of a port. Raises argparse.ArgumentTypeError."""
    if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= MOST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a port: 1 to {MOST_PORT}")


def must_be_free(number: int | None) -> None:
    """Raise StartupError if another program listens on the fixed port."""
    if number is None:
        return
    try:
        listening_socket(number).close()
    except OSError as error:
        raise StartupError(
            EX_WRONG,
            f"port {number} cannot be used: {reason(error)}",
            "end the program that has it; `ss -ltnp` lists who listens",
        ) from error


def _split(option: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        problem = f"{option}: {text!r} cannot be split into words: {error}"
        raise StartupError(EX_WRONG, problem, "close each quotation mark") from error


def _check(name: str, words: Sequence[str], *, has_port: bool) -> None:
    """Raise StartupError for a command that cannot work."""
    if not words or not words[0]:
        example = f"turnchat-check {name} -- python3 {name}.py {PORT}"
        raise StartupError(EX_WRONG, "the command of the program is missing", f"such as: {example}")
    program = words[0]
    if not shutil.which(program):
        raise StartupError(EX_WRONG, *_why_not(program))
    source = next((word for word in words[1:] if word.endswith(SOURCES)), None)
    if source and "{" not in source and not os.path.exists(source):
        folder = "this folder" if not os.path.isabs(source) else "its folder"
        raise StartupError(EX_WRONG, f"there is no file {source!r}", f"look into {folder}: ls")
    if not has_port and not any(PORT in word for word in words):
        raise StartupError(
            EX_WRONG,
            f"the command has no {PORT}, so the {name} cannot be told its port",
            f"write {PORT} where the program takes its port: {shlex.join(words)} {PORT}",
            "if the port is written in the program, give it: --port 2322",
        )


def _why_not(program: str) -> tuple[str, str]:
    """Return the reason why a program cannot be run, and what to try."""
    if os.path.isdir(program):
        return f"{program!r} is a folder and no program", "give the path of a file in it"
    if os.path.exists(program):
        return (
            f"{program!r} is a file that cannot be run by itself",
            f"put its language in front, such as python3 {program}; or: chmod +x {program}",
        )
    return f"there is no program {program!r}", "is it installed, and its name spelt right?"
