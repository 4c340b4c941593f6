"""The units and the container file that are shipped."""

import json
import re
import shlex
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.activation import activated, listening
from tests.support.clock import wait_until
from tests.support.headless import stop, talk
from tests.support.process import ROOT, SERVER, Start
from tests.support.tools import needs
from turnchat.chat.admission.limits import Limits
from turnchat.net import keepalive

DEPLOY = ROOT / "turnchat" / "deploy"
SOCKET, SERVICE, TEMPLATE = (
    DEPLOY / name for name in ("turnchat.socket", "turnchat.service", "turnchat@.service")
)
INSTALLED = "/opt/turnchat/bin/turnchat-server"
EXPOSURE = 20  # tenths, from 0 to 100: "systemd-analyze security" calls under 20 "OK" or "SAFE"

services = pytest.mark.parametrize("unit", [SERVICE, TEMPLATE], ids=lambda path: path.name)


def section(unit: Path, name: str) -> dict[str, list[str]]:
    """The settings of a section, each with all its values."""
    settings: dict[str, list[str]] = {}
    _, _, text = unit.read_text().partition(f"\n[{name}]\n")
    for line in re.split(r"^\[", text, flags=re.MULTILINE)[0].splitlines():
        if line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            settings.setdefault(key, []).append(value)
    return settings


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A folder with the units, as they are where the program is in this checkout."""
    for unit in SOCKET, SERVICE, TEMPLATE:
        text = unit.read_text().replace(INSTALLED, SERVER)
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@needs("systemd")
def test_the_units_are_valid(units: Path) -> None:
    paths = [units / unit.name for unit in (SOCKET, SERVICE, TEMPLATE)]
    verify = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
    result = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert [line for line in result.stderr.splitlines() if "turnchat" in line] == []


@needs("systemd")
def test_a_wrong_unit_is_found(units: Path) -> None:
    wrong = units / SERVICE.name
    wrong.write_text(wrong.read_text().replace("WatchdogSec=", "WatchDogSec="))
    verify = ["systemd-analyze", "verify", "--man=no", str(wrong)]
    result = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "'WatchDogSec' in section" in result.stderr


@needs("systemd")
@services
def test_the_services_are_closed(unit: Path) -> None:
    security = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}"]
    result = subprocess.run([*security, str(unit)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_one_process_and_one_of_many_differ_in_their_socket_alone() -> None:
    one, many = section(SERVICE, "Service"), section(TEMPLATE, "Service")
    assert many.pop("Sockets") == [SOCKET.name]
    assert one == many


@services
def test_there_is_time_to_end_in_order(unit: Path) -> None:
    settings = section(unit, "Service")
    assert int(settings["TimeoutStopSec"][0]) >= 2 * Limits().drain
    assert int(settings["WatchdogSec"][0]) >= 2 * Limits().drain  # at the end no loop runs
    assert settings["KillMode"] == ["mixed"]


def test_the_socket_asks_for_what_the_server_would_set() -> None:
    """For clients that come before it has started."""
    settings = section(SOCKET, "Socket")
    assert settings["NoDelay"] == settings["KeepAlive"] == ["yes"]
    assert settings["KeepAliveTimeSec"] == [str(keepalive.IDLE)]
    assert settings["KeepAliveIntervalSec"] == [str(keepalive.INTERVAL)]
    assert settings["KeepAliveProbes"] == [str(keepalive.PROBES)]


# The sandbox allows what the server does


def calls_of(name: str) -> Iterator[str]:
    """The system calls of a set, and of the sets in it."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            yield from calls_of(word)
        elif word and not word.startswith("#"):
            yield word


def allowed() -> set[str]:
    """The system calls that the service may make."""
    calls: set[str] = set()
    for value in section(SERVICE, "Service")["SystemCallFilter"]:
        for name in value.removeprefix("~").split():
            named = set(calls_of(name)) if name.startswith("@") else {name}
            calls = calls - named if value.startswith("~") else calls | named
    return calls


EXEC = ("--exec", "sed -u s/I/you/g", "--exec-limit", "cpu=10,memory=256M,files=64,processes=9999")


@needs("systemd")
@needs("strace")
@pytest.mark.parametrize("arguments", [None, EXEC, (*EXEC, "--exec-pty")], ids=str)
def test_the_sandbox_allows_each_call(
    program: Start, tmp_path: Path, arguments: tuple[str, ...] | None
) -> None:
    (command,) = section(SERVICE, "Service")["ExecStart"]
    arguments = arguments or tuple(shlex.split(command)[1:])
    trace = tmp_path / "trace"
    strace = ["strace", "--daemonize", "--follow-forks", "-qq", f"--output={trace}"]
    made, address = listening()
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    with made, manager:
        server = activated(
            program,
            [made],
            *arguments,
            before=strace,
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            WATCHDOG_USEC="1000000",
        )
        assert talk(address, "I am") in (["I am"], ["you am"])
        stop(server)
    wait_until(lambda: re.search(rf"^{server.pid} +exit_group\(0\)", trace.read_text(), re.M))
    text = trace.read_text()
    calls = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    assert {"epoll_wait", "accept4", "sendto"} <= calls
    assert calls <= allowed()
    # RestrictAddressFamilies
    assert set(re.findall(r"\bsocket(?:pair)?\((\w+)", text)) == {"AF_UNIX"}
    # MemoryDenyWriteExecute
    assert not re.findall(r"^.*PROT_WRITE\|PROT_EXEC.*$", text, re.MULTILINE)
    assert not re.findall(r"^.*\bmprotect\(.*PROT_EXEC.*$", text, re.MULTILINE)


@needs("unshare")
def test_an_inherited_socket_needs_no_network(program: Start) -> None:
    made, address = listening()
    with made:
        server = activated(program, [made], "--echo", before=["unshare", "--net"])
        assert talk(address, "hello") == ["hello"]
        interfaces = Path(f"/proc/{server.pid}/net/dev").read_text().splitlines()[2:]
        assert [line.partition(":")[0].strip() for line in interfaces] == ["lo"]
        stop(server)


# The container


def instructions() -> dict[str, list[str]]:
    """The instructions of the container file, each with its arguments."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    found: dict[str, list[str]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line:
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest)
    return found


def test_the_container_is_not_roots_and_needs_no_shell() -> None:
    found = instructions()
    assert found["FROM"][-1] == "scratch"
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found["USER"][-1])
    assert found["STOPSIGNAL"] == ["SIGTERM"]
    (entry,), (arguments,) = found["ENTRYPOINT"], found["CMD"]
    assert json.loads(entry)[1:3] == ["-m", "turnchat.cli.chat.server"]
    assert json.loads(arguments) == ["--echo"]


def test_the_container_is_made_of_files_that_are_there() -> None:
    for line in instructions()["COPY"]:
        if not line.startswith("--from"):
            for name in line.split()[:-1]:
                assert (ROOT / name).exists(), name
