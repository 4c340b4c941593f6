"""The two roles: the server and the client, their log and their reports.

The names of this face are imported at their first use: a program that needs one starts sooner.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.chat.client import Client
    from turnchat.chat.server import Server

__all__ = ["Client", "Server"]
_HOMES = {"Client": "client", "Server": "server"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - half a millisecond of start-up

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
