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
    """The end of a conversation: its cause, and what happened, told of the peer or of us."""

    cause: Cause
    words: str
    by_us: bool = False

    def told_of(self, peer: str) -> str:
        """What happened, as a sentence without its full stop."""
        return f"you {self.words} {peer}" if self.by_us else f"{peer} {self.words}"


HEARD_BYEBYE = Ending(Cause.BYEBYE, "said BYEBYE")
SAID_BYEBYE = Ending(Cause.BYEBYE, "said BYEBYE to", by_us=True)
HUNG_UP = Ending(Cause.HUNG_UP, "hung up")
STOPPED = Ending(Cause.STOPPED, "hung up on", by_us=True)
DEFECT = Ending(Cause.DEFECT, "was dropped because of a defect on this side")
