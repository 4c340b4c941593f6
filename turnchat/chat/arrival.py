"""A client that has come, and the end of one: the lines that the log has of them.

A connection is logged at its first message; one that sends nothing (a health check, a scanner) is
only a debug line. Where a person sits, arrivals are shown at once.
"""

import errno

from turnchat.chat.log import CAME, news_of_end
from turnchat.core.connection import Cause, CloseReason, Connection
from turnchat.logger import Logger
from turnchat.text import with_name

# Ends that are not worth a line if the client has sent nothing.
UNREMARKABLE = {Cause.HUNG_UP, Cause.LOST, Cause.SILENT, Cause.STOPPED}

# Errors of the peer's and of the network between. ENOMEM and the like are this side's.
OF_THE_NETWORK = {errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN}


class Arrival:
    """A client that has come: logged once, at its first message if not before.

    It is an observer of its conversation, which it leaves when it has logged.
    """

    __slots__ = ("_is_logged", "_logger", "connection", "host")

    def __init__(self, connection: Connection, host: str | None, logger: Logger) -> None:
        self.connection = connection
        self.host = host
        self._logger = logger
        self._is_logged = False

    @property
    def started(self) -> float:
        """When its conversation began, on the loop's clock."""
        return self.connection.started

    @property
    def has_begun(self) -> bool:
        """True if it has said something: a byte of a message at least."""
        conversation = self.connection.conversation
        return bool(conversation.message_count or conversation.partial)

    @property
    def is_silent(self) -> bool:
        """True if it is not logged, and no byte of a message has come."""
        return not self._is_logged and not self.connection.conversation.partial

    def __call__(self, *_message: object) -> None:
        """Log that the client has come, unless that is done."""
        if not self._is_logged:
            self._is_logged = True
            label, conversation = self.connection.label, self.connection.conversation
            conversation.observers = conversation.observers[1:]  # it is the first of them
            peer = with_name(label.peer, label.peer_name)
            self._logger.info("%s connected from %s", label.name, peer, extra=CAME)

    def give_way(self, now: float) -> None:
        """Close the connection at once, since it has not said a byte: its slot is needed."""
        silence = round(now - self.started, 1)
        self.connection.abort(CloseReason(Cause.SILENT, seconds=silence))

    def log_end(self, end: CloseReason, line: str) -> None:
        """Log the end, a line made of it: of a silent client only if it says something of us."""
        if self.is_silent and is_unremarkable(end):
            self._logger.debug("%s", line)
        else:
            self()
            self._logger.info("%s", line, extra=news_of_end(self.connection))


def is_unremarkable(end: CloseReason) -> bool:
    """Return True if the end of a client that has said nothing need not be logged."""
    error = end.error
    is_peers = not isinstance(error, OSError) or (
        isinstance(error, ConnectionError | TimeoutError) or error.errno in OF_THE_NETWORK
    )
    return end.cause in UNREMARKABLE and is_peers
