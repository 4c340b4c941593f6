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
    allow = Watcher.set_callbacks

    def set_callbacks(
        self: Watcher, reader: Callback | None = None, writer: Callback | None = None
    ) -> None:
        if name in self.name and (reader or writer):
            raise refusal(number)
        allow(self, reader, writer)

    patch.setattr(Watcher, "set_callbacks", set_callbacks)


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
