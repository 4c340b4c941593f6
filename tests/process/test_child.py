"""Real processes, and a clock driven by hand."""

import errno
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support import Clock, run_rounds, run_until
from tests.support.kernel import refuse_to_watch
from tests.support.process import own_descriptors
from turnchat.core.loop import EventLoop, reraise
from turnchat.process.child import GRACE, ChildProcess, ChildWatcher, StdioPipes, discard
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream

Start = Callable[..., "Child"]


class Child:
    """A child that runs Python code, and all that its owner hears of its end."""

    def __init__(self, clock: Clock, code: str, use_pty: bool) -> None:
        self._is_closed = False
        self.clock = clock
        self.loop = EventLoop(clock=clock)
        self.signals = Signals(self.loop)
        watcher = ChildWatcher(self.loop, self.signals)  # before the child, which may exit at once
        command = [sys.executable, "-c", f"import os, signal, sys, time\n{code}"]
        self.pipes, self.popen = StdioPipes.spawn(command, {**os.environ}, use_pty=use_pty)
        self.ends: list[tuple[str, int | None]] = []
        self.process = ChildProcess(
            self.loop,
            watcher,
            self.popen,
            lambda how, status: self.ends.append((how, status)),
            reraise,
        )

    def prints(self, text: bytes) -> None:
        """Wait until it has printed this, and nothing else."""
        printed = b""

        def is_printed() -> bool:
            nonlocal printed
            printed += self.pipes.stdout.read(100) or b""
            return len(printed) >= len(text)

        run_until(self.loop, is_printed)
        assert printed == text

    def has_ended(self) -> bool:
        return bool(self.ends)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        ChildProcess.kill_all([self.process])
        discard(self.popen)
        for pipe in self.pipes:
            pipe.close()
        self.signals.close()
        self.loop.close()


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[Child] = []

    def made(code: str, *, use_pty: bool = False) -> Child:
        children.append(Child(Clock(), code, use_pty))
        return children[-1]

    yield made
    for child in reversed(children):  # their signals are nested
        child.close()


@pytest.fixture(params=["pidfd", "SIGCHLD"])
def exits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to hear of an exit."""

    def refuse(_pid: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if request.param == "SIGCHLD":
        monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)


@pytest.mark.usefixtures("exits")
def test_an_exit_is_heard_of_once_and_the_child_is_reaped(start: Start) -> None:
    child = start("sys.exit(3)")
    run_until(child.loop, child.has_ended)
    assert child.ends == [("exited with status 3", 3)]
    assert child.process.is_reaped
    assert not Path(f"/proc/{child.process.pid}").exists()
    child.process.end()
    ChildProcess.kill_all([child.process])
    assert len(child.ends) == 1


@pytest.mark.usefixtures("exits")
def test_a_child_whose_input_is_closed_may_end_by_itself(start: Start) -> None:
    child = start("sys.stdin.read()")
    child.pipes.stdin.write(b"hello\n")
    child.pipes.stdin.close()
    child.process.end()
    run_until(child.loop, child.has_ended)
    assert child.ends == [("exited with status 0", 0)]
    child.pipes = child.pipes._replace(stdin=Stream(-1))  # it is closed


@pytest.mark.parametrize(
    ("ignored", "steps", "how"),
    [("", 1, "was ended by SIGTERM"), ("SIGTERM", 2, "was ended by SIGKILL")],
)
def test_a_child_that_stays_is_ended_step_by_step(
    start: Start, ignored: str, steps: int, how: str
) -> None:
    ignore = f"signal.signal(signal.{ignored}, signal.SIG_IGN)" if ignored else ""
    child = start(f"{ignore}\nprint('ready', flush=True)\ntime.sleep(100)")
    child.prints(b"ready\n")
    child.process.end()
    for _ in range(steps):
        assert not child.has_ended()
        child.clock.now += GRACE
        child.loop.run_once()
    run_until(child.loop, child.has_ended)
    assert [end[0] for end in child.ends] == [how]


def test_what_a_child_leaves_behind_of_its_group_ends_with_it(start: Start) -> None:
    child = start(
        "pid = os.fork()\nif not pid: time.sleep(100)\nprint(f'{pid:08}', flush=True)\nos._exit(0)"
    )
    run_until(child.loop, child.has_ended)
    run_until(child.loop, lambda: child.pipes.stdout.read(1) == b"")  # nothing holds the pipe
    assert child.ends == [("exited with status 0", 0)]


def test_kill_ends_it_at_once(start: Start) -> None:
    child = start("time.sleep(100)")
    ChildProcess.kill_all([child.process])
    assert child.ends == [("was ended by SIGKILL", -signal.SIGKILL)]
    assert child.process.is_reaped


def test_children_that_may_not_be_signalled_cost_one_wait_together(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = [start("sys.stdin.read()") for _ in range(4)]

    def refuse(_group: int, _number: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    began = time.monotonic()
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", refuse)
        ChildProcess.kill_all([child.process for child in children])
    assert time.monotonic() - began < 2 * GRACE
    for child in children:
        ((how, status),) = child.ends
        assert (how, status) == (f"cannot be ended: it is process {child.process.pid}", None)


def test_all_are_signalled_before_the_first_is_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = [start("sys.stdin.read()") for _ in range(3)]
    killpg, were_reaped = os.killpg, []

    def kill(group: int, number: int) -> None:
        were_reaped.append(any(child.process.is_reaped for child in children))
        killpg(group, number)

    monkeypatch.setattr(os, "killpg", kill)
    ChildProcess.kill_all([child.process for child in children])
    assert were_reaped == [False] * 3
    assert all(child.process.is_reaped for child in children)


def test_a_pidfd_that_cannot_be_watched_is_closed_and_the_signal_tells_of_the_exit(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(own_descriptors())
    with monkeypatch.context() as patch:
        refuse_to_watch(patch, "process")
        child = start("sys.exit(3)")
    run_until(child.loop, child.has_ended)
    assert child.ends == [("exited with status 3", 3)]
    child.close()
    assert len(own_descriptors()) == before


@pytest.mark.usefixtures("exits")
def test_after_its_end_nothing_looks_for_it(start: Start) -> None:
    child = start("sys.stdin.read()")
    ChildProcess.kill_all([child.process])
    other = StdioPipes.spawn(["true"], {**os.environ}, use_pty=False)
    other[1].wait()  # a SIGCHLD comes
    run_rounds(child.loop, 3)
    assert len(child.ends) == 1
    for pipe in other[0]:
        pipe.close()


def test_a_signal_without_a_name_has_a_number(start: Start) -> None:
    number = signal.SIGRTMIN + 5
    child = start(f"os.kill(os.getpid(), {number})")
    run_until(child.loop, child.has_ended)
    assert child.ends == [(f"was ended by signal {number}", -number)]


def test_an_error_of_the_owner_goes_to_on_error(start: Start) -> None:
    child = start("sys.stdin.read()")
    errors: list[Exception] = []

    def fail(_how: str, _status: int | None) -> None:
        raise LookupError("a defect")

    pipes, process = StdioPipes.spawn(["true"], {**os.environ}, use_pty=False)
    ChildProcess(child.loop, ChildWatcher(child.loop, child.signals), process, fail, errors.append)
    run_until(child.loop, lambda: errors)
    assert [str(error) for error in errors] == ["a defect"]
    for pipe in pipes:
        pipe.close()


@pytest.mark.parametrize("use_pty", [False, True])
def test_input_and_output_are_pipes_or_a_plain_terminal(start: Start, use_pty: bool) -> None:
    child = start(
        "print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), flush=True)\n"
        "for line in sys.stdin.buffer: print('got', line, flush=True)\n"
        "print('over', flush=True)",
        use_pty=use_pty,
    )
    child.prints(f"{use_pty} {use_pty} False\n".encode())
    child.pipes.stdin.write(b"one\r\x03\n")  # neither echoed, nor changed, nor a signal
    child.prints(b"got b'one\\r\\x03\\n'\n")
    child.pipes.stdin.close()
    child.prints(b"over\n")
    run_until(child.loop, child.has_ended)
    assert child.ends == [("exited with status 0", 0)]
    child.pipes = child.pipes._replace(stdin=Stream(-1))  # it is closed


@pytest.mark.parametrize("use_pty", [False, True])
def test_a_command_that_cannot_be_started_leaves_nothing_open(use_pty: bool) -> None:
    before = own_descriptors()
    with pytest.raises(FileNotFoundError):
        StdioPipes.spawn(["/no/such/program"], {}, use_pty=use_pty)
    assert own_descriptors() == before


def test_each_step_of_the_end_comes_a_second_after_the_one_before(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start("time.sleep(100)")
    sent: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", lambda _group, number: sent.append(number))
        child.process.end()
        for step in [], [signal.SIGTERM], [signal.SIGTERM, signal.SIGKILL]:
            run_rounds(child.loop, 2)
            assert sent == step
            child.clock.now += 0.99
            run_rounds(child.loop, 2)
            assert sent == step
            child.clock.now += 0.02
    assert not child.has_ended()


def test_an_exit_is_heard_of_while_another_process_runs(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By SIGCHLD, which does not say whose it is."""
    monkeypatch.setattr(os, "pidfd_open", None)  # a TypeError, should it be called
    monkeypatch.delattr(os, "pidfd_open")
    child = start("sys.stdin.read()")
    watcher = ChildWatcher(child.loop, child.signals)
    exits: list[str] = []
    pipes, process = StdioPipes.spawn(["true"], {**os.environ}, use_pty=False)
    for pid, name in (child.process.pid, "first"), (process.pid, "second"):
        watcher.await_exit(pid, partial(exits.append, name), reraise)
    run_until(child.loop, lambda: exits)
    assert exits == ["second"]
    discard(process)
    for pipe in pipes:
        pipe.close()


@pytest.mark.parametrize("use_pty", [False, True])
def test_a_start_opens_three_files_that_do_not_block_and_their_end_closes_them(
    use_pty: bool,
) -> None:
    before = len(own_descriptors())
    pipes, process = StdioPipes.spawn(["true"], {**os.environ}, use_pty=use_pty)
    opened = {pipe.fileno() for pipe in pipes}
    assert len(opened) == 3
    assert len(own_descriptors()) == before + 3
    assert not any(os.get_blocking(descriptor) for descriptor in opened)
    process.wait()
    for pipe in pipes:
        pipe.close()
    assert len(own_descriptors()) == before


def test_a_terminal_is_plain_whatever_the_system_sets_and_nothing_else_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = (
        (0, termios.ICRNL | termios.INLCR | termios.IXON | termios.IXOFF),
        (1, termios.OPOST),
        (3, termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHONL | termios.ISIG),
    )
    before: list[list[int]] = []
    openpty = os.openpty

    def with_all_set() -> tuple[int, int]:
        master, slave = openpty()
        settings = termios.tcgetattr(slave)
        for index, flags in changes:
            settings[index] |= flags
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        before.append(termios.tcgetattr(slave))
        return master, slave

    monkeypatch.setattr(os, "openpty", with_all_set)
    pipes, process = StdioPipes.spawn(["cat"], {**os.environ}, use_pty=True)
    after = termios.tcgetattr(pipes.stdin.fileno())
    for index, flags in changes:
        before[0][index] &= ~flags
    assert after == before[0]
    discard(process)
    for pipe in pipes:
        pipe.close()


def test_a_process_that_is_discarded_is_killed_and_reaped() -> None:
    code = "trap '' TERM; echo; cat"
    pipes, process = StdioPipes.spawn(["sh", "-c", code], {**os.environ}, use_pty=False)
    os.set_blocking(pipes.stdout.fileno(), True)
    assert pipes.stdout.read(1) == b"\n"  # it ignores SIGTERM now
    discard(process)
    assert process.returncode == -signal.SIGKILL
    for pipe in pipes:
        pipe.close()
