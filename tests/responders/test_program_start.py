"""The start of programs that answer: when, and what is left if something goes wrong on the way."""

import errno
import os
import subprocess
import termios

import pytest

from tests.support import run_rounds
from tests.support.kernel import refuse_call, refuse_to_watch
from tests.support.process import own_descriptors
from tests.support.programs import DOUBLE, TIMEOUT, Make, Scene, python
from tests.support.sampling import sampled
from turnchat.core.connection import Cause, CloseReason
from turnchat.core.conversation import Turn
from turnchat.process import child
from turnchat.process.answers import Surplus
from turnchat.process.stdio import PrivateStream


def test_a_peer_that_says_nothing_costs_no_process(make: Make) -> None:
    scene = make("cat")
    before = own_descriptors()
    run_rounds(scene.loop, 3)
    scene.peer.send(b"005hel")  # not a whole message
    scene.until(lambda: scene.connection.statistics()["unparsed"])
    assert scene.processes.statistics() == {"waiting": 0, "running": 0}
    assert own_descriptors() == before
    scene.peer.send(b"lo")
    assert scene.hears() == "hello"
    assert len(own_descriptors()) == len(before) + 4  # three pipes, and a pidfd


def test_a_program_that_speaks_first_starts_with_the_conversation(make: Make) -> None:
    scene = make("seq 3", first=Turn.OURS, surplus=Surplus.EACH)
    assert scene.hears() == "1"
    assert scene.asks("well?") == "2"


def test_a_conversation_that_ends_while_it_waits_leaves_the_queue(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_call(monkeypatch, subprocess, "Popen", 1)
    scene = make("cat")
    scene.peer.say("hello")
    scene.until(lambda: scene.log.lines)
    assert scene.processes.statistics()["waiting"] == 1
    scene.connection.end(CloseReason(Cause.STOPPED))
    scene.until(lambda: scene.endings)
    scene.clock.now += 1
    run_rounds(scene.loop, 2)
    assert scene.processes.statistics() == {"waiting": 0, "running": 0}


def test_a_program_that_cannot_be_started_ends_one_conversation(make: Make) -> None:
    scene = make("cat")
    scene.programs.command = scene.programs.command._replace(words=["/no/such/program"])
    before = own_descriptors()
    assert scene.asks("hello") == "BYEBYE"
    assert own_descriptors() == before
    why = "cannot be started: No such file or directory"
    assert scene.log.lines == [f"the program for client 1 {why}"]
    assert scene.programs.status == os.EX_OSERR


def test_a_peer_waits_for_the_start_as_long_as_for_an_answer(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    scene = make("cat")
    scene.peer.say("hello")
    scene.until(lambda: scene.log.lines)
    scene.clock.now += TIMEOUT
    assert scene.hears() == "BYEBYE"
    assert scene.log.lines == [
        "programs have to wait (1 conversation): Too many open files",
        "the program for client 1 could not be started within 30 s",
    ]
    assert scene.processes.statistics()["waiting"] == 0


def assert_nothing_is_left(scene: Scene, before: int) -> None:
    scene.peer.close()
    scene.until(lambda: scene.is_closed)
    assert len(own_descriptors()) == before - 2  # the two ends of the connection


STEPS = [
    *((os, "pipe", at) for at in (1, 2, 3)),
    (subprocess, "Popen", 1),
    *((os, "set_blocking", at) for at in (1, 2, 3)),
]
PTY_STEPS = [
    *((os, name, 1) for name in ("openpty", "dup", "pipe")),
    (termios, "tcgetattr", 1),
    (termios, "tcsetattr", 1),
    (subprocess, "Popen", 1),
    *((os, "set_blocking", at) for at in (1, 2, 3)),
]


@pytest.mark.parametrize(
    ("use_pty", "step"),
    sampled([*((False, step) for step in STEPS), *((True, step) for step in PTY_STEPS)], every=9),
    ids=lambda given: "-".join(map(str, given[1:])) if isinstance(given, tuple) else str(given),
)
def test_a_start_that_fails_on_the_way_leaves_nothing_and_is_tried_again(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    use_pty: bool,
    step: tuple[object, str, int],
) -> None:
    where, name, at = step
    scene = make("cat", use_pty=use_pty)
    before = len(own_descriptors())
    with monkeypatch.context() as patch:
        calls = refuse_call(patch, where, name, at)
        scene.peer.say("hello")
        scene.until(lambda: scene.log.lines)
        assert calls() == at
        assert len(own_descriptors()) == before
        assert not has_children()
        scene.clock.now += 1
        assert scene.hears() == "hello"
    assert scene.log.lines == ["programs have to wait (1 conversation): Too many open files"]
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)
    assert_nothing_is_left(scene, before)


def has_children() -> bool:
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


@pytest.mark.parametrize("at", sampled([1, 2, 3], every=3))
def test_a_defect_on_the_way_ends_the_conversation_and_leaves_nothing(make: Make, at: int) -> None:
    scene = make("cat")
    before = len(own_descriptors())

    def broken(pipes: object) -> object:
        raise LookupError("a defect")

    if at == 1:
        scene.programs.wrap_pipes = broken  # type: ignore[assignment]
    elif at == 2:
        scene.programs.logger = None  # type: ignore[assignment]
        scene.processes.watcher = None  # type: ignore[assignment]
    else:
        scene.programs.command = scene.programs.command._replace(environment={"a": 1})  # type: ignore[dict-item]
    scene.peer.say("hello")
    scene.until(lambda: scene.errors)
    assert not has_children()
    assert len(own_descriptors()) == before
    scene.until(lambda: scene.endings)
    pipes = [os.pipe() for _ in range(4)]
    for reading, writing in pipes:  # no number is registered that another file has now
        watcher = scene.loop.watcher(PrivateStream(reading), "next")
        watcher.when_readable(print)
        watcher.unregister()
        os.close(reading)
        os.close(writing)


def test_without_a_pidfd_the_signal_tells_of_the_exit(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse_call(patch, os, "pidfd_open", 1)
        scene = make("cat")
        assert scene.asks("hello") == "hello"
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)


@pytest.mark.parametrize("watched", sampled(["stdin", "stdout", "stderr", "process"], every=4))
def test_a_file_that_cannot_be_watched_costs_one_conversation_at_most(
    make: Make, monkeypatch: pytest.MonkeyPatch, watched: str
) -> None:
    scene = make(python(DOUBLE))
    before = len(own_descriptors())
    with monkeypatch.context() as patch:
        refuse_to_watch(patch, "process" if watched == "process" else f": {watched}")
        if watched == "stdin":
            patch.setattr("turnchat.process.stdio.Stream.write", lambda *_: 0)
        answer = scene.asks("hello")
        if watched == "stdin":
            patch.undo()
    if watched in ("stderr", "process"):
        assert answer == "hellohello"
        scene.peer.say("BYEBYE")
    else:
        assert answer == "BYEBYE"
        assert "the program for client 1 cannot be watched: No space left on device" in (
            scene.log.lines
        )
    scene.until(lambda: scene.endings)
    scene.clock.now += child.GRACE
    scene.until(scene.is_gone)
    assert scene.errors == []
    assert_nothing_is_left(scene, before)
    assert not any("Traceback" in line for line in scene.log.lines)


def test_the_peer_of_an_abstract_address_can_be_told(make: Make) -> None:
    scene = make(python("input(); print(os.environ['TURNCHAT_PEER'])"))
    scene.connection.label = scene.connection.label._replace(peer="unix:\0abc")
    assert scene.asks("hello") == "unix:@abc"


# Lines that no message asked for


def surplus_of(scene: Scene) -> list[str]:
    return [line for line in scene.log.lines if "dropped" in line]


TWO_LINES = "for line in sys.stdin: os.write(1, b'%s\\nmore\\n' % line.strip().encode())"


def test_the_second_line_of_an_answer_is_not_the_answer_to_the_next_question(make: Make) -> None:
    scene = make(python(TWO_LINES))
    assert [scene.asks(word) for word in ("one", "two", "three")] == ["one", "two", "three"]
    dropped = "the program for client 1: [1 line dropped, printed before this message: more]"
    assert surplus_of(scene) == [dropped] * 2


def test_a_message_waits_until_the_lines_of_the_last_answer_have_come(make: Make) -> None:
    scene = make("cat")
    scene.programs.command = scene.programs.command._replace(settle=1.0)
    assert scene.asks("one") == "one"
    scene.peer.say("two")
    scene.until(lambda: scene.connection.conversation.turn is Turn.OURS)
    scene.clock.now += 0.9
    run_rounds(scene.loop, 5)
    assert scene.program.statistics()["unsent"] == len("two\n")
    scene.clock.now += 0.1
    assert scene.hears() == "two"
    scene.clock.now += 1
    assert scene.asks("three") == "three"
    scene.peer.say("four")
    scene.until(lambda: scene.connection.conversation.turn is Turn.OURS)
    scene.connection.leave()
    scene.until(lambda: scene.endings)
    scene.clock.now += 1
    run_rounds(scene.loop, 3)
    assert scene.errors == []


def test_all_lines_of_an_answer_may_be_joined(make: Make) -> None:
    scene = make(python(TWO_LINES), surplus=Surplus.JOIN)
    assert [scene.asks(word) for word in ("one", "two")] == ["one more", "two more"]
    assert surplus_of(scene) == []


def test_lines_of_a_program_that_leads_are_messages_each(make: Make) -> None:
    scene = make("seq 3", first=Turn.OURS, surplus=Surplus.EACH)
    assert scene.hears() == "1"
    assert [scene.asks("x"), scene.asks("x"), scene.asks("x")] == ["2", "3", "BYEBYE"]


def test_a_silent_program_may_give_an_empty_answer(make: Make) -> None:
    quiet = "for line in sys.stdin:\n if line != 'scale=3\\n': print(line)"
    scene = make(python(quiet), empty_after=1.0)
    scene.says("scale=3")
    scene.until(lambda: scene.connection.conversation.turn is Turn.OURS)
    scene.clock.now += 0.9
    run_rounds(scene.loop, 2)
    assert scene.message_count == 1
    scene.clock.now += 0.1
    assert scene.hears() == ""
    assert scene.asks("10/3") == "10/3"
    scene.clock.now += 1
    run_rounds(scene.loop, 2)
    assert scene.message_count == 4
    assert scene.errors == []
