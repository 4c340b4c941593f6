"""All documents, held against the files, the programs and the Makefile."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.peer import Peer
from tests.support.process import CLIENT, ROOT, SERVER, Program, Start, run

REPLAY = str(ROOT / "bin" / "turnchat-replay")
CHECK = str(ROOT / "bin" / "turnchat-check")
CHECKS = ("server", "client", "pair", "lab", "list")
PACKAGE = ROOT / "turnchat"
MANUAL = (PACKAGE / "MANUAL.md").read_text()
DOCUMENTS = sorted({ROOT / "README.md", *PACKAGE.rglob("*.md"), ROOT / "tests/bench/RESULTS.md"})
LISTENS = 'socket.create_server(("127.0.0.1", 2322))'  # in each example
OF_OTHERS = {
    "--line-buffered",
    "--faults",
    "--tls-alone",
}  # options of other programs, and of our tools
OF_OTHERS |= {"--file", "--memory", "--network", "--pids-limit", "--read-only", "--rm", "--tag"}
OF_OTHERS |= {"--cap-drop", "--now", "--publish", "--tmpfs", "--unix-socket", "--volume"}

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def anchors(path: Path) -> set[str]:
    """The anchors that a forge makes from the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@every_document
def test_every_make_target_is_there(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^    (?:\$ )?)make ([a-z][a-z-]+)", document.read_text(), re.M):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_option_is_there() -> None:
    commands = [(SERVER,), (CLIENT,), (REPLAY,), *((CHECK, name) for name in CHECKS)]
    helped = "".join(run(*command, "--help")[1] for command in commands)
    known = set(re.findall(r"--[a-z][a-z-]+", helped)) | OF_OTHERS
    for document in DOCUMENTS:
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", document.read_text())) <= known, document


@every_document
def test_every_program_is_there(document: Path) -> None:
    text = document.read_text()
    for program in re.findall(r"(?<!/opt/turnchat/)\bbin/[\w-]+", text):
        assert (ROOT / program).exists(), program
    for module in re.findall(r"python3 -m ([\w.]+)", text):
        assert find_spec(module), module


def test_every_promise_has_its_test() -> None:
    _, _, promises = MANUAL.partition("## Promises")
    tests = re.findall(r"\b[a-z]+/test_\w+\.py", promises)
    assert tests
    for test in tests:
        assert (ROOT / "tests" / test).exists(), test


# Examples


def example(beginning: str) -> str:
    """The block of code in the manual that has `beginning` in it."""
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", MANUAL, re.MULTILINE)
    (block,) = [block for block in blocks if beginning in block]
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


@contextmanager
def running(program: Start, code: str, folder: Path) -> Iterator[tuple[Program, str]]:
    """Run an example on a free port: the program, and its address."""
    assert LISTENS in code
    with socket.create_server(("127.0.0.1", 0)) as listening:
        code = code.replace(LISTENS, f"socket.socket(fileno={listening.fileno()})")
        (folder / "mine.py").write_text(code)
        started = program(
            str(folder / "mine.py"),
            cwd=folder,
            env={"PYTHONPATH": str(ROOT)},
            pass_fds=[listening.fileno()],
        )
        yield started, f"127.0.0.1:{listening.getsockname()[1]}"


def test_the_recorder_finds_the_mistake_in_the_example_of_a_loop(
    program: Start, tmp_path: Path
) -> None:
    with running(program, example("from turnchat.trace import record"), tmp_path) as (
        loop,
        address,
    ):
        peer = Peer.to(address)
        peer.send(b"hello")
        assert peer.receive(5) == b"hello"
        peer.close()
        loop.signal(signal.SIGINT)
        assert loop.wait() == -signal.SIGINT
    status, out, _ = run(REPLAY, "--lint", str(tmp_path / "mine.jsonl"))
    assert status == 1
    assert "client" in out


def test_the_example_of_core_is_an_echo_server(program: Start, tmp_path: Path) -> None:
    with running(program, example("from turnchat.core import"), tmp_path) as (_, address):
        others = [Peer.to(address) for _ in range(3)]
        assert run(CLIENT, address, stdin="hello\n\n你好\n")[:2] == (0, "hello\n\n你好\n")
        for peer in others:
            peer.say("and we?")
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.hear() == "and we?"
            assert peer.hears_the_end()
            peer.close()
