"""Why a conversation came to its end, for programs and in words."""

from enum import StrEnum
from typing import NamedTuple


class Cause(StrEnum):
    """Why a conversation came to its end."""

    BYEBYE = "BYEBYE was said"
    HUNG_UP = "the peer hung up"
    LOST = "the connection was lost"
    FAULT = "the peer broke the protocol"
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


def lost(why: str) -> Ending:
    """The kernel has given the connection up."""
    return Ending(Cause.LOST, "the connection to ", f" was lost: {why}")


def broken(fault: str) -> Ending:
    """The peer has broken the protocol."""
    return Ending(Cause.FAULT, "", f" broke the protocol {fault}")
