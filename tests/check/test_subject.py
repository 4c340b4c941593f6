"""A program on its terminal: it starts, types, shows, ends, and leaves nothing behind."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.check.stage import new_mark, processes_with
from tests.support.clock import run_until, wait_until
from tests.support.headless import children_of
from tests.support.process import own_descriptors
from turnchat.check import processes
from turnchat.check.report import EventType
from turnchat.check.subject import FLOOD, Subject, with_utf8, words_for
from turnchat.core.loop import EventLoop
from turnchat.process.child import ChildWatcher
from turnchat.process.signals import Signals

Begin = Callable[..., Subject]
PRELUDE = "import os, signal, sys, time, tty\n"


@pytest.fixture
def events() -> list[tuple[EventType, bytes, str]]:
    return []


@pytest.fixture
def begin(loop: EventLoop, events: list[tuple[EventType, bytes, str]]) -> Iterator[Begin]:
    started: list[Subject] = []
    with closing(Signals(loop)) as signals:

        def start(code: str, *words: str) -> Subject:
            subject = Subject(
                loop,
                ChildWatcher(loop, signals),
                [sys.executable, "-c", PRELUDE + code, *words],
                environment=dict(os.environ),
                folder=None,
                note=lambda *event: events.append(event),
                on_change=lambda: None,
            )
            started.append(subject)
            return subject

        yield start
        for subject in started:
            subject.kill()


def shown(loop: EventLoop, subject: Subject, text: str) -> None:
    run_until(loop, lambda: subject.screen.shows(text))


def ended(loop: EventLoop, subject: Subject) -> int:
    run_until(loop, lambda: subject.status is not None and subject.has_output_ended)
    assert subject.status is not None
    return subject.status


def test_it_is_on_a_terminal_of_its_own(loop: EventLoop, begin: Begin) -> None:
    subject = begin("""
assert all(os.isatty(number) for number in range(3))
assert os.getsid(0) == os.getpgrp() == os.getpid() == os.tcgetpgrp(0)
assert os.ttyname(0) == os.ttyname(2) and open("/dev/tty")
print(*os.get_terminal_size(), os.listdir("/proc/self/fd") == ["0", "1", "2", "3"])
""")
    assert ended(loop, subject) == 0, subject.screen.text
    assert subject.screen.text == "80 24 True"


def test_it_notes_what_happens(
    loop: EventLoop, begin: Begin, events: list[tuple[EventType, bytes, str]]
) -> None:
    subject = begin("print(input())")
    subject.type(b"hi\r")
    assert ended(loop, subject) == 0
    assert [event_type for event_type, *_ in events if event_type is not EventType.SCREEN] == [
        EventType.STARTED, EventType.TYPED, EventType.EXITED,
    ]  # fmt: skip
    assert events[-1][2] == "with status 0" or events[-2][2] == "with status 0"
    assert (
        b"".join(data for event_type, data, _ in events if event_type is EventType.SCREEN)
        == subject.output
    )
    assert subject.output == b"hi\r\nhi\r\n"  # the terminal's echo, and the program


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("sys.exit(3)", 3, "with status 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -11, "by SIGSEGV"),
        ("os.abort()", -6, "by SIGABRT"),
        ("os.kill(os.getpid(), 34)", -34, "by SIGRTMIN"),
        ("os.kill(os.getpid(), 40)", -40, "by signal 40"),
    ],
)
def test_its_status_is_known_in_words(
    loop: EventLoop, begin: Begin, code: str, status: int, words: str
) -> None:
    assert ended(loop, begin(code)) == status
    assert words_for(status) == words


def test_ctrl_c_reaches_it(loop: EventLoop, begin: Begin) -> None:
    subject = begin("print('ready'); signal.pause()")
    shown(loop, subject, "ready")
    subject.type(b"\x03")
    assert ended(loop, subject) == -signal.SIGINT
    assert "KeyboardInterrupt" in subject.screen.text


def test_a_line_waits_until_it_is_read_and_an_end_of_input_comes_after(
    loop: EventLoop, begin: Begin
) -> None:
    subject = begin("print('ready')\nfor line in sys.stdin: print(len(line))")
    shown(loop, subject, "ready")
    subject.type(b"four\r\x04")
    assert ended(loop, subject) == 0
    assert "5" in subject.screen.text


def test_raw_mode_gives_it_each_key(loop: EventLoop, begin: Begin) -> None:
    subject = begin("tty.setraw(0); print('ready'); print(os.read(0, 3), end='!')")
    shown(loop, subject, "ready")
    subject.type(b"\x03\r\x04")
    shown(loop, subject, r"b'\x03\r\x04'!")


def test_a_character_is_erased_and_not_a_byte(loop: EventLoop, begin: Begin) -> None:
    subject = begin("print(ascii(input()))")
    subject.type("a你\x7fb\r".encode())
    shown(loop, subject, "'ab'")


def test_a_program_that_closes_its_terminal_goes_on(loop: EventLoop, begin: Begin) -> None:
    subject = begin("print('bye', flush=True)\nfor one in range(3): os.close(one)\nsignal.pause()")
    run_until(loop, lambda: subject.has_output_ended)
    assert subject.status is None
    subject.type(b"nobody reads this\r")
    assert subject.screen.text == "bye"


def test_bytes_that_are_no_text_do_no_harm(loop: EventLoop, begin: Begin) -> None:
    subject = begin(r"os.write(1, b'\0\xff\xfe ok \x1b[' + b'9' * 5000 + b'm done')")
    assert ended(loop, subject) == 0
    assert subject.output.startswith(b"\0\xff\xfe ok")
    assert "ok" in subject.screen.text
    assert "done" in subject.screen.text


def test_a_flood_is_read_up_to_a_bound(loop: EventLoop, begin: Begin) -> None:
    subject = begin("while True: os.write(1, b'x' * 60000)")
    run_until(loop, lambda: subject.is_flooding)
    before = len(subject.output)
    run_until(loop, lambda: True)
    assert FLOOD <= before == len(subject.output) < FLOOD + (1 << 16)
    assert subject.status is None


def test_keys_that_are_not_read_do_not_keep_the_loop_busy(loop: EventLoop, begin: Begin) -> None:
    subject = begin("tty.setraw(0); print('ready'); signal.pause()")
    shown(loop, subject, "ready")
    subject.type(b"x" * 100_000)
    rounds = []
    timer = loop.timer("a while", lambda: rounds.append(0))
    timer.start(0.3)
    number = 0
    while not rounds:
        loop.run_once()
        number += 1
    assert number < 100


def test_its_use_is_counted_with_its_children(loop: EventLoop, begin: Begin) -> None:
    subject = begin("""
import threading
threading.Thread(target=signal.pause, daemon=True).start()
if not os.fork(): signal.pause()
files = [open("/dev/null") for _ in range(7)]
end = time.process_time() + 0.2
while time.process_time() < end: pass
print("ready"); signal.pause()
""")
    shown(loop, subject, "ready")
    usage = subject.usage()
    assert usage
    assert (usage.processes, usage.threads) == (2, 3)
    assert usage.descriptors == 3 + 7 + 3
    assert 0.1 < usage.cpu < 5


DAEMON = """
if not os.fork():
    os.setsid()
    if not os.fork():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for one in range(3): os.close(one)
        waits = "import signal; signal.pause()"
        os.execv(sys.executable, [sys.executable, "-c", waits, sys.argv[1]])
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(
    "code",
    [
        "for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)",
        "if not os.fork(): signal.signal(1, signal.SIG_IGN)",
        "if not os.fork(): os.setpgid(0, 0)",
        "if not os.fork(): os.setsid()",
        DAEMON,
        "if not os.fork(): os.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["ignores", "child", "groups", "session", "daemon", "stopped"],
)
@pytest.mark.parametrize("end", ["signal.pause()", "os._exit(0)"], ids=["runs", "has exited"])
def test_nothing_of_it_is_left(loop: EventLoop, begin: Begin, code: str, end: str) -> None:
    mark, children = new_mark(), children_of(os.getpid())
    subject = begin(f"{code}\nprint('ready', flush=True)\n{end}", mark)
    shown(loop, subject, "ready")
    if code == DAEMON:
        wait_until(lambda: processes_with(mark))
    subject.kill()
    assert processes_with(mark) == []
    assert children_of(os.getpid()) == children  # and no zombie


def test_a_process_in_the_midst_of_execve_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no environment and no words until its new program is loaded."""
    folder = tmp_path / "4711"
    folder.mkdir()
    fields = ["S", "1", "4711", "4711", "0", "-1", "0", *["0"] * 12, "1", "0", "999"]
    (folder / "stat").write_text(f"4711 (daemon) {' '.join(fields)}")
    for name in ("environ", "cmdline"):
        (folder / name).write_bytes(b"")

    def load(_: float) -> None:
        (folder / "environ").write_bytes(f"{processes.VARIABLE}=a-mark\0".encode())

    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr("turnchat.check.processes.time.sleep", load)
    assert [one.pid for one in processes.members("a-mark")] == [4711]


def test_it_is_ended_once(loop: EventLoop, begin: Begin) -> None:
    subject = begin("signal.pause()")
    subject.kill()
    others = os.pipe()  # they have the numbers that it had
    subject.kill()
    for descriptor in others:
        os.close(descriptor)


def test_it_is_counted_until_the_last_process_is_gone(loop: EventLoop, begin: Begin) -> None:
    mark = new_mark()
    subject = begin(DAEMON, mark)
    assert ended(loop, subject) == 0
    wait_until(lambda: processes_with(mark))
    usage = subject.usage()
    assert usage
    assert usage.processes == 1


def test_a_start_that_fails_leaves_no_descriptor(loop: EventLoop) -> None:
    before = own_descriptors()
    with closing(Signals(loop)) as signals:
        watcher = ChildWatcher(loop, signals)
        for command in (["/no/such/program"], ["/etc/passwd"]):
            with pytest.raises(OSError, match=r"No such file|Permission denied"):
                Subject(
                    loop, watcher, command, environment={}, folder=None,
                    note=lambda *_: None, on_change=lambda: None,
                )  # fmt: skip
    assert own_descriptors() == before


# Its locale


@pytest.mark.parametrize(
    ("environment", "added"),
    [
        ({"LANG": "en_GB.UTF-8"}, {}),
        ({"LANG": "C", "LC_CTYPE": "de_DE.utf8"}, {}),
        ({"LANG": "C", "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}, {}),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}),
        ({"LANG": "en_GB.UTF-8", "LC_CTYPE": "POSIX"}, {"LC_ALL": "C.UTF-8"}),
        ({"LANG": "de_DE@euro"}, {"LC_ALL": "C.UTF-8"}),
        ({}, {"LC_ALL": "C.UTF-8"}),
    ],
)
def test_a_locale_that_is_not_utf_8_is_replaced(
    environment: dict[str, str], added: dict[str, str]
) -> None:
    assert with_utf8(environment) == {**environment, **added}


def test_a_terminal_tells_which_side_edits_the_line(loop: EventLoop, begin: Begin) -> None:
    subject = begin("input('as it is'); tty.setcbreak(0); input('in hand')")
    shown(loop, subject, "as it is")
    assert subject.is_canonical
    subject.type(b"\n")
    shown(loop, subject, "in hand")
    assert not subject.is_canonical
