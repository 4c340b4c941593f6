"""A responder that says BYEBYE as soon as it may: how this side leaves in good order."""

from turnchat.core.connection import Connection
from turnchat.core.conversation import BYEBYE, LAST, OURS
from turnchat.core.ending import CloseReason


class Leaving:
    """Takes the place of the responder that was there, which still hears what there is to hear."""

    is_automatic = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._former = connection.responder

    def heard(self, body: bytes) -> None:
        self._former.heard(body)

    def turn(self) -> None:
        self._connection.say(BYEBYE)

    def ended(self, ending: CloseReason) -> None:
        self._former.ended(ending)


def leave(connection: Connection) -> None:
    """Say BYEBYE now if it is our turn, else as soon as it is."""
    if connection.conversation.turn in (OURS, LAST):
        connection.say(BYEBYE)
    else:
        connection.responder = Leaving(connection)
