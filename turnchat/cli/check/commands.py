"""The commands of the programs that are checked, and mistakes in them that need no run to see."""

import argparse
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches

from turnchat.check.case import Role
from turnchat.check.report import as_typed
from turnchat.check.sandbox import Sandbox
from turnchat.check.sockets.ports import listening_socket
from turnchat.cli.check.options import port
from turnchat.cli.startup import EX_WRONG, StartupError
from turnchat.text import reason

PORT, HOST = "{port}", "{host}"
ALIKE = 0.7  # of a placeholder and a misspelt one, for difflib
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SOURCES = (".py", ".js", ".mjs", ".java", ".jar", ".rb", ".pl", ".sh")


def commands_of(role: Role, arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Return the words of each program's command, by role. Raises StartupError."""
    if role is Role.PAIR:
        commands = {
            str(Role.SERVER): _split("--server", arguments.server),
            str(Role.CLIENT): _split("--client", arguments.client),
        }
    else:
        words = arguments.command
        commands = {str(role): words[1:] if words[:1] == ["--"] else words}
    for name, words in commands.items():
        _check(name, words, has_port=arguments.port is not None)
    return commands


def must_be_free(number: int | None, sandbox: Sandbox) -> None:
    """Raise StartupError if another program listens on the fixed port, where the programs run."""
    if number is None or sandbox.worker_prefix:  # or in a network of their own
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
        raise StartupError(EX_WRONG, *_why_not(words))
    source = next((word for word in words[1:] if word.endswith(SOURCES)), None)
    if source and "{" not in source and not os.path.exists(source):
        folder = "this folder" if not os.path.isabs(source) else "its folder"
        raise StartupError(EX_WRONG, f"there is no file {source!r}", f"look into {folder}: ls")
    for wrong in PLACEHOLDER.findall(" ".join(words)):
        for right in get_close_matches(wrong.lower(), ("host", "port"), 1, ALIKE):
            if wrong != right:
                problem = f"{{{wrong}}} in the command of the {name} stands for nothing"
                raise StartupError(EX_WRONG, problem, f"did you mean {{{right}}}?")
    if not has_port and not any(PORT in word for word in words):
        raise StartupError(EX_WRONG, *_no_port(name, words))


def _no_port(name: str, words: Sequence[str]) -> tuple[str, str, str]:
    """Return the words for a command without {port}: a number in it may be the port."""
    numbers = [at for at, word in enumerate(words) if at and _is_port(word)]
    number = words[numbers[-1]] if numbers else "2322"
    given = [PORT if at in numbers[-1:] else word for at, word in enumerate(words)]
    line = as_typed(given if numbers else [*words, PORT])
    return (
        f"the command has no {PORT}, so the {name} cannot be told its port",
        f"write {PORT} where the program takes its port: {line}",
        f"if the port is written in the program, give it: --port {number}",
    )


def _is_port(text: str) -> bool:
    with suppress(argparse.ArgumentTypeError):
        return bool(port(text))
    return False


def _why_not(words: Sequence[str]) -> tuple[str, str]:
    """Return the reason why a program cannot be run, and what to try."""
    program = words[0]
    if os.path.isdir(program):
        return f"{program!r} is a folder and no program", "give the path of a file in it"
    if os.access(program, os.X_OK):
        return f"{program!r} is not in a folder of PATH", f"give its path: ./{program}"
    if os.path.exists(program):
        return (
            f"{program!r} is a file that cannot be run by itself",
            f"put its language in front, such as python3 {program}; or: chmod +x {program}",
        )
    if len(words) == 1 and " " in program:
        return (
            f"the command is one quoted word, and there is no program {program!r}",
            f"leave out the quotation marks around all of it: {program}",
        )
    return f"there is no program {program!r}", "is it installed, and its name spelt right?"
