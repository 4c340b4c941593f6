"""Many runs of cases, by workers: processes that run one case at a time, in one event loop.

A worker is this program again. It reads a task as a line of JSON and writes the result as one. So a
defect of a case, or a program that harms its worker, costs one result; and with a sandbox each
worker has a network of its own. This side is one event loop, too: pipes, exits, deadlines.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from turnchat.check import processes
from turnchat.check.case import Case
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.suite import Suite, Task, without_run
from turnchat.core.loop import EventLoop, reraise
from turnchat.process.child import ChildProcess, ChildWatcher, StdioPipes

OVERTIME = 8.0  # seconds for a worker beyond the bound of its case
KILL_TIMEOUT = 2.0  # seconds, twice: in OVERTIME, since all other workers wait meanwhile
LOOK_INTERVAL = 1.0  # seconds
READ_SIZE = 1 << 16
LONGEST_RESULT = 1 << 25  # bytes; a screen and a stream have 1 MiB each, and hexadecimal doubles it


class Runner:
    """Runs suites by workers. on_start hears of each run of a case, on_result of each that is done.

    stop() may be called at any time: what is under way is ended, and has no result.
    """

    def __init__(
        self,
        loop: EventLoop,
        children: ChildWatcher,
        command: Callable[[int], Sequence[str]],
        suites: Iterable[Suite],
        *,
        jobs: int,
        on_result: Callable[[Suite, CaseResult], object],
        on_start: Callable[[Suite, Case], object] = lambda *_: None,
    ) -> None:
        """`command` gives the words that start worker N."""
        self.loop, self._children, self._command = loop, children, command
        self._suites = iter(suites)
        self._open: list[Suite] = []
        self._on_result, self._on_start = on_result, on_start
        self._is_stopped = self._is_running_dry = False
        self._workers = [_Worker(self, number) for number in range(jobs)]

    def run(self) -> None:
        """Run all suites, or until stop(). Raises OSError if a worker cannot be started."""
        try:
            for worker in self._workers:
                worker.feed()
            while not self._is_stopped and any(worker.is_busy for worker in self._workers):
                self.loop.run_once()
        finally:
            self.close()

    def stop(self) -> None:
        """Let run() end the workers and return."""
        self._is_stopped = True

    def close(self) -> None:
        """End all workers, and with them what they have started."""
        self.stop()
        for worker in self._workers:
            worker.end()
        while any(worker.is_alive for worker in self._workers):
            self.loop.run_once()

    def next_task(self) -> tuple[Suite, Case, Task] | None:
        """Return the next thing to do: of the suites that have begun, then of a new one.

        A suite that has nothing left but cases that are to be run alone lets the workers run dry.
        Then those cases run, one after the other. So no suite waits for the end of all others.
        """
        if self._is_running_dry:
            if self._is_any_busy:
                return None
            if late := self._next_late():
                return late
            self._is_running_dry = False
        for suite in self._all_suites():
            known = set(suite.results)
            found = suite.next_task()
            for name in suite.results.keys() - known:
                self._on_result(suite, suite.results[name])
            if suite.is_done:
                self._open.remove(suite)
            if found:
                return self._begun(suite, found)
            if suite.has_late and all(worker.suite is not suite for worker in self._workers):
                self._is_running_dry = True
                break
        return None if self._is_any_busy else self._next_late()

    @property
    def _is_any_busy(self) -> bool:
        return any(worker.is_busy for worker in self._workers)

    def _next_late(self) -> tuple[Suite, Case, Task] | None:
        for suite in self._open:
            if found := suite.next_late():
                return self._begun(suite, found)
        return None

    def _begun(self, suite: Suite, found: tuple[Case, Task]) -> tuple[Suite, Case, Task]:
        self._on_start(suite, found[0])
        return suite, *found

    def take(self, suite: Suite, one: Case, result: CaseResult) -> None:
        if suite.take(one, result):
            self._on_result(suite, suite.results[one.id])
        for worker in self._workers:
            if not worker.is_busy and not self._is_stopped:
                worker.feed()

    def _all_suites(self) -> Iterator[Suite]:
        yield from list(self._open)
        for suite in self._suites:
            self._open.append(suite)
            yield suite

    def end_orphans(self) -> None:
        """End what a worker that has died has left to this process."""
        spared = [worker.pid for worker in self._workers if worker.is_alive]
        processes.end_orphans(spared, KILL_TIMEOUT)

    def spawn(self, number: int, mark: str) -> tuple[StdioPipes, ChildProcess]:
        environment = processes.marked(os.environ, mark)
        pipes, process = StdioPipes.spawn(self._command(number), environment, use_pty=False)
        worker = self._workers[number]
        return pipes, ChildProcess(self.loop, self._children, process, worker.on_end, reraise)


class _Worker:
    """One worker process, started when there is work, and again when it has died."""

    def __init__(self, runner: Runner, number: int) -> None:
        self._runner, self._number = runner, number
        self._job: tuple[Suite, Case, Task] | None = None
        self._pipes: StdioPipes | None = None
        self._data, self._errors, self._unsent = bytearray(), b"", b""
        self._problem = ""  # of an answer that does not count
        self._began = self._bound = 0.0  # of its case
        self._timer = runner.loop.timer(f"worker {number}", self._look)

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    @property
    def suite(self) -> Suite | None:
        """The one whose case it runs."""
        return self._job[0] if self._job else None

    @property
    def is_alive(self) -> bool:
        return self._pipes is not None

    @property
    def pid(self) -> int:
        return self._process.pid

    def feed(self) -> None:
        """Give it the next task, if there is one."""
        self._job = self._runner.next_task()
        if self._job is None:
            return
        if self._pipes is None:
            self._start()
        assert self._pipes
        _, case, task = self._job
        self._began = time.monotonic()
        self._bound = task.port_timeout + case.most_seconds(task.timeout) + OVERTIME
        self._timer.start(0)
        self._unsent = json.dumps(task._asdict()).encode() + b"\n"
        self._on_writable()

    def end(self) -> None:
        self._job = None
        self._timer.cancel()
        if self._pipes:
            self._process.terminate()  # it ends the program that it runs

    def on_end(self, how: str, _status: int | None) -> None:
        """Take its last answer, or make an error of its case. End what it has left behind."""
        while self._read():
            pass
        self._on_error()
        self._close()
        processes.kill(self._mark, timeout=KILL_TIMEOUT)
        self._runner.end_orphans()
        if self._job and not self._take_line():
            last = self._errors.decode(errors="replace").strip().splitlines()[-1:]
            why = self._problem or "".join(last) or "it wrote no error"
            reason = f"the worker {how} in this case: {why}"
            lost = without_run(self._job[1], Verdict.ERROR, reason)
            self._job[0].lose()
            self._done(lost._replace(seconds=time.monotonic() - self._began))

    def _start(self) -> None:
        self._data, self._errors, self._unsent = bytearray(), b"", b""
        self._problem = ""
        self._mark = processes.new_mark()
        self._pipes, self._process = self._runner.spawn(self._number, self._mark)
        loop = self._runner.loop
        stdin, stdout, stderr = self._pipes
        self._writer = loop.watcher(stdin, "tasks")
        self._readers = [loop.watcher(stdout, "results"), loop.watcher(stderr, "errors")]
        self._readers[0].when_readable(lambda: self._read() and self._take_line())
        self._readers[1].when_readable(self._on_error)

    def _close(self) -> None:
        if self._pipes:
            self._timer.cancel()
            self._writer.unregister()
            for reader in self._readers:
                reader.unregister()
            for pipe in self._pipes:
                pipe.close()
            self._pipes = None

    def _on_writable(self) -> None:
        assert self._pipes
        try:
            self._unsent = self._unsent[self._pipes.stdin.write(self._unsent) :]
        except BrokenPipeError:
            self._unsent, self._problem = b"", "it takes no task"
            self._on_late()
        self._writer.when_writable(self._on_writable if self._unsent else None)

    def _read(self) -> bool:
        """Read once. Return False if there was nothing."""
        assert self._pipes
        data = self._pipes.stdout.read(READ_SIZE)
        if data == b"":
            self._readers[0].unregister()
        if not data or len(self._data) > LONGEST_RESULT:
            return False
        self._data += data
        if len(self._data) > LONGEST_RESULT:
            self._readers[0].unregister()
            self._on_late()
        return True

    def _take_line(self) -> bool:
        """Take the result that has come. Return False if there is none, or none that counts.

        A program may write to its worker's output, by /proc. So rubbish is no defect of this side.
        """
        if self._problem or self._data[-1:] != b"\n" or not self._job:
            return False
        line, self._data = bytes(self._data), bytearray()
        try:
            result = CaseResult.from_json(json.loads(line))
            if result.id != self._job[1].id:
                raise ValueError(result.id)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            self._problem = "its answer is no result"
            self._on_late()
            return False
        self._done(result)
        return True

    def _on_error(self) -> None:
        assert self._pipes
        data = self._pipes.stderr.read(READ_SIZE)
        self._errors = (self._errors + (data or b""))[-READ_SIZE:]
        if data == b"":
            self._readers[1].unregister()

    def _look(self) -> None:
        """End a worker whose time is up, and one that its program has stopped."""
        took = time.monotonic() - self._began
        if took >= self._bound:
            self._problem = f"it gave no answer for {took:.0f} s"
            self._on_late()
        elif processes.is_stopped(self.pid):
            self._problem = "it was stopped (SIGSTOP)"
            self._on_late()
        else:
            self._timer.start(min(LOOK_INTERVAL, self._bound - took))

    def _on_late(self) -> None:
        """End a worker that does not answer as it should; on_end makes an error of its case."""
        self._process.terminate()

    def _done(self, result: CaseResult) -> None:
        assert self._job
        (suite, case, _), self._job = self._job, None
        self._timer.cancel()
        self._runner.take(suite, case, result)
