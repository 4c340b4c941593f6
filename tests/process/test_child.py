"""Real processes, and a clock driven by hand."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import Clock, run_until
from turnchat.core.loop import EventLoop, reraise
from turnchat.process.child import GRACE, ChildProcess, ChildWatcher, StdioPipes
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream

Start = Callable[..., "Child"]


class Child:
    """A child that runs Python code, and all that its owner hears of its end."""

    def __init__(self, clock: Clock, code: str, use_pty: bool) -> None:
        self.clock = clock
        self.loop = EventLoop(clock=clock)
        self.signals = Signals(self.loop)
        command = [sys.executable, "-c", f"import os, signal, sys, time\n{code}"]
        self.pipes, process = StdioPipes.spawn(command, {**os.environ}, use_pty=use_pty)
        self.ends: list[tuple[str, int | None]] = []
        self.process = ChildProcess(
            self.loop,
            ChildWatcher(self.loop, self.signals),
            process,
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
        self.process.kill()
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
    for child in children:
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
    child.process.kill()
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
    child.process.kill()
    assert child.ends == [("was ended by SIGKILL", -signal.SIGKILL)]
    assert child.process.is_reaped


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
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        StdioPipes.spawn(["/no/such/program"], {}, use_pty=use_pty)
    assert os.listdir("/proc/self/fd") == before
