"""Who answers on this side of a conversation: the interface of people, programs and echoes."""

from typing import Protocol

from turnchat.core.ending import CloseReason


class Responder(Protocol):
    """Who answers on this side of one conversation.

    Calls come in this order: turn() on the side that begins, then (heard() turn())*, then ended().
    heard() may come without a turn() after it, when nothing can be said any more.

    answers_by_itself: whether no person is needed for an answer. A peer that has ended its stream
    after a message then still gets the answer; with a person, who may take long, it has hung up.
    """

    is_automatic: bool

    def heard(self, body: bytes) -> None:
        """The peer has said `body`."""

    def turn(self) -> None:
        """It is this side's turn: call the connection's say(), now or later."""

    def ended(self, ending: CloseReason) -> None:
        """The conversation is over; what is said now goes nowhere."""
