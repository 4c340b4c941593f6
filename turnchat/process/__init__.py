"""Signals, standard streams and child processes in the event loop.

The names of this face are imported at their first use: a program that needs one starts sooner.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.process.backend import Backend
    from turnchat.process.child import ChildProcess
    from turnchat.process.signals import Signals

__all__ = ["Backend", "ChildProcess", "Signals"]
_HOMES = {"Backend": "backend", "ChildProcess": "child", "Signals": "signals"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - half a millisecond of start-up

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
