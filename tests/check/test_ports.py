"""Ports: no two checkers choose the same, and an old connection is waited for or really there."""

import pytest

from tests.support import tcp_pair
from tests.support.zoo import ZOO, read_specimen, run_cases
from turnchat.check.case import LAB, Role, select
from turnchat.check.peer import Peer, has_listener, is_free, listening_socket, refusing_port
from turnchat.check.report import CaseResult, Verdict, What
from turnchat.check.suite import Suite, Task
from turnchat.cli.check.worker import reserve_block
from turnchat.core.loop import EventLoop


def test_each_worker_has_ports_of_its_own() -> None:
    one, first = reserve_block(7)
    other, second = reserve_block(7)
    with one, other:
        assert first != second
        assert not is_free(first)


def test_a_port_is_kept_for_nothing() -> None:
    with listening_socket(0) as listening:
        port = listening.getsockname()[1]
        assert has_listener(port)
    with refusing_port(port):
        assert not has_listener(port)
        assert not is_free(port)
    assert is_free(port)


def test_what_the_other_end_has_not_read_is_known(loop: EventLoop) -> None:
    here, there = tcp_pair()
    with here, there:
        peer = Peer(loop, here, 1, lambda *_: None)
        assert peer.unread == 0
        peer.send(b"hello")
        assert peer.unread == 5
        there.recv(3)
        assert peer.unread == 2
        peer.close()
        assert peer.unread is None


def test_an_old_connection_really_holds_the_port() -> None:
    good = read_specimen(ZOO / "good" / "blocking_server.py")
    results = run_cases(good.role, LAB, [*good.command(ZOO)], ["start/again"])
    assert results["start/again"].verdict is Verdict.PASS
    notes = [event.note for event in results["start/again"].events if event.what is What.NOTE]
    assert ["TIME_WAIT" in note for note in notes] == [True]


def test_a_server_without_the_option_finds_its_port_in_use() -> None:
    bad = read_specimen(ZOO / "bad" / "no_reuseaddr.py")
    results = run_cases(bad.role, LAB, bad.command(ZOO), ["start/again"])
    assert "Address already in use" in results["start/again"].reason


@pytest.mark.parametrize(("verdict", "reuses"), [(Verdict.PASS, True), (Verdict.FAIL, False)])
def test_later_runs_know_if_the_port_can_be_had_again(verdict: Verdict, reuses: bool) -> None:
    cases = select(Role.SERVER, LAB, ["start/*", "frame/message"])
    suite = Suite(cases, Task("", Role.SERVER, {"server": ["true"]}, port=2322))
    tasks = {}
    while found := suite.next_task():
        one, tasks[found[0].id] = found
        outcome = verdict if one.id == "start/again" else Verdict.PASS
        suite.take(one, CaseResult(one.id, one.level, outcome, one.rule, one.section, one.hint))
    assert not tasks["start/again"].reuses_port
    assert tasks["frame/message"].reuses_port is reuses
