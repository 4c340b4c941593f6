"""Tools that some tests need and that a machine may lack, and how to install each.

A test says `@needs("nc")`, a fixture calls `require("nc")`. conftest.py sums the skips up, in a
line for each tool that is missing.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest


def has_netcat_of_openbsd() -> bool:
    """True if nc is OpenBSD's: the options of others differ."""
    if not (path := shutil.which("nc")):
        return False
    helped = subprocess.run([path, "-h"], capture_output=True, text=True, check=False)
    return "OpenBSD" in helped.stderr


@cache
def can_attach() -> bool:
    """True if strace may attach to a process here: containers and Yama can forbid it."""
    if not (path := shutil.which("strace")):
        return False
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        attached = subprocess.Popen(
            [path, f"--attach={sleeper.pid}", "--output=/dev/null"], stderr=subprocess.PIPE
        )
        assert attached.stderr
        is_attached = b"attached" in attached.stderr.readline()
        attached.terminate()
        attached.communicate()
        sleeper.kill()
    return is_attached


@cache
def has_headers_of_openssl() -> bool:
    """True if a program in C can be compiled that speaks TLS, and a certificate be made."""
    if not (shutil.which("cc") and shutil.which("openssl")):
        return False
    source = b"#include <openssl/ssl.h>\n"
    command = ["cc", "-E", "-"]
    return subprocess.run(command, input=source, capture_output=True, check=False).returncode == 0


@cache
def has_bubblewrap() -> bool:
    """True if both layers of the sandbox work: containers and the kernel's settings forbid it."""
    if not shutil.which("bwrap"):
        return False
    layers = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--"]
    layers += ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--"]
    return subprocess.run([*layers, "true"], capture_output=True, check=False).returncode == 0


@cache
def has_network_namespaces() -> bool:
    """True if a process may have a network of its own: containers can forbid it."""
    if not shutil.which("unshare"):
        return False
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return tried.returncode == 0


AXE = Path(sys.prefix) / "node_modules" / "axe-core" / "axe.min.js"  # put there by make test


class Tool(NamedTuple):
    """A program that tests run.

    tests: the words for these tests, after "3 tests". cannot_come: True if no installation helps.
    """

    is_there: Callable[[], bool]
    tests: str
    install: str
    cannot_come: Callable[[], bool] = lambda: False


TOOLS = {
    "axe": Tool(AXE.exists, "of the page with axe", "apt install npm, and run make test"),
    "bwrap": Tool(
        has_bubblewrap,
        "of the sandbox",
        "apt install bubblewrap, and allow user namespaces: sysctl user.max_user_namespaces",
        lambda: bool(shutil.which("bwrap")),
    ),
    "cc": Tool(
        lambda: bool(shutil.which("cc")),
        "of the benchmark and of programs in C",
        "apt install gcc libc6-dev",
    ),
    "chromium": Tool(
        lambda: bool(shutil.which("chromium") and shutil.which("chromedriver")),
        "of the page",
        "apt install chromium chromium-driver",
    ),
    "curl": Tool(lambda: bool(shutil.which("curl")), "with curl", "apt install curl"),
    "haproxy": Tool(lambda: bool(shutil.which("haproxy")), "with HAProxy", "apt install haproxy"),
    "java": Tool(
        lambda: bool(shutil.which("javac") and shutil.which("java")),
        "of programs in Java",
        "apt install default-jdk-headless",
    ),
    "libssl": Tool(
        has_headers_of_openssl,
        "of the benchmark over TLS",
        "apt install libssl-dev openssl gcc",
    ),
    "nc": Tool(has_netcat_of_openbsd, "with netcat", "apt install netcat-openbsd"),
    "ncat": Tool(lambda: bool(shutil.which("ncat")), "with Ncat", "apt install ncat"),
    "node": Tool(
        lambda: bool(shutil.which("node")), "of a peer in JavaScript", "apt install nodejs"
    ),
    "setpriv": Tool(
        lambda: bool(shutil.which("setpriv") and shutil.which("prlimit")),
        "of the bounds of programs",
        "apt install util-linux",
    ),
    "openssl": Tool(lambda: bool(shutil.which("openssl")), "with openssl", "apt install openssl"),
    "root": Tool(lambda: os.geteuid() == 0, "for root", "run them as root", lambda: True),
    "sharkd": Tool(
        lambda: bool(shutil.which("sharkd")), "of the dissector in a window", "apt install tshark"
    ),
    "socat": Tool(lambda: bool(shutil.which("socat")), "with socat", "apt install socat"),
    "strace": Tool(
        can_attach,
        "with strace",
        "apt install strace, and let it attach: ptrace(2)",
        lambda: bool(shutil.which("strace")),
    ),
    "systemd": Tool(
        lambda: bool(shutil.which("systemd-socket-activate") and shutil.which("systemd-analyze")),
        "with the tools of systemd",
        "apt install systemd",
    ),
    "tmux": Tool(lambda: bool(shutil.which("tmux")), "with tmux", "apt install tmux"),
    "tshark": Tool(
        lambda: bool(shutil.which("tshark") and shutil.which("capinfos")),
        "of the dissector",
        "apt install tshark",
    ),
    "unshare": Tool(
        has_network_namespaces,
        "of a network namespace",
        "apt install util-linux, and run them as root",
        lambda: bool(shutil.which("unshare")),
    ),
    "valgrind": Tool(
        lambda: bool(shutil.which("valgrind")), "of instructions", "apt install valgrind"
    ),
    "zip": Tool(
        lambda: bool(shutil.which("zip") and shutil.which("unzip")),
        "of the archive for Gradescope",
        "apt install zip unzip",
    ),
}


def needs(tool: str) -> pytest.MarkDecorator:
    """Mark a test, or a file of tests, that needs a tool."""
    assert tool in TOOLS
    return pytest.mark.needs(tool)


def require(tool: str) -> None:
    """Skip the present test if its tool is missing."""
    if not TOOLS[tool].is_there():
        pytest.skip(reason_of(tool))


def reason_of(tool: str) -> str:
    return f"needs {tool}"


def may_be_skipped(reason: str) -> bool:
    """True if the reason of a skip is a tool that no installation brings."""
    return any(reason == reason_of(name) and tool.cannot_come() for name, tool in TOOLS.items())


def summed_up(reasons: Iterable[str]) -> Iterator[str]:
    """Word the reasons of all skipped tests, a line for each reason."""
    tools = {reason_of(name): (name, tool) for name, tool in TOOLS.items()}
    for reason, count in sorted(Counter(reasons).items()):
        tests = "1 test" if count == 1 else f"{count} tests"
        if reason in tools:
            name, tool = tools[reason]
            verb = "needs" if count == 1 else "need"
            yield f"{tests} {tool.tests} {verb} {name}: {tool.install}"
        else:
            yield f"{tests} skipped: {reason}"
