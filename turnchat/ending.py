"""Why a conversation came to its end, for programs and in words."""

from enum import StrEnum
from typing import NamedTuple

from turnchat.conversation import Event, Sign
from turnchat.frame import Fault


class Cause(StrEnum):
    """Why a conversation came to its end."""

    BYEBYE = "BYEBYE was said"
    HUNG_UP = "the peer hung up"
    LOST = "the connection was lost"
    FAULT = "the peer broke the protocol"
    SLOW = "the peer took too long"
    STOPPED = "this side was stopped"
    DEFECT = "this side has a defect"


class Ending(NamedTuple):
    """The end of a conversation: its cause, and what happened, in words around the peer's name."""

    cause: Cause
    before: str
    after: str = ""

    def told_of(self, peer: str) -> str:
        """What happened, as a sentence without its full stop."""
        return f"{self.before}{peer}{self.after}"


HEARD_BYEBYE = Ending(Cause.BYEBYE, "", " said BYEBYE")
SAID_BYEBYE = Ending(Cause.BYEBYE, "you said BYEBYE to ")
HUNG_UP = Ending(Cause.HUNG_UP, "", " hung up")
STOPPED = Ending(Cause.STOPPED, "you hung up on ")
DEFECT = Ending(Cause.DEFECT, "", " was dropped because of a defect on this side")


def slow(what: str, seconds: float) -> Ending:
    """The peer has taken too long for something."""
    return Ending(Cause.SLOW, "", f" {what} for {seconds:g} s")


def lost(why: str) -> Ending:
    """The kernel has given the connection up."""
    return Ending(Cause.LOST, "the connection to ", f" was lost: {why}")


def by_peer(event: Event) -> Ending:
    """What the peer did, other than to say something, has ended it."""
    if isinstance(event, Fault):
        return Ending(Cause.FAULT, "", f" broke the protocol {event}")
    return HEARD_BYEBYE if event is Sign.GOODBYE else HUNG_UP
