"""The messages of all conversations, counted as they pass.

An observer sees each of them. To ask the conversations at each answer would be a callback that
grows with their number, and would miss those that have ended.
"""


class Traffic:
    """Messages and the bytes of their bodies, both ways, since the start."""

    __slots__ = ("received", "received_bytes", "sent", "sent_bytes")

    def __init__(self) -> None:
        self.received = self.received_bytes = self.sent = self.sent_bytes = 0

    def observe(self, _number: int, is_ours: bool, body: bytes) -> None:
        """Count a message: the observer of each conversation."""
        if is_ours:
            self.sent += 1
            self.sent_bytes += len(body)
        else:
            self.received += 1
            self.received_bytes += len(body)
