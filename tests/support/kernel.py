"""A kernel that says no, for one kind of call at a time."""

import errno
import os
from collections.abc import Callable

import pytest

from turnchat.core.loop import Callback, Watcher


def refusal(number: int) -> OSError:
    """The error of a call that fails with this errno."""
    return OSError(number, os.strerror(number))


def refuse_to_watch(patch: pytest.MonkeyPatch, name: str, number: int = errno.ENOSPC) -> None:
    """Let epoll_ctl(2) fail for each watcher with `name` in its name."""
    for method in ("when_readable", "when_writable"):
        _refuse(patch, method, name, number)


def _refuse(patch: pytest.MonkeyPatch, method: str, name: str, number: int) -> None:
    allow = getattr(Watcher, method)

    def when(self: Watcher, callback: Callback) -> None:
        if name in self.name:
            raise refusal(number)
        allow(self, callback)

    patch.setattr(Watcher, method, when)


def refuse_call(
    patch: pytest.MonkeyPatch, where: object, name: str, at: int, number: int = errno.EMFILE
) -> Callable[[], int]:
    """Let the call number `at`, from 1, fail once. Return a function that counts the calls."""
    allow, calls = getattr(where, name), 0

    def call(*arguments: object, **how: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise refusal(number)
        return allow(*arguments, **how)

    patch.setattr(where, name, call)
    return lambda: calls
