"""Why a conversation came to its end, for programs and in words."""

from enum import StrEnum
from typing import NamedTuple

from turnchat.core.conversation import ConnectionEvent, Event
from turnchat.core.frame import RemoteProtocolError


class Cause(StrEnum):
    """Why a conversation came to its end."""

    BYEBYE = "BYEBYE was said"
    HUNG_UP = "the peer hung up"
    LOST = "the connection was lost"
    FAULT = "the peer broke the protocol"
    SLOW = "the peer took too long"
    STOPPED = "this side was stopped"
    INTERNAL_ERROR = "this side has a defect"


class CloseReason(NamedTuple):
    """The end of a conversation: its cause, and what happened, in words around the peer's name."""

    cause: Cause
    before: str
    after: str = ""

    def told_of(self, peer: str) -> str:
        """What happened, as a sentence without its full stop."""
        return f"{self.before}{peer}{self.after}"


HEARD_BYEBYE = CloseReason(Cause.BYEBYE, "", " said BYEBYE")
SAID_BYEBYE = CloseReason(Cause.BYEBYE, "you said BYEBYE to ")
HUNG_UP = CloseReason(Cause.HUNG_UP, "", " hung up")
STOPPED = CloseReason(Cause.STOPPED, "you hung up on ")
INTERNAL_ERROR = CloseReason(
    Cause.INTERNAL_ERROR, "", " was dropped because of a defect on this side"
)


def slow(what: str, seconds: float) -> CloseReason:
    """The peer has taken too long for something."""
    return CloseReason(Cause.SLOW, "", f" {what} for {seconds:g} s")


def lost(why: str) -> CloseReason:
    """The kernel has given the connection up."""
    return CloseReason(Cause.LOST, "the connection to ", f" was lost: {why}")


def from_event(event: Event) -> CloseReason:
    """What the peer did, other than to say something, has ended it."""
    if isinstance(event, RemoteProtocolError):
        return CloseReason(Cause.FAULT, "", f" broke the protocol {event}")
    return HEARD_BYEBYE if event is ConnectionEvent.BYEBYE else HUNG_UP
