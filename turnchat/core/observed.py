"""A conversation that tells of its messages, for the log and the transcript.

It is handed to a connection in place of a Conversation where somebody wants to know; where nobody
does, nothing costs anything. A message is told of before anything follows from it: one that was
heard before it is answered, one that is said before it is sent.
"""

from collections.abc import Callable
from typing import Protocol

from turnchat.core.conversation import BYEBYE, ConnectionEvent, Conversation, Event, Turn

Converse = Callable[[Turn, int, str, str], Conversation]


class Observer(Protocol):
    """Somebody who wants to know of messages."""

    def __call__(self, *, heard: bool, turn: int, body: bytes) -> None:
        """Message number `turn` of the conversation, the first being 1, was heard, or said."""


class Observed(Conversation):
    """One side of one conversation, and its observers."""

    __slots__ = ("_observers",)

    def __init__(self, first: Turn, observers: list[Observer]) -> None:
        super().__init__(first)
        self._observers = observers

    def receive(self, data: bytes) -> tuple[Event, ...]:
        """Take in what the peer sent, as Conversation does, and tell of the message in it."""
        events = super().receive(data)
        for event in events:
            if isinstance(event, bytes):
                self._tell(heard=True, body=event)
            elif event is ConnectionEvent.BYEBYE:
                self._tell(heard=True, body=BYEBYE)
        return events

    def say(self, body: bytes) -> bytes:
        """Make a frame, as Conversation does, and tell of the message in it."""
        frame = super().say(body)
        self._tell(heard=False, body=body)
        return frame

    def _tell(self, *, heard: bool, body: bytes) -> None:
        for observer in self._observers:
            observer(heard=heard, turn=self.message_count, body=body)


def unobserved(first: Turn, _number: int, _name: str, _peer: str) -> Conversation:
    """Begin a conversation, given its number, its peer's name and address: a Converse."""
    return Conversation(first)
