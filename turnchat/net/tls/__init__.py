"""TLS between a socket and its conversation: the handshake, the records, the certificates."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.net.tls.step import Handshakes, TLSStep
    from turnchat.net.tls.stream import TLSStream

__all__ = ["Handshakes", "TLSStep", "TLSStream"]
__getattr__ = turnchat.lazy(
    __name__, {"Handshakes": "step", "TLSStep": "step", "TLSStream": "stream"}
)
