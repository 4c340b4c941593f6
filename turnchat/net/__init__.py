"""Addresses to ready sockets: parse, resolve, listen, connect."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.net.address import Address
    from turnchat.net.connector import Connector
    from turnchat.net.sockets import listen

__all__ = ["Address", "Connector", "listen"]
__getattr__ = turnchat.lazy(
    __name__, {"Address": "address", "Connector": "connector", "listen": "sockets"}
)
