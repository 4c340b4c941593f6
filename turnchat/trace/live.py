"""A recording as text: a line a call, with what it means, in the manner of strace(1)."""

from collections.abc import Callable, Iterable

from turnchat.text import safe
from turnchat.trace.describe import call, meaning
from turnchat.trace.format import Event
from turnchat.trace.interpreter import Retelling

DIM, BOLD, RED, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[m"  # ECMA-48, 8.3.117
COLOURS = ("\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[34m")  # a file keeps its own
NAME, CALL = 14, 48  # columns


class Text:
    """Makes lines of events, one after the other."""

    def __init__(self, *, colour: bool, forgets: bool = False) -> None:
        """`forgets`: whether nothing will come of files that are closed and not registered."""
        self._retelling = Retelling()
        self._forgets = forgets
        self._colour = colour
        self._began: float | None = None

    def line(self, event: Event) -> str:
        """An event as a line with its end, or nothing for what is told by others."""
        happenings = self._retelling.feed(event)
        if self._began is None:
            self._began = event["t"]
        if event["call"] in ("open", "name", "dispatch"):
            return ""
        files = self._retelling.files
        file = files.get(event.get("file", 0))
        if self._forgets and file and file.is_closed and file.mask is None:
            del files[file.number]  # a server is traced for days, and has many visitors
        name, arguments, result = call(event)
        shown = f"{name}({arguments})" if arguments else name
        if event["call"] == "ready":
            shown = "woken by " + (self._ready(event) or "the time")
        if result:
            shown += f" → {result}"
        is_bad = any(one.kind == "fault" for one in happenings)
        return (
            "  ".join(
                (
                    self._in(DIM, f"{event['t'] - self._began:10.4f}"),
                    self._in(_colour_of(event), f"{safe(file.name) if file else '':{NAME}}"),
                    f"{safe(shown):{CALL}}",
                    self._in(RED if is_bad else BOLD, safe(meaning(event, file, happenings))),
                )
            ).rstrip()
            + "\n"
        )

    def _ready(self, event: Event) -> str:
        names = ((self._retelling.files[number].name, mask) for number, mask in event["files"])
        return ", ".join(f"{name} ({mask})" for name, mask in names)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{PLAIN}" if self._colour and text else text


def tracer(write: Callable[[str], object], *, colour: bool) -> Callable[[Event], None]:
    """A sink that writes a line for each event."""
    text = Text(colour=colour, forgets=True)

    def trace(event: Event) -> None:
        if line := text.line(event):
            write(line)

    return trace


def lines(events: Iterable[tuple[int, Event]], *, colour: bool) -> Iterable[str]:
    """The lines of a recording."""
    text = Text(colour=colour)
    return (line for _, event in events if (line := text.line(event)))


def _colour_of(event: Event) -> str:
    return COLOURS[event["file"] % len(COLOURS)] if "file" in event else DIM
