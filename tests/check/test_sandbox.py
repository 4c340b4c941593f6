"""Programs that try to get out of the sandbox, and programs that must not notice it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.process import ROOT
from tests.support.stage import Stage
from turnchat.check.sandbox import MIB, Limits, Sandbox, find

pytestmark = pytest.mark.needs("bwrap")

SMALL = Limits(cpu=1, data=96 * MIB, space=1024 * MIB, file=MIB, disk=4 * MIB, processes=24)
TRIES = """
def tries(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        return error.strerror
"""

REFUSALS = ("Read-only file system", "Permission denied", "No such file or directory")

Runs = Callable[..., tuple[int | None, str]]


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return find(True, limits=SMALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a hand-in, beside another one."""
    for name in "mine", "other":
        (tmp_path / name).mkdir()
        (tmp_path / name / "handin.txt").write_text(name)
    tmp_path.chmod(0o755)
    return tmp_path / "mine"


@pytest.fixture
def runs(stage: Stage, sandbox: Sandbox, folder: Path) -> Runs:
    """Run a program in the sandbox to its end: its status, and its text."""

    def run(code: str, *arguments: object, hidden: Sequence[str] = ()) -> tuple[int | None, str]:
        prefix = sandbox.program_prefix(str(folder), hidden=hidden)
        return stage.ends(stage.start(TRIES + code, *arguments, prefix=prefix, folder=folder))

    return run


# Files


def test_its_own_folder_is_there_and_what_it_writes_is_lost(runs: Runs, folder: Path) -> None:
    (folder / "link").symlink_to("/etc/hostname")
    code = "print(sorted(os.listdir()), open('handin.txt').read(), os.readlink('link'))\n"
    code += "print(tries(open, 'handin.txt', 'w')); open('new', 'w').write('x')\n"
    code += "print(os.getcwd() == os.environ['HOME'], open('new').read())"
    status, text = runs(code)
    assert (status, text.splitlines()) == (
        0,
        [
            "['handin.txt', 'link'] mine /etc/hostname",
            "Read-only file system",
            "True x",
        ],
    )
    assert sorted(os.listdir(folder)) == ["handin.txt", "link"]
    assert (folder / "handin.txt").read_text() == "mine"


def test_other_hand_ins_and_homes_are_not_there(runs: Runs, folder: Path) -> None:
    other = folder.parent / "other" / "handin.txt"
    home = Path(os.path.expanduser("~"))
    code = "print(tries(open, sys.argv[1]), tries(os.listdir, '/home'), tries(os.listdir, '/run'))"
    assert runs(code, other, home) == (0, "No such file or directory [] []")
    _, names = runs(
        "print('\\n'.join(os.listdir(sys.argv[1])) if os.path.isdir(sys.argv[1]) else '')", home
    )
    assert not {".ssh", ".bash_history", ".config"} & set(names.split())


def test_a_folder_that_is_hidden_is_empty(runs: Runs) -> None:
    code = "print(bool(os.listdir('/usr/share')))"
    assert runs(code) == (0, "True")
    assert runs(code, hidden=["/usr/share"]) == (0, "False")


def test_a_file_that_is_hidden_cannot_be_read(runs: Runs) -> None:
    code = "print(len(tries(lambda: open('/etc/passwd').read())))"
    assert runs(code)[1] != "0"
    status, text = runs("print(tries(lambda: open('/etc/passwd').read()))", hidden=["/etc/passwd"])
    assert (status, text) in ((0, ""), (0, "Permission denied"))


def test_the_folder_for_temporary_files_is_hidden(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/usr/share")
    assert runs("print(os.listdir('/usr/share'))") == (0, "[]")


def test_it_cannot_mount_memory_in_a_namespace_of_its_own(runs: Runs) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NAMES = 0x10000000, 0x20000
print(libc.unshare(NEW_USER | NEW_NAMES), os.strerror(ctypes.get_errno()))"""
    assert runs(code) == (0, "-1 No space left on device")


def test_the_kernel_ends_it_first_when_memory_is_short(runs: Runs) -> None:
    with open("/proc/self/oom_score_adj") as file:
        assert int(file.read()) < 1000
    assert runs("print(open('/proc/self/oom_score_adj').read())") == (0, "1000")


@pytest.mark.parametrize(
    "path",
    ["/x", "/usr/x", "/etc/passwd", "/dev/x", "/home/x", "/run/x", "/var/tmp/x", str(ROOT / "x")],
)
def test_nothing_outside_can_be_written(runs: Runs, path: str) -> None:
    before = Path(path).read_bytes() if Path(path).exists() else None
    status, text = runs("print(tries(lambda: open(sys.argv[1], 'a').write('x')))", path)
    assert status == 0
    # What stands in /tmp outside may have a folder there inside, which is thrown away.
    assert text in REFUSALS or path.startswith("/tmp/")
    assert (Path(path).read_bytes() if Path(path).exists() else None) == before


def test_the_disk_cannot_be_filled(runs: Runs) -> None:
    code = """
written, reasons = 0, set()
for place in ".", "/tmp", "/dev/shm":
    for number in range(50):
        try:
            with open(f"{place}/{number}", "wb") as file:
                for _ in range(20):
                    written += file.write(bytes(100_000)); file.flush()
        except OSError as error:
            reasons.add(error.strerror)
print(written // 1_000_000, *sorted(reasons), sep="; ")"""
    status, text = runs(code)
    millions, *reasons = text.replace("\n", "").split("; ")
    assert status == 0
    assert reasons == ["File too large", "No space left on device"]
    assert int(millions) <= 3 * SMALL.disk // 1_000_000 + 1


def test_ten_thousand_files_are_gone_with_the_program(runs: Runs, folder: Path) -> None:
    code = "for n in range(10_000): os.close(os.open(f'{n}', os.O_CREAT))\nprint(len(os.listdir()))"
    assert runs(code) == (0, "10001")
    assert os.listdir(folder) == ["handin.txt"]


def test_a_folder_with_very_many_files_can_be_read(runs: Runs, folder: Path) -> None:
    for number in range(600):
        (folder / f"{number}").touch()
    code = "print(len(os.listdir()), tries(open, 'x', 'w'))"
    assert runs(code) == (0, "601 Read-only file system")


# The network, and processes


def test_it_reaches_its_own_worker_and_no_other_and_no_other_machine(
    sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    code = """
import socket, sys
def tries(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as made:
        made.settimeout(5)
        try:
            made.connect(address)
        except OSError as error:
            return error.strerror
print(tries(socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))))
print(tries(socket.AF_INET, ("192.0.2.1", 80)))
print(tries(socket.AF_INET, ("192.0.2.1", 53), socket.SOCK_DGRAM))
print(tries(socket.AF_UNIX, sys.argv[2]))
print(tries(socket.AF_UNIX, "\\0" + sys.argv[3]))
with socket.create_server(("127.0.0.1", 0)) as own:
    print(tries(socket.AF_INET, own.getsockname()))"""
    prefix = [one for one in sandbox.program_prefix(str(folder)) if one not in ("setsid", "--ctty")]
    abstract = f"turnchat-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX) as in_folder,
        socket.socket(socket.AF_UNIX) as in_network,
    ):
        in_folder.bind(str(tmp_path / "socket"))
        in_network.bind(f"\0{abstract}")
        in_folder.listen()
        in_network.listen()
        addresses = [str(listening.getsockname()[1]), str(tmp_path / "socket"), abstract]
        command = [*sandbox.worker_prefix, *prefix, sys.executable, "-c", code, *addresses]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    refused, unreachable = "Connection refused", "Network is unreachable"
    missing = "No such file or directory"
    answers = [refused, unreachable, unreachable, missing, refused, "None"]
    assert result.stdout.splitlines() == answers


def test_it_sees_no_process_of_others_and_cannot_end_or_trace_one(runs: Runs) -> None:
    code = """
import ctypes
print(sorted(int(name) for name in os.listdir("/proc") if name.isdigit()) == [1, os.getpid()])
pid = int(sys.argv[1])
print(tries(os.kill, pid, 9))
print(ctypes.CDLL(None).ptrace(16, pid, 0, 0))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(tries(os.kill, os.getppid(), 9), tries(os.kill, -1, 9))"""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        status, text = runs(code, sleeper.pid)
        assert sleeper.poll() is None
        sleeper.kill()
    first, *rest = text.splitlines()
    assert (status, first) == (0, "True")
    assert rest[:2] == ["No such process", "-1"]
    assert rest[2].endswith("No such process")


def test_a_fork_bomb_is_bounded(runs: Runs) -> None:
    code = """
number = 0
try:
    while os.fork():
        number += 1
        assert number < 100
    signal.pause()
except OSError as error:
    print(number, error.strerror)"""
    status, text = runs(code)
    number, _, reason = text.partition(" ")
    assert (status, reason) == (0, "Resource temporarily unavailable")
    assert SMALL.processes - 6 <= int(number) < SMALL.processes


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (f"bytearray({2 * SMALL.data})", "MemoryError"),
        (f"import mmap; mmap.mmap(-1, {2 * SMALL.space})", "Cannot allocate memory"),
        ("files = [open('/dev/null') for _ in range(2_000)]", "Too many open files"),
    ],
)
def test_memory_and_descriptors_are_bounded(runs: Runs, code: str, error: str) -> None:
    status, text = runs(code)
    assert status == 1
    assert error in text


def test_processor_time_is_bounded(runs: Runs) -> None:
    assert runs("while True: pass")[0] == -signal.SIGXCPU


@pytest.mark.needs("node")
def test_node_runs_in_the_default_limits(stage: Stage, folder: Path) -> None:
    node = shutil.which("node")
    prefix = find(True, [["node"]]).program_prefix(str(folder))
    code = f"os.execv({node!r}, ['node', '-e', 'console.log(process.stdin.isTTY, 6 * 7)'])"
    status, text = stage.ends(stage.start(code, prefix=prefix, folder=folder))
    assert (status, text) == (0, "true 42")


# The terminal, and the end


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *[("sys.exit(7)", 7), ("os._exit(255)", 255), ("", 0), ("sys.exit(137)", 137)],
        # bwrap tells no difference between a signal and such a status; a crash is a crash.
        *[("os.kill(os.getpid(), 11)", -11), ("os.kill(os.getpid(), 9)", 137)],
    ],
)
def test_the_status_is_that_of_the_program(runs: Runs, code: str, status: int) -> None:
    assert runs(code)[0] == status


def test_the_terminal_is_its_own_and_the_only_one(
    stage: Stage, sandbox: Sandbox, folder: Path
) -> None:
    code = """
print(os.getsid(0) == os.getpid() == os.tcgetpgrp(0), open("/dev/tty").isatty())
print(os.get_terminal_size(), tries(os.open, "/dev/pts/0", os.O_RDWR), os.listdir("/dev/pts"))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # it may come before it is waited for
print("READY")
print("INTERRUPTED", signal.sigwait([signal.SIGINT]))
signal.signal(signal.SIGHUP, lambda *_: os._exit(3))
print("WAITS")
while True:
    signal.pause()"""
    prefix = sandbox.program_prefix(str(folder))
    program = stage.start(TRIES + code, prefix=prefix, folder=folder)
    stage.shows(program, "READY")
    assert program.screen.text.splitlines()[:2] == [
        "True True",
        "os.terminal_size(columns=80, lines=24) No such file or directory ['ptmx']",
    ]
    program.type(b"\x03")
    stage.shows(program, "WAITS")
    assert "INTERRUPTED" in program.screen.text


def test_characters_that_it_pushes_into_a_terminal_come_to_itself(runs: Runs) -> None:
    code = """
import fcntl, termios
pushed = [tries(fcntl.ioctl, 0, termios.TIOCSTI, bytes([one])) for one in b"pushed\\n"]
print(set(pushed) == {"Input/output error"} or input() == "pushed")"""
    status, text = runs(code)
    assert (status, text.splitlines()[-1]) == (0, "True")
