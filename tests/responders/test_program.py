"""Programs that answer: real processes, real sockets, and a clock driven by hand."""

import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.support import Clock, Peer, run_until, status_of, tcp_pair
from tests.support.logs import collected_log
from turnchat.core.connection import Cause, CloseReason, Connection, Label
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.loop import EventLoop
from turnchat.process.child import GRACE
from turnchat.process.signals import Signals
from turnchat.process.stderr import MOST_LINES, PAUSE
from turnchat.responders.program import (
    HINT_AFTER,
    READ_SIZE,
    BadCommand,
    Command,
    Programs,
)

TIMEOUT = 30.0
DOUBLE = "for line in sys.stdin: print(line.rstrip() * 2)"


def python(code: str) -> str:
    """A command that runs `code`."""
    return shlex.join([sys.executable, "-c", f"import os, signal, sys\n{code}"])


class Scene:
    """One conversation, in which a program answers, and all that its owner hears."""

    def __init__(self, text: str, first: Turn, use_pty: bool, names: list[str]) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.signals = Signals(self.loop)
        logger, self.log = collected_log()
        command = Command.parse(text, names, use_pty=use_pty, reply_timeout=TIMEOUT)
        self.programs = Programs(
            self.loop, self.signals, logger, command, serving=first is Turn.THEIRS
        )
        here, there = tcp_pair()
        here.setblocking(False)
        self.peer = Peer(there)
        self.endings: list[CloseReason] = []
        self.errors: list[Exception] = []
        self.is_closed = False
        self._has_closed = False
        self.connection = Connection(
            self.loop,
            here,
            self.loop.watcher(here, "client 1"),
            Conversation(first),
            self,
            label=Label("client 1", 1, "192.0.2.1:5"),
        )
        self.program = self.programs.session(self.connection)
        (self.child,) = self.programs.children
        self.connection.start(self.program)

    @property
    def message_count(self) -> int:
        return self.connection.conversation.message_count

    @property
    def pid(self) -> int:
        return self.child.pid

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)
        self.endings.append(reason)

    def on_close(self, connection: Connection) -> None:
        self.is_closed = True

    def on_error(self, connection: Connection, error: Exception) -> None:
        self.errors.append(error)

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    def until_logged(self, text: str) -> None:
        self.until(lambda: text in self.log.lines)

    def asks(self, text: str) -> str:
        """Say something, and what the answer is."""
        self.peer.say(text)
        return self.hears()

    def hears(self) -> str:
        self.peer.socket.setblocking(False)
        data = b""

        def whole() -> bool:
            nonlocal data
            try:
                data += self.peer.socket.recv(999)
            except BlockingIOError:
                return False
            return len(data) >= 3 and len(data) == 3 + int(data[:3])

        self.until(whole)
        self.peer.socket.setblocking(True)
        return data[3:].decode()

    def is_gone(self) -> bool:
        """Whether nothing is left of the process, not even a zombie."""
        return self.child.is_reaped and not Path(f"/proc/{self.pid}").exists()

    def close(self) -> None:
        if not self._has_closed:
            self._has_closed = True
            self.programs.close()
            self.connection.abort(CloseReason(Cause.STOPPED))
            self.signals.close()
            self.loop.close()
            self.peer.close()


Make = Callable[..., Scene]


@pytest.fixture(params=["pidfd", "SIGCHLD"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which the exit of a process can be noticed."""
    if request.param == "SIGCHLD":
        monkeypatch.delattr(os, "pidfd_open")


@pytest.fixture
def make() -> Iterator[Make]:
    scenes: list[Scene] = []

    def made(
        text: str,
        first: Turn = Turn.THEIRS,
        use_pty: bool = False,
        names: list[str] | None = None,
    ) -> Scene:
        scenes.append(Scene(text, first, use_pty, names or []))
        return scenes[-1]

    yield made
    for scene in reversed(scenes):
        scene.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the command is empty"),
        ("   ", "the command is empty"),
        ("echo 'half", "cannot be split into words: No closing quotation"),
        ("/no/such/program -x", "'/no/such/program' is not a program that can be run"),
        ("no-such-program", "'no-such-program' is not a program"),
        (os.devnull, "'/dev/null' is not a program that can be run"),
    ],
)
def test_a_command_that_cannot_be_run_says_why(text: str, words: str) -> None:
    with pytest.raises(BadCommand, match=words):
        Command.parse(text, [], use_pty=False, reply_timeout=1)


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
    scene = make(python("print('1\\n2\\n3'); [None for line in sys.stdin]"))
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
    scene = make(python("os.kill(os.getpid(), signal.SIGABRT)"))
    scene.until_logged("the program for client 1 was ended by SIGABRT")
    assert scene.asks("hello") == "BYEBYE"


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
    """What it does not take waits here: one line at the most."""
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
    for _ in range(2):
        scene.connection.conversation.turn = Turn.OURS
        program.on_turn()
        scene.clock.now += HINT_AFTER
        scene.loop.timer("", lambda: None).start(0)
        scene.loop.run_once()
    assert sum("has printed nothing" in line for line in scene.log.lines) == 1


@pytest.mark.usefixtures("either")
def test_a_signal_without_a_name_ends_nobody_else(make: Make) -> None:
    scene = make("sh -c 'read line; kill -40 $$'")
    assert scene.asks("hello") == "BYEBYE"
    scene.until_logged("the program for client 1 was ended by signal 40")


def test_a_program_that_floods_its_standard_error_is_held_back(make: Make) -> None:
    scene = make("sh -c 'yes >&2 & cat'")
    for number in range(5):
        assert scene.asks(str(number)) == str(number)
    assert len(scene.log.lines) <= 2 * (MOST_LINES + 1)  # the clock stands still: so does it

    def has_left_lines_out() -> bool:
        scene.clock.now += PAUSE
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
    scene.programs.close()
    assert scene.is_gone()
    scene.until(lambda: not is_alive(pid))
    scene.programs.close()


def test_drain_waits_for_the_last_to_end(make: Make) -> None:
    scene = make(python("sys.stdin.read()"))
    scene.peer.say("BYEBYE")
    scene.until(lambda: scene.endings)
    scene.programs.drain()
    assert scene.is_gone()
    scene.programs.drain()


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


def test_nothing_can_be_started(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong on the way, no descriptor is left."""
    scene = make("cat")
    before = set(os.listdir("/proc/self/fd"))

    def no_process(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("subprocess.Popen", no_process)
    for use_pty in (False, True):
        scene.programs.command = scene.programs.command._replace(use_pty=use_pty)
        with pytest.raises(OSError, match="Resource"):
            scene.programs.session(scene.connection)
    assert set(os.listdir("/proc/self/fd")) == before


def test_no_descriptor_is_left_of_a_conversation(make: Make) -> None:
    make("cat")
    before = len(os.listdir("/proc/self/fd"))
    for use_pty in (False, True):
        scene = make("cat", use_pty=use_pty)
        assert scene.asks("hello") == "hello"
        scene.peer.say("BYEBYE")
        scene.until(scene.is_gone)
        scene.close()
    assert len(os.listdir("/proc/self/fd")) == before
