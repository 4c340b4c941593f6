import gc
import os
import pty
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import Program, Terminal
from tests.support.shell import TmuxShell
from tests.support.tools import may_be_skipped, require, summed_up
from tests.tools import example_pages
from turnchat.core.loop import EventLoop

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.support.page import Shown

collect_ignore = ["zoo"]  # programs that would run, if doctests were looked for in them
NO_SKIPS = "TURNCHAT_TESTS_MUST_NOT_SKIP"  # set where every tool can be installed


# Ignored by nohup, and by shells for the background jobs of a script (POSIX, 2.11).
MAY_BE_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def pytest_configure() -> None:
    """Let programs have the default signals. Here, a handler ignores those that were ignored."""
    for number in MAY_BE_IGNORED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # exec() takes handlers away: execve(2)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the thousands of tests: each look took half a second."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        require(*mark.args)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Count a skipped test as failed if NO_SKIPS is set, and its tool can be installed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if not (report.skipped and os.environ.get(NO_SKIPS)) or hasattr(report, "wasxfail"):
        return
    if not may_be_skipped(report.longrepr[2].removeprefix("Skipped: ")):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr[2]}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum the skips up: a line for each tool that is missing."""
    skipped = terminalreporter.getreports("skipped")
    for line in summed_up(report.longrepr[2].removeprefix("Skipped: ") for report in skipped):
        terminalreporter.write_line(line)


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    made = EventLoop()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Two descriptors, to read from and to write to. A test may close either."""
    yield from closed_at_the_end(os.pipe())


@pytest.fixture
def tty() -> Iterator[tuple[int, int]]:
    """Two descriptors: a terminal's master, and the terminal. A test may close either."""
    yield from closed_at_the_end(pty.openpty())


def closed_at_the_end(ends: tuple[int, int]) -> Iterator[tuple[int, int]]:
    yield ends
    for descriptor in ends:
        with suppress(OSError):
            os.close(descriptor)


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """Start programs on pipes, and end those that the test has left running."""
    started: list[Program] = []

    def start(*command: str, **how: object) -> Program:
        started.append(Program(*command, **how))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for made in started:
        made.kill()


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start programs on terminals, and end those that the test has left running."""
    started: list[Terminal] = []

    def start(*command: str, **how: object) -> Terminal:
        started.append(Terminal(*command, **how))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for made in started:
        made.close()


@pytest.fixture
def shell() -> Iterator[Callable[..., TmuxShell]]:
    """Start shells in tmux, and end them."""
    require("tmux")
    started: list[TmuxShell] = []

    def start(**how: object) -> TmuxShell:
        started.append(TmuxShell(**how))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for made in started:
        made.close()


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Chrome]":
    """One browser for all tests of pages."""
    require("chromium")
    with example_pages.browser() as driver:
        yield driver


@pytest.fixture
def shown(chromium: "Chrome", files: dict[str, Path]) -> "Iterator[Shown]":
    """A page of `files`. By the end of the test it has made no request and logged no error."""
    from tests.support.page import Shown, complaints  # noqa: PLC0415 - it needs selenium

    example_pages.prefer(chromium, "light")
    complaints(chromium)
    made = Shown(chromium, files)
    yield made
    assert not complaints(chromium)
    assert made.run("return performance.getEntriesByType('resource').length") == 0
