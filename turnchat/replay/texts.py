"""Texts of a timeline that its steps refer to: explanations, and functions with their source."""

import json
from collections import deque

from turnchat.replay.states import Json
from turnchat.trace.format import Event

SOURCE_LIMIT = 32  # of one name: functions may share one, and of long ones there are parts


class Sources:
    """The sources that a recording has had so far.

    Functions may share a name, and long ones come in parts: the latest that has a line counts.
    """

    def __init__(self) -> None:
        self._known: dict[str, deque[Json]] = {}

    def feed(self, event: Event) -> None:
        """Take in the source that an event has."""
        if "source" in event and "by" in event:
            known = self._known.setdefault(event["by"], deque(maxlen=SOURCE_LIMIT))
            known.append(event["source"])

    def find(self, event: Event) -> Json | None:
        """Return the source that has the line of a call, or None."""
        line = event.get("line", 0)
        for source in reversed(self._known.get(event["by"], ())):
            if 0 <= line - source["first"] < source["text"].count("\n"):
                return source
        return None


class Texts:
    """The texts that steps refer to by their index: explanations, and functions with their source.

    Functions may share a name. Then the name is there once for each of their sources.
    """

    def __init__(self, sides: int) -> None:
        self.sources: dict[str, Json] = {}  # of functions that have acted, by their index
        self.size = 0  # of these, in characters
        self._indices: dict[tuple[str, int, str], int] = {}  # by text and source
        self._known = [Sources() for _ in range(sides)]

    @property
    def list(self) -> list[str]:
        """All texts, in the order of their indices."""
        return [text for text, _, _ in self._indices]

    def add(self, text: str, source: Json | None = None) -> int:
        """Return the index of a text, which is a function if it has a source."""
        key = (text, source["first"], source["text"]) if source else (text, 0, "")
        return self._indices.setdefault(key, len(self._indices))

    def feed(self, side: int, event: Event) -> None:
        """Take in the source that an event has."""
        self._known[side].feed(event)

    def place(self, side: int, event: Event) -> Json:
        """Return the parts of a step that tell the function of its call, and the line in it."""
        source = self._known[side].find(event)
        where = self.add(event["by"], source)
        if source is None:
            return {"where": where}
        if str(where) not in self.sources:
            self.sources[str(where)] = source
            self.size += len(json.dumps(source["text"])) + 5 * source["text"].count("<")
        return {"where": where, "line": event.get("line", 0)}
