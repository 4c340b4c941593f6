"""Findings for a terminal: each with the code that did it, the harm, and the way to mend it."""

import textwrap
from collections.abc import Iterator

from turnchat.replay.lint.find import find_all
from turnchat.replay.states import Json
from turnchat.replay.texts import Sources
from turnchat.text import counted, safe
from turnchat.trace.format import Event, Recording

BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[m"  # ECMA-48, 8.3.117
INDENT = "  "
LEAST, MOST = 40, 100  # columns of a line


class Report:
    """The findings of one recording, in its order. count: those that the loop itself has made."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._found = sorted(find_all(recording.events), key=lambda one: one.line)
        self.count = sum(one.is_ours for one in self._found)

    def lines(self, width: int, *, colour: bool) -> Iterator[str]:
        """Yield the lines of the report. What goes wrong is explained once for each reason."""
        columns = max(LEAST, min(width, MOST))
        explained: set[tuple[str, str]] = set()
        places = self._places()
        for one in self._found:
            note = "" if one.is_ours else ", a note"
            place = f"round {one.round}, line {one.line} of the recording"
            sentence = f"{place}{note}: {safe(one.text)}"
            yield f"{BOLD}{sentence}{PLAIN}" if colour else sentence
            for line in places.get(one.line, ()):
                yield f"{DIM}{INDENT}{line}{PLAIN}" if colour else f"{INDENT}{line}"
            if (one.why, one.mend) not in explained:
                explained.add((one.why, one.mend))
                yield from _wrapped("Why:  ", one.why, columns)
                yield from _wrapped("Mend: ", one.mend, columns)
            yield ""
        yield self._summary()

    def _places(self) -> dict[int, list[str]]:
        """Return the call and its line of code, by the lines of the recording with a finding."""
        wanted = {one.line for one in self._found}
        sources = Sources()
        places = {}
        for number, event in self._recording.events:
            sources.feed(event)
            if number in wanted and "by" in event and "line" in event:
                places[number] = _place(event, sources.find(event))
        return places

    def _summary(self) -> str:
        notes = len(self._found) - self.count
        events = counted(len(self._recording.events), "event")
        if self.count:
            also = f", and {counted(notes, 'note')}" if notes else ""
            return counted(self.count, "finding") + also
        return f"no mistake of this loop in {events}" if notes else f"no mistake in {events}"


def _place(event: Event, source: Json | None) -> list[str]:
    function, _, file = event["by"].rpartition(" in ")
    shown = [safe(f"{file}:{event['line']}, in {function}" if file else event["by"])]
    code = ""
    if source:
        code = source["text"].split("\n")[event["line"] - source["first"]].strip()
    return [*shown, f"{INDENT}{safe(code[:MOST])}"] if code else shown


def _wrapped(label: str, text: str, columns: int) -> list[str]:
    return textwrap.wrap(
        safe(text),
        columns,
        initial_indent=INDENT + label,
        subsequent_indent=INDENT + " " * len(label),
        break_on_hyphens=False,
    )
