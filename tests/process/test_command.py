"""Commands, and the bounds that they run in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turnchat.process.child import StdioPipes, discard
from turnchat.process.command import BadCommand, Command, bounds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the command is empty"),
        ("   ", "the command is empty"),
        ("echo 'half", "cannot be split into words: No closing quotation"),
        ("/no/such/program -x", "'/no/such/program' is not a program that can be run"),
        ("no-such-program", "'no-such-program' is not a program"),
        (os.devnull, "'/dev/null' is not a program that can be run"),
    ],
)
def test_a_command_that_cannot_be_run_says_why(text: str, words: str) -> None:
    with pytest.raises(BadCommand, match=words):
        Command.parse(text, [], use_pty=False, reply_timeout=1)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ("", "'' is not a limit: cpu, memory, files, processes can be limited"),
        ("disk=1", "'disk=1' is not a limit: cpu"),
        ("cpu", "'cpu' is not a limit: write cpu=10"),
        ("cpu=x", "'cpu=x' is not a limit: write cpu=10"),
        ("cpu=1M", "'cpu=1M' is not a limit: write cpu=10"),
        ("cpu=-1", "'cpu=-1' is not a limit: write cpu=10"),
        ("cpu=1,memory=1T", "'memory=1T' is not a limit: write memory=256M"),
        ("files=64,", "'' is not a limit"),
        ("memory=4K", "with 'memory=4K' no program can run: "),
    ],
)
def test_a_bad_limit_says_why(limits: str, why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        bounds(limits)


@pytest.mark.parametrize("missing", ["prlimit", "both"])
def test_without_the_programs_limits_are_an_error_and_the_rest_is_left_out(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def which(name: str) -> str | None:
        return None if missing in (name, "both") else f"/usr/bin/{name}"

    monkeypatch.setattr("shutil.which", which)
    with pytest.raises(BadCommand, match="install the package util-linux"):
        bounds("cpu=1")
    assert bool(bounds(None)) == (missing == "prlimit")


def test_a_setpriv_that_cannot_do_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """That of busybox knows no --pdeathsig."""
    small = tmp_path / "setpriv"
    small.write_text("#!/bin/sh\necho unrecognized option >&2\nexit 1\n")
    small.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert bounds(None) == []
    assert "setpriv" not in " ".join(bounds("files=64"))


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("use_pty", [False, True])
def test_a_program_in_its_bounds_keeps_its_number_and_its_group(use_pty: bool) -> None:
    shows = "import os, resource as r; print(os.getpid() == os.getpgid(0) == os.getsid(0), "
    shows += "os.getpid(), *(r.getrlimit(getattr(r, 'RLIMIT_' + n)) for n in ("
    shows += "'CPU', 'AS', 'NOFILE', 'NPROC')))"
    prefix = bounds("cpu=10,memory=256M,files=64,processes=16")
    words = [*prefix, sys.executable, "-c", shows]
    pipes, process = StdioPipes.spawn(words, {**os.environ}, use_pty=use_pty)
    os.set_blocking(pipes.stdout.fileno(), True)
    shown = b""
    while not shown.endswith(b"\n"):
        shown += pipes.stdout.read(1 << 10) or b""
    discard(process)
    for pipe in pipes:
        pipe.close()
    memory = 256 << 20
    limits = f"(10, 11) ({memory}, {memory}) (64, 64) (16, 16)"
    assert shown.decode().strip() == f"True {process.pid} {limits}"


def test_a_program_gets_to_know_what_is_passed_on_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"HOME": "/h", "PATH": os.environ["PATH"], "LC_ALL": "C", "TERM": "xterm"}
    given = {**known, "SECRET": "s", "TOKEN": "t"}
    monkeypatch.setattr(os, "environ", given)

    def environment(names: list[str], use_pty: bool) -> dict[str, str]:
        made = Command.parse("true", names, use_pty=use_pty, reply_timeout=1)
        return {**made.environment}

    always = {**known, "PYTHONUNBUFFERED": "1"}
    assert environment([], use_pty=False) == always
    assert environment(["TOKEN"], use_pty=False) == {**always, "TOKEN": "t"}
    assert environment([], use_pty=True) == {**always, "TERM": "dumb"}
    assert environment(["TERM"], use_pty=True) == always


def test_a_command_is_split_as_a_shell_does_and_has_no_delays_of_its_own() -> None:
    command = Command.parse("cat -n 'a b'", [], use_pty=False, reply_timeout=7)
    assert command.words == ["cat", "-n", "a b"]
    assert (command.reply_timeout, command.empty_after, command.settle) == (7, 0, 0)
    with pytest.raises(BadCommand, match="'/no/such' is not a program"):
        Command.parse("/no/such cat", [], use_pty=False, reply_timeout=1)


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize(
    ("limits", "option"),
    [
        ("memory=3000000000", "--as=3000000000"),
        ("memory=3000000K", f"--as={3_000_000 << 10}"),
        ("memory=3000M", f"--as={3000 << 20}"),
        ("memory=3G", f"--as={3 << 30}"),
        ("cpu=10", "--cpu=10:11"),
        ("files=64", "--nofile=64"),
    ],
)
def test_a_limit_is_an_option_of_prlimit(limits: str, option: str) -> None:
    assert bounds(limits)[-2:] == [option, "--"]


@pytest.fixture
def prlimit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of prlimit, to be written by the test. There is no setpriv."""
    made = tmp_path / "prlimit"
    made.touch(0o700)
    monkeypatch.setattr("shutil.which", {"prlimit": str(made)}.get)
    return made


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("#!/bin/sh\nexit 3\n", r"/prlimit ended with 3$"),
        ("#!/bin/sh\necho first >&2\necho second >&2\nexit 1\n", r"no program can run: first$"),
        ("\x7fELF", r"Exec format error"),
    ],
)
def test_the_reason_why_no_program_can_run_is_told(prlimit: Path, code: str, why: str) -> None:
    prlimit.write_text(code)
    with pytest.raises(BadCommand, match=why):
        bounds("cpu=1")


def test_a_probe_that_does_not_end_is_given_up(
    prlimit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(words: list[str], *, timeout: float, **_how: object) -> None:
        raise subprocess.TimeoutExpired(words, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BadCommand, match=f"{prlimit}.* timed out after 10.0 seconds"):
        bounds("cpu=1")
