"""The responder that answers each message with itself."""

from turnchat.core.connection import CloseReason, Connection


class Echo:
    """Sends back each message."""

    __slots__ = ("_connection",)  # there may be ten thousand

    is_automatic = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def on_turn(self) -> None:
        """Begin with an empty message, where an echo speaks first."""
        self._connection.send(b"")

    def on_message(self, body: bytes) -> None:
        self._connection.send(body)

    def on_end(self, _reason: CloseReason) -> None:
        """Do nothing: an echo leaves nothing behind."""
