"""Programs that answer: real processes, real sockets, and a clock driven by hand."""

import os
import signal
import socket
from functools import partial
from itertools import count

import pytest

from tests.support import status_of
from tests.support.programs import DOUBLE, TIMEOUT, Make, python
from turnchat.core.connection import Cause
from turnchat.core.conversation import Turn
from turnchat.process.answers import READ_SIZE, Surplus
from turnchat.process.child import GRACE
from turnchat.process.stderr import MOST_LINES, PERIOD
from turnchat.responders.program import HINT_AFTER


@pytest.mark.usefixtures("either")
def test_a_message_is_a_line_and_the_next_line_is_the_answer(make: Make) -> None:
    scene = make(python(DOUBLE))
    assert scene.asks("hello") == "hellohello"
    assert scene.asks("你好 😀") == "你好 😀你好 😀"
    assert scene.asks("") == ""
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)
    assert scene.log.lines == ["the program for client 1 exited with status 0"]


def test_no_peer_can_put_two_lines_into_the_program(make: Make) -> None:
    scene = make(python("for line in sys.stdin: print(ascii(line))"))
    evil = "one\ntwo\rthree\x0bfour\x1b[2J\x7f\x85\u2028end"
    shown = scene.asks(evil)
    assert shown == ascii("one\\ntwo\\rthree\\x0bfour\\x1b[2J\\x7f\\x85\\u2028end\n")
    scene.peer.send(b"003\xff\xfea")
    assert scene.hears() == ascii("\\xff\\xfea\n")


def test_lines_printed_too_early_wait_for_their_turns(make: Make) -> None:
    talks = python("print('1\\n2\\n3'); [None for line in sys.stdin]")
    scene = make(talks, surplus=Surplus.EACH)
    assert [scene.asks(word) for word in ("a", "b", "c")] == ["1", "2", "3"]


def test_while_it_is_the_peers_turn_its_output_is_not_read(make: Make) -> None:
    """Else a program that never stops printing would fill the memory."""
    scene = make("yes")
    assert scene.asks("one?") == "y"
    scene.until(lambda: status_of(scene.pid, "State") == "S")  # it sleeps: the pipe is full
    program = scene.program
    assert program.statistics()["lines"] <= READ_SIZE / 2
    assert scene.asks("two?") == "y"
    scene.peer.say("BYEBYE")
    scene.until(lambda: scene.endings)
    scene.clock.now += GRACE
    scene.until(scene.is_gone)


def test_a_program_may_begin(make: Make) -> None:
    scene = make(python("print('first'); print(input() + '!')"), first=Turn.OURS)
    assert scene.hears() == "first"
    assert scene.asks("hello") == "hello!"


def test_a_last_line_without_its_end_counts(make: Make) -> None:
    scene = make(python("input(); print('bye', end='')"))
    assert scene.asks("hello") == "bye"
    assert scene.asks("more?") == "BYEBYE"
    assert "the program for client 1 prints no more" in scene.log.lines


def test_its_answer_may_be_byebye(make: Make) -> None:
    scene = make(python("input(); print('BYEBYE'); input()"))
    assert scene.asks("hello") == "BYEBYE"
    assert scene.peer.hears_the_end()


def test_no_answer_in_time(make: Make) -> None:
    scene = make(python("signal.pause()"))
    scene.peer.say("hello")
    scene.until(lambda: scene.connection.conversation.turn is Turn.OURS)
    scene.clock.now += TIMEOUT
    assert scene.hears() == "BYEBYE"
    assert "the program for client 1 gave no answer within 30 s" in scene.log.lines


def test_a_program_that_does_not_read(make: Make) -> None:
    """The part that it does not take waits here: one line at the most."""
    scene = make(python("while True: print('ok')"))
    program = scene.program

    def is_answered(number: int) -> object:
        return scene.message_count == 2 * number or program.statistics()["unsent"]

    for number in count(1):
        scene.peer.say("x" * 255)
        scene.until(partial(is_answered, number))
        if program.statistics()["unsent"]:
            break
        assert scene.peer.hear() == "ok"
    assert program.statistics()["unsent"] <= 256
    scene.clock.now += TIMEOUT
    assert scene.hears() == "BYEBYE"
    assert "the program for client 1 did not read the message within 30 s" in scene.log.lines


def test_what_it_says_on_standard_error_is_logged_line_by_line(make: Make) -> None:
    scene = make(
        python("os.write(2, b'one\\ntwo \\xff\\n' + b'y' * 3000 + b'\\nlast'); sys.stdin.read()")
    )
    scene.says("hello")
    scene.until(lambda: len(scene.log.lines) == 3)
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)
    assert scene.log.lines[:3] == [
        "the program for client 1: one",
        "the program for client 1: two \\xff",
        "the program for client 1: " + "y" * 512 + " [3000 bytes]",
    ]
    assert scene.log.lines[3:] == [
        "the program for client 1: last",
        "the program for client 1 exited with status 0",
    ]


def test_its_last_words_are_all_logged(make: Make) -> None:
    scene = make(python("sys.stdin.read(); os.write(2, (b'x' * 1000 + b'\\n') * 60)"))
    scene.says("hello")
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)
    assert len(scene.log.lines) == 61


def test_a_silent_program_is_given_a_hint_once(make: Make) -> None:
    scene = make("sed s/^/x/")  # on a pipe it holds its output back
    scene.peer.say("hello")
    scene.until(lambda: scene.connection.conversation.turn is Turn.OURS)
    scene.clock.now += HINT_AFTER
    scene.until(lambda: scene.log.lines)
    assert scene.log.lines == [
        "the program for client 1 has printed nothing for 3 s; if it holds its output back in a"
        " buffer, --exec-pty helps"
    ]


def test_a_program_that_is_slow_each_time_is_hinted_at_once_only(make: Make) -> None:
    scene = make(python("import select\nfor line in sys.stdin: select.select([], [], []) and 0"))
    program = scene.program
    for _ in range(4):
        scene.connection.conversation.turn = Turn.OURS
        program.on_turn()
        scene.clock.now += HINT_AFTER
        scene.loop.timer("", lambda: None).start(0)
        scene.loop.run_once()
    assert sum("has printed nothing" in line for line in scene.log.lines) == 1


def test_a_program_that_floods_its_standard_error_is_held_back(make: Make) -> None:
    scene = make("sh -c 'yes >&2 & cat'")
    for number in range(5):
        assert scene.asks(str(number)) == str(number)
    assert len(scene.log.lines) <= MOST_LINES  # the clock stands still: so does it

    def has_left_lines_out() -> bool:
        scene.clock.now += PERIOD
        return any("lines left out]" in line for line in scene.log.lines)

    scene.until(has_left_lines_out)


def test_a_server_that_has_left_is_noticed_while_its_clients_program_thinks(make: Make) -> None:
    scene = make(python("signal.pause()"), first=Turn.OURS)
    scene.peer.close()
    scene.until(lambda: scene.endings)
    assert scene.endings[0].cause is Cause.HUNG_UP


def test_on_a_terminal_it_holds_nothing_back_and_hears_no_echo(make: Make) -> None:
    scene = make("sed s/^/x/", use_pty=True)
    assert scene.asks("hello") == "xhello"
    assert scene.asks("z" * 254) == "x" + "z" * 254
    scene.peer.say("BYEBYE")
    scene.until(scene.is_gone)
    assert scene.log.lines == ["the program for client 1 exited with status 0"]


def test_what_it_gets_to_know_of_the_world(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("WANTED", "y")
    monkeypatch.setenv("LC_TIME", "C")
    scene = make(python("input(); print(sorted(os.environ))"), names=["WANTED"])
    names = scene.asks("hello")
    assert "SECRET" not in names
    assert all(name in names for name in ("'WANTED'", "'LC_TIME'", "'PATH'", "'HOME'"))
    scene = make(
        python("input(); print(*(os.environ['TURNCHAT_' + n] for n in ('CONVERSATION', 'PEER')))")
    )
    assert scene.asks("hello") == "1 192.0.2.1:5"


def test_it_gets_no_descriptor_of_ours(make: Make) -> None:
    scene = make(python("input(); print(sorted(map(int, os.listdir('/proc/self/fd'))))"))
    assert scene.asks("hello") == "[0, 1, 2, 3]"  # the last is that of the folder


def test_a_peer_that_has_ended_its_stream_still_gets_the_answer(make: Make) -> None:
    patient = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
line = input()
os.write(2, b"got it\\n")
signal.sigwait([signal.SIGUSR1])
print(line)
"""
    scene = make(python(patient))
    scene.peer.say("hello")
    scene.peer.socket.shutdown(socket.SHUT_WR)
    scene.until_logged("the program for client 1: got it")
    scene.until(lambda: scene.connection.conversation.turn is Turn.LAST)
    os.kill(scene.pid, signal.SIGUSR1)
    assert scene.hears() == "hello"
    scene.until(lambda: scene.endings)
    assert scene.endings[0].cause is Cause.HUNG_UP
    assert scene.peer.hears_the_end()


def test_a_message_that_comes_with_a_fault_does_not_reach_the_program(make: Make) -> None:
    """The conversation is over by then; its program must not act on what it cannot answer."""
    scene = make(python("for line in sys.stdin: print('got', line, file=sys.stderr)"))
    scene.peer.send(b"005hello003out")
    scene.until(lambda: scene.endings)
    assert scene.processes.statistics() == {"waiting": 0, "running": 0}
    assert scene.log.lines == []
