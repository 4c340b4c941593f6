"""What the programs tell of themselves: the interface that screens and the log have in common."""

from typing import Protocol


class News(Protocol):
    """Somebody who shows news, a line each.

    shows_details: whether detail() leads anywhere. shows_arrivals: whether somebody who has come,
    and has not said anything yet, is news.
    """

    @property
    def shows_details(self) -> bool: ...

    @property
    def shows_arrivals(self) -> bool: ...

    def notice(self, text: str) -> None:
        """What everybody should know, and is short: where the server listens."""

    def status(self, text: str) -> None:
        """What happens: a conversation begins, or ends."""

    def detail(self, text: str) -> None:
        """What happens all the time."""

    def error(self, text: str) -> None:
        """What went wrong."""
