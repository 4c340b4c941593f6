"""The responder that answers each message with itself."""

from turnchat.core.connection import Connection
from turnchat.core.ending import CloseReason


class Echo:
    """Says what it has heard."""

    is_automatic = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._body = b""

    def heard(self, body: bytes) -> None:
        self._body = body

    def turn(self) -> None:
        self._connection.say(self._body)

    def ended(self, _ending: CloseReason) -> None:
        """An echo has nothing to clean up."""
