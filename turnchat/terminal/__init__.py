"""A person's keyboard and screen.

The names of this face are imported at their first use: a program that needs one starts sooner.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.terminal.keyboard import open_keyboard
    from turnchat.terminal.screen import open_screen

__all__ = ["open_keyboard", "open_screen"]
_HOMES = {"open_keyboard": "keyboard", "open_screen": "screen"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - half a millisecond of start-up

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
