"""Addresses to ready sockets: parse, resolve, listen, connect.

The names of this face are imported at their first use: a program that needs one starts sooner.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.net.address import Address
    from turnchat.net.connector import Connector
    from turnchat.net.sockets import listen

__all__ = ["Address", "Connector", "listen"]
_HOMES = {"Address": "address", "Connector": "connector", "listen": "sockets"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - half a millisecond of start-up

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
