"""Responders: a person, a script, a program or an echo answers.

The names of this face are imported at their first use: a program that needs one starts sooner.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.responders.console import Console
    from turnchat.responders.echo import Echo
    from turnchat.responders.operator import Operator
    from turnchat.responders.program import Programs
    from turnchat.responders.script import Script

__all__ = ["Console", "Echo", "Operator", "Programs", "Script"]
_HOMES = {
    "Console": "console",
    "Echo": "echo",
    "Operator": "operator",
    "Programs": "program",
    "Script": "script",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - half a millisecond of start-up

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
