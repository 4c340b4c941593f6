"""The numbers of a server since its start, which its metrics tell.

Each is one addition where the thing happens, so they are always counted. A connection that was
accepted is in one place: accepted = newcomers + refused + conversations + ended.
"""

from enum import StrEnum

from turnchat.core.connection import Cause


class Refusal(StrEnum):
    """Why a connection was closed before its conversation."""

    HOST_LIMIT = "its host had as many conversations as it may"
    HOST_RATE = "its host connected too often"
    PROXY = "its PROXY header was missing, late or wrong"
    TLS = "its TLS handshake failed"
    HUNG_UP = "the peer hung up"
    SHED = "slots ran short"
    STOPPED = "the server stopped"
    INTERNAL_ERROR = "this side has a defect"


class Pause(StrEnum):
    """Why newcomers were left in the kernel's backlog."""

    SLOTS = "no slot was free"
    ERROR = "the system refused, for want of descriptors say"


class Counts:
    """The numbers of connections. shed: silent ones that were closed when slots ran short.

    accepted: taken from the kernel. begun: conversations. delayed: answers, by their rate. pauses:
    of accepting.
    """

    __slots__ = ("accepted", "begun", "delayed", "ended", "pauses", "refused", "shed")

    def __init__(self) -> None:
        self.accepted = self.begun = self.delayed = self.shed = 0
        self.ended = dict.fromkeys(Cause, 0)
        self.pauses = dict.fromkeys(Pause, 0)
        self.refused = dict.fromkeys(Refusal, 0)

    def end(self, cause: Cause, *, has_begun: bool) -> None:
        """Count an end. A peer that left without a byte, as a health check does, came for none."""
        if has_begun or cause not in (Cause.HUNG_UP, Cause.LOST):
            self.ended[cause] += 1
        else:
            self.begun -= 1
            self.refused[Refusal.HUNG_UP] += 1

    @property
    def conversations(self) -> int:
        """Those that have begun and not ended. An ended one keeps its slot until it has closed."""
        return self.begun - sum(self.ended.values())

    @property
    def newcomers(self) -> int:
        """Connections that take their steps before a conversation: PROXY, TLS."""
        return self.accepted - self.begun - sum(self.refused.values())
