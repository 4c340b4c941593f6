"""A responder in front of another: a peer that takes its turns too fast waits for its answers.

It holds a message back until its time. The turn is ours meanwhile, so the peer can send no other:
one message at most is held, and none can overtake it.
"""

from collections.abc import Callable

from turnchat.chat.admission.limits import Rate
from turnchat.core.connection import CloseReason, Connection, Responder
from turnchat.core.loop import EventLoop


class Paced:
    """Hands on a message as fast as the rate allows."""

    def __init__(
        self,
        loop: EventLoop,
        connection: Connection,
        responder: Responder,
        number: int,
        on_delay: Callable[[], object],
    ) -> None:
        """Let `number` turns a second pass. on_delay: called for each message that has to wait."""
        self.is_automatic = responder.is_automatic
        self._loop = loop
        self._responder = responder
        self._rate = Rate(number)
        self._on_delay = on_delay
        self._held: bytes | None = None
        name = f"{connection.label.name}: pace"
        self._timer = loop.timer(name, self._try, connection.on_error)

    def on_turn(self) -> None:
        self._responder.on_turn()

    def on_message(self, body: bytes) -> None:
        self._held = body
        self._try()
        if self._timer.is_active:
            self._on_delay()

    def on_end(self, reason: CloseReason) -> None:
        self._timer.cancel()
        try:
            self._hand_on()  # it has come, so it is heard, also if no answer can follow
        finally:
            self._responder.on_end(reason)

    def _try(self) -> None:
        if wait := self._rate.wait(None, self._loop.now):
            self._timer.start(wait)
        else:
            self._hand_on()

    def _hand_on(self) -> None:
        if (body := self._held) is not None:
            self._held = None
            self._responder.on_message(body)
