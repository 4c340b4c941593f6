"""The end of programs that answer: real processes, and a clock driven by hand."""

from pathlib import Path

import pytest

from tests.support.process import own_descriptors
from tests.support.programs import TIMEOUT, Make, python
from turnchat.core.conversation import Turn
from turnchat.process.child import GRACE
from turnchat.responders.program import HINT_AFTER


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "print('x' * 256)",
            "printed a line that cannot be sent: the message has 256 bytes, 255 is the most",
        ),
        (
            "print('x' * 9999)",
            "printed a line that cannot be sent: the message has 9999 bytes, 255 is the most",
        ),
        (
            "os.write(1, b'caf\\xe9\\n')",
            "printed a line that cannot be sent: of line 1, its byte 4 (0xe9) is not UTF-8",
        ),
        ("pass", "prints no more"),
        ("sys.exit(3)", "prints no more"),
    ],
)
def test_a_program_that_cannot_answer_says_byebye(make: Make, code: str, why: str) -> None:
    scene = make(python(f"input()\n{code}"))
    assert scene.asks("hello") == "BYEBYE"
    assert f"the program for client 1 {why}" in scene.log.lines
    scene.until(scene.is_gone)
    exited = "the program for client 1 exited with status"  # by itself, before or after that
    assert sum(line.startswith(exited) for line in scene.log.lines) == 1


@pytest.mark.usefixtures("either")
def test_the_end_of_a_program_in_the_peers_turn_is_noticed_and_told(make: Make) -> None:
    scene = make(python("print(input(), flush=True); os.kill(os.getpid(), signal.SIGABRT)"))
    assert scene.asks("hello") == "hello"
    scene.until_logged("the program for client 1 was ended by SIGABRT")
    assert scene.asks("still there?") == "BYEBYE"


@pytest.mark.usefixtures("either")
def test_a_signal_without_a_name_ends_no_other(make: Make) -> None:
    scene = make("sh -c 'read line; kill -40 $$'")
    assert scene.asks("hello") == "BYEBYE"
    scene.until_logged("the program for client 1 was ended by signal 40")


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("use_pty", [False, True])
def test_the_end_goes_step_by_step(make: Make, use_pty: bool) -> None:
    stubborn = """
signal.signal(signal.SIGTERM, lambda *_: os.write(2, b"SIGTERM\\n"))
print("ready")
while True:
    if not sys.stdin.readline():
        os.write(2, b"end of input\\n")
        break
while True: signal.pause()
"""
    scene = make(python(stubborn), use_pty=use_pty)
    assert scene.asks("hello") == "ready"
    scene.peer.say("BYEBYE")
    scene.until_logged("the program for client 1: end of input")
    scene.clock.now += GRACE
    scene.until_logged("the program for client 1: SIGTERM")
    assert not scene.is_gone()
    scene.clock.now += GRACE
    scene.until_logged("the program for client 1 was ended by SIGKILL")
    assert scene.is_gone()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.usefixtures("either")
def test_its_whole_group_ends_with_it(make: Make) -> None:
    scene = make("sh -c 'sleep 1000 & echo $!; read one; read two'")
    pid = int(scene.asks("hello"))
    assert is_alive(pid)
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)
    scene.until(lambda: not is_alive(pid))


def test_close_leaves_no_process_behind(make: Make) -> None:
    scene = make("sh -c 'trap \"\" TERM; sleep 1000 & echo $!; wait'")
    pid = int(scene.asks("hello"))
    scene.processes.close()
    assert scene.is_gone()
    scene.until(lambda: not is_alive(pid))
    scene.processes.close()


def test_drain_waits_for_the_last_to_end(make: Make) -> None:
    scene = make(python("sys.stdin.read()"))
    scene.says("hello")
    scene.peer.say("BYEBYE")
    scene.until(lambda: scene.endings)
    scene.processes.drain()
    assert scene.is_gone()
    scene.processes.drain()


def test_no_descriptor_is_left_of_a_conversation(make: Make) -> None:
    make("cat")
    before = len(own_descriptors())
    for use_pty in (False, True):
        scene = make("cat", use_pty=use_pty)
        assert scene.asks("hello") == "hello"
        scene.peer.say("BYEBYE")
        scene.until(scene.is_gone)
        scene.close()
    assert len(own_descriptors()) == before


def test_after_the_end_no_hint_is_given_and_no_answer_is_missed(make: Make) -> None:
    """The program may take its time to end; nothing waits for its answer any more."""
    scene = make(
        python("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()")
    )
    scene.peer.say("hello")
    scene.until(lambda: scene.connection.conversation.turn is Turn.OURS)
    scene.peer.reset()
    scene.until(lambda: scene.endings)
    scene.clock.now += max(HINT_AFTER, TIMEOUT)

    def is_gone() -> bool:
        scene.clock.now += GRACE  # to the next step of its end
        return scene.is_gone()

    scene.until(is_gone)
    assert not [line for line in scene.log.lines if "printed nothing" in line or "gave" in line]
