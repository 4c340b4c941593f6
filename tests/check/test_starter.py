"""The starter files: they run, and with their three gaps filled in they pass."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.process import ROOT, Start
from turnchat.check.case import CLIENT, LAB, SERVER, Role, select
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.runner import Runner
from turnchat.check.suite import Suite, Task
from turnchat.cli.check import worker
from turnchat.core.loop import EventLoop
from turnchat.process.child import ChildWatcher
from turnchat.process.signals import Signals

pytestmark = pytest.mark.slow


STARTER = ROOT / "turnchat" / "check" / "starter"
RECEIVE = """
    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    length = exactly(3)
    if not length:
        return None
    if not (len(length) == 3 and length.isdigit() and int(length) <= LONGEST):
        raise ValueError("this is no length")
    body = exactly(int(length))
    if len(body) < int(length):
        raise ValueError("the message is cut off")
    return body
"""
SEND = """
    connection.sendall(b"%03d" % len(body) + body)
"""
HEAR = """
        body = receive_message(connection)
        if body in (None, GOODBYE):
            return
        show(body)
"""
SAY = """
        body = read_line(connection)
        send_message(connection, body)
        if body == GOODBYE:
            return
"""


def filled(role: Role) -> str:
    """A starter file with its gaps filled."""
    code = (STARTER / f"{role}_ID.py").read_text()
    talk = "\n    while True:" + (HEAR + SAY if role is SERVER else SAY + HEAR)
    for number, part in enumerate((RECEIVE, SEND, talk), 1):
        (gap,) = [
            line for line in code.splitlines() if f'NotImplementedError("TODO {number}' in line
        ]
        code = code.replace(gap, part.strip("\n"))
    assert "NotImplementedError" not in code
    return code


def checked(role: Role, command: Sequence[str]) -> dict[str, CaseResult]:
    """The results of all cases of the lab."""
    suite = Suite(select(role, LAB), Task("", role, {role: command}))
    with closing(EventLoop()) as loop, closing(Signals(loop)) as signals:
        children = ChildWatcher(loop, signals)
        Runner(loop, children, worker.command, [suite], jobs=4, on_result=lambda *_: None).run()
    return suite.results


@pytest.mark.parametrize(
    ("role", "arguments"), [(SERVER, ["{port}"]), (CLIENT, ["{host}", "{port}"])]
)
def test_with_its_gaps_filled_it_passes(role: Role, arguments: list[str], tmp_path: Path) -> None:
    program = tmp_path / f"{role}_12345678d.py"
    program.write_text(filled(role))
    results = checked(role, [sys.executable, str(program), *arguments])
    fallen = {
        one.id: one.reason
        for one in results.values()
        if one.verdict is not Verdict.PASS and one.counts
    }
    assert not fallen


def test_as_they_are_they_run_and_name_the_first_gap(program: Start) -> None:
    server = program("-u", str(STARTER / "server_ID.py"), "0")
    assert server.line() == "waiting for a client on port 0"
    refused = program(str(STARTER / "client_ID.py"), "127.0.0.1", "1")
    assert refused.wait() == 1
    assert refused.line("stderr").startswith("cannot connect: ")


@pytest.mark.parametrize("role", [SERVER, CLIENT])
def test_the_gaps_are_in_order(role: Role) -> None:
    gaps = [
        line.partition("TODO ")[2][0]
        for line in (STARTER / f"{role}_ID.py").read_text().splitlines()
        if "NotImplementedError" in line
    ]
    assert gaps == ["1", "2", "3"]
