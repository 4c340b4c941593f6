"""The two roles: the server and the client, their log and their reports."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.chat.client import Client
    from turnchat.chat.server import Server

__all__ = ["Client", "Server"]
__getattr__ = turnchat.lazy(__name__, {"Client": "client", "Server": "server"})
