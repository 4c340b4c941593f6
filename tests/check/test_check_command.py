"""The program turnchat-check, as a person and a pipeline run it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE, wait_until
from tests.support.process import ROOT, SERVER, Program, exit_status, run
from tests.support.sampling import sampled
from tests.support.terminal import Terminal
from tests.support.tools import needs
from turnchat.cli import check as cli

CHECK = str(ROOT / "bin" / "turnchat-check")
ONLY = ("--only", "frame/message")
CALMLY = (*ONLY, "--timeout", "10")  # for a good program, on a machine that does much else
TRY = ("--", "python3", "{port}")
GOOD = (sys.executable, SERVER, "--once", "127.0.0.1:{port}")

# A server without a length; it says its port, so that a test knows that it runs.
BAD_SERVER = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
connected, _ = listening.accept()
print(connected.recv(99)[3:].decode())
connected.sendall(input().encode())
"""
# It ignores all signals that it can, and so does its child, which has a group of its own.
STUBBORN_SERVER = """
import os, signal, socket, sys
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setpgid(0, 0)
    with open(sys.argv[2] + ".child", "w") as file:
        file.write(str(os.getpid()))
    signal.pause()
with open(sys.argv[2] + ".parent", "w") as file:
    file.write(str(os.getpid()))
signal.pause()
"""


@pytest.fixture
def subject(tmp_path: Path) -> Callable[[str], str]:
    """Write a program, and return its path."""

    def write(code: str) -> str:
        path = tmp_path / "subject.py"
        path.write_text(code)
        return str(path)

    return write


def test_a_good_program() -> None:
    status, out, err = run(CHECK, "server", *CALMLY, "--", *GOOD)
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].startswith("All that was tried holds. Score 100.0 of 100:")


def test_a_bad_program(subject: Callable[[str], str]) -> None:
    command = ["server", *ONLY, "--", sys.executable, subject(BAD_SERVER), "{port}"]
    status, out, err = run(CHECK, *command)
    assert (status, err) == (1, "")
    assert "FAIL  frame/message            The message is sent without its length" in out
    assert out.index("frame/message: mend this first ━") < out.index("Mend this first: frame/mes")
    assert "\x1b" not in out
    status, out, _ = run(CHECK, *command[:1], "--exit-zero", *command[1:])
    assert status == 0
    assert "FAIL  frame/message" in out


def test_a_command_without_dashes_keeps_its_own_options() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; sys.exit(str(sys.argv))",
        "-v",
        "{port}",
        "--only",
    ]
    status, out, err = run(CHECK, "server", *ONLY, *command)
    assert (status, err) == (1, "")
    assert re.search(r"│ \['-c', '-v', '\d+', '--only'\] │", out)


def test_a_line_a_case() -> None:
    status, out, _ = run(CHECK, "server", "-v", *CALMLY, "--jobs", "2", "--", *GOOD)
    assert status == 0
    assert "pass  frame/message\n" in out


def test_a_fixed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.getsockname()[1]
        command = ["server", "--port", str(number), *ONLY, "--", sys.executable, SERVER, "--once"]
        status, _, err = run(CHECK, *command, f"127.0.0.1:{number}")
        assert status == 2
        assert f"port {number} cannot be used: Address already in use" in err
    status, out, err = run(CHECK, *command, f"127.0.0.1:{number}")
    assert (status, err) == (0, ""), out


@needs("bwrap")
def test_a_fixed_port_is_free_in_a_network_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.getsockname()[1]
        command = ["server", "--sandbox", "--port", str(number), "--jobs", "3", *ONLY, "--"]
        status, out, err = run(CHECK, *command, *GOOD[:-1], f"127.0.0.1:{number}")
        assert (status, err) == (0, ""), out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["server"], "the command of the program is missing"),
        (["server", "--", "no-such-program", "{port}"], "there is no program 'no-such-program'"),
        (["client", "--", "python3", "no.py", "{port}"], "there is no file 'no.py'"),
        (["server", "--", str(ROOT), "{port}"], "is a folder and no program"),
        (["server", "--", str(ROOT / "README.md"), "{port}"], "cannot be run by itself"),
        (["server", "--", "python3 x.py {port}"], "quotation marks around all of it: python3 x.py"),
        (["server", "--", "python3"], "takes its port: python3 {port}"),
        (["server", "--", "python3", "5000"], "takes its port: python3 {port}\n"),
        (["server", "--", "python3", "5000"], "give it: --port 5000"),
        (["server", "--", "python3", "{prot}"], "{prot} in the command of the server stands for"),
        (["client", "--", "python3", "{Hots}", "{port}"], "did you mean {host}?"),
        (["server", "--", "a-tool", "{port}"], "give its path: ./a-tool"),
        (["pair", "--server", "python3 {port}", "--client", "python3"], "so the client cannot be"),
        (["pair", "--server", "'a", "--client", "b"], '--server: "\'a" cannot be split'),
        (["server", "--only", "x/*", "--", "python3", "{port}"], "has an id like 'x/*'"),
        (["server", "--only", "frame", "--", "python3", "{port}"], "the whole group: 'frame/*'"),
        (["server", "--skip", "turn/tow", "--", "python3", "{port}"], "did you mean turn/two?"),
        (["server", "--skip", "*", "--", "python3", "{port}"], "--skip leaves no case to try"),
        (["server", "--port", "0", "--", "python3"], "'0' must be a port: 1 to 65535"),
        (["server", "--port", "65536", "--", "python3"], "'65536' must be a port"),
        (["server", "--profile", "tcp", "--", "python3"], "'tcp' must be one of lab, turnchat"),
        (["server", "--jobs", "0", "--", "python3"], "must be a whole number, 1 or more"),
        *(
            (["server", "--timeout", text, "--", "python3"], f"{text!r} must be more than 0")
            for text in ("0", "-1", "nan", "inf", "601")
        ),
        (["server", "--html", "x", "--json", "x", *TRY], "--json and --html would both write x"),
        (["server", "--tiemout", "3", *TRY], "server: there is no option --tiemout\n"),
        (["server", "--tiemout", "3", *TRY], "server: did you mean --timeout?\n"),
        (["server", "-u", "x.py"], "write -- in front of the whole command"),
        (["lab", "a", "\x1b[2J"], r"lab: '\x1b[2J' is too much"),
        (["nothing"], "invalid choice: 'nothing' (choose from"),
        ([], "required: COMMAND"),
    ],
)
def test_a_mistake_in_the_command(
    command: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a-tool").touch(0o755)
    monkeypatch.chdir(tmp_path)
    assert exit_status(cli.main, *command) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err


@pytest.mark.slow
def test_a_strict_checker_takes_a_should_for_a_must() -> None:
    command = ["client", "--only", "frame/segment", "--"]
    command += [sys.executable, str(ROOT / "tests/zoo/bad/two_sends.py"), "{host}", "{port}"]
    status, out, _ = run(CHECK, *command)
    assert status == 0
    assert "WARN  frame/segment" in out
    assert "Score 100.0 of 100: " in out
    status, out, _ = run(CHECK, command[0], "--strict", *command[1:])
    assert status == 1
    assert "FAIL  frame/segment" in out
    assert "Score 100.0" not in out


# Outputs that fail


@pytest.mark.parametrize("option", sampled(["-v", "--json=-"], every=2))
def test_a_reader_that_leaves_is_no_error(option: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, CHECK, "server", option, *CALMLY, "--", *GOOD]
    result = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
    )
    os.close(writing)
    assert (result.returncode, b"ipe" in result.stderr) == (0, False), result.stderr


def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, CHECK, "server", *CALMLY, "--", *GOOD]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
        )
    assert result.returncode == 73
    assert b"cannot write to standard output: No space left on device" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_full_disk_loses_no_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    command = [sys.executable, CHECK, "server", *ONLY, "--json", str(path), "--", "true", "{port}"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, timeout=PATIENCE, check=False)
    assert (done.returncode, '"score"' in path.read_text()) == (73, True)


@pytest.mark.parametrize(
    ("before", "status", "words"),
    [
        ("exec >&-", 73, "--json: standard output cannot be written: it is closed"),
        ("ulimit -n 9", 70, "Too many open files\nturnchat-check: raise the limit: ulimit -n 256"),
    ],
)
def test_a_place_without_descriptors_is_told_in_words(before: str, status: int, words: str) -> None:
    command = [sys.executable, CHECK, "server", "--json", "-", *TRY]
    shell = ["sh", "-c", f'{before}; exec "$@"', "sh", *command]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


# Interrupts


@pytest.mark.parametrize(
    ("number", "status"),
    sampled([(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], every=3),
)
def test_an_interrupt_ends_all_that_was_started(
    program: Callable[..., Program],
    subject: Callable[[str], str],
    tmp_path: Path,
    number: int,
    status: int,
) -> None:
    place = tmp_path / "pid"
    path = subject(STUBBORN_SERVER)
    checker = program(
        CHECK, "server", *ONLY, "--jobs", "2", "--", sys.executable, path, "{port}", str(place)
    )
    files = [place.with_suffix(suffix) for suffix in (".child", ".parent")]
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    checker.signal(number)
    assert checker.wait() == status
    assert f"ended by {signal.Signals(number).name} after 0 of" in checker.line("stderr")
    wait_until(lambda: not any(is_alive(int(file.read_text())) for file in files))


def is_alive(pid: int) -> bool:
    """True if a process runs; one that nothing has reaped yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


# On a terminal


def test_progress_is_shown_and_taken_away(terminal: Callable[..., Terminal]) -> None:
    on_screen = terminal(CHECK, "server", *CALMLY, "--", *GOOD, env={"NO_COLOR": ""})
    assert on_screen.exits_with() == 0
    assert " of " in on_screen.raw
    assert "\r\x1b[K" in on_screen.raw
    assert "frame/message" in on_screen.raw
    assert "frame/message" not in on_screen.text
    assert "\x1b[32mAll that was tried holds." in on_screen.raw


def test_a_summary_stands_on_the_screen_without_colours_if_told_so(
    terminal: Callable[..., Terminal], subject: Callable[[str], str]
) -> None:
    path = subject(BAD_SERVER)
    command = ["server", *ONLY, "--", sys.executable, path, "{port}"]
    on_screen = terminal(CHECK, *command, env={"NO_COLOR": "1"})
    assert on_screen.exits_with() == 1
    assert "\x1b[1" not in on_screen.raw
    assert "Mend this first: frame/message" in on_screen.text
    assert "┌ terminal" in on_screen.text


def test_a_dumb_terminal_gets_no_progress(terminal: Callable[..., Terminal]) -> None:
    on_screen = terminal(CHECK, "server", *CALMLY, "--", *GOOD, env={"TERM": "dumb"})
    assert on_screen.exits_with() == 0, on_screen.raw
    assert "\x1b" not in on_screen.raw
    assert " of 2 " not in on_screen.raw


def test_ctrl_c_takes_the_progress_away(
    terminal: Callable[..., Terminal], subject: Callable[[str], str], tmp_path: Path
) -> None:
    place = tmp_path / "pid"
    path = subject(STUBBORN_SERVER)
    on_screen = terminal(CHECK, "server", *ONLY, "--", sys.executable, path, "{port}", str(place))
    wait_until(place.with_suffix(".parent").exists)
    on_screen.presses("\x03")
    assert on_screen.exits_with() == 130
    assert on_screen.last(1)[0].startswith("turnchat-check: ended by SIGINT after 0 of")
