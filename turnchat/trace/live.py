"""Show a recording as text in the manner of strace(1): a line for each call, with its effect."""

from collections.abc import Callable, Iterable

from turnchat.text import safe
from turnchat.trace.describe import call, effect
from turnchat.trace.format import Event
from turnchat.trace.interpreter import File, Interpreter

DIM, BOLD, RED, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[m"  # ECMA-48, 8.3.117
COLOURS = ("\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[34m")  # a file keeps its own
NAME, CALL = 14, 48  # columns
READY_LIMIT = 20  # names of ready files on a line


class Text:
    """Turn events into lines, one after the other."""

    def __init__(self, *, colour: bool, forgets: bool = False) -> None:
        """`forgets`: True if files are dropped once they are closed and not registered."""
        self._interpreter = Interpreter()
        self._forgets = forgets
        self._closed: list[File] = []  # in this round: they may be among its ready files
        self._colour = colour
        self._began: float | None = None

    @property
    def files(self) -> dict[int, File]:
        """The files that it remembers."""
        return self._interpreter.files

    def line(self, event: Event) -> str:
        """Return an event as a line with its end; empty for an event that others imply."""
        effects = self._interpreter.feed(event)
        if self._began is None:
            self._began = event["t"]
        if event["call"] in ("open", "name", "dispatch"):
            return ""
        file = self._interpreter.file_of(event)
        if self._forgets:
            self._forget(event, file)
        name, arguments, result = call(event, file)
        shown = f"{name}({arguments})" if arguments else name
        if event["call"] == "ready":
            shown = "woken by " + (self._ready(event) or "the time")
        if result:
            shown += f" → {result}"
        is_bad = any(one.kind == "fault" for one in effects)
        return (
            "  ".join(
                (
                    self._in(DIM, f"{event['t'] - self._began:10.4f}"),
                    self._in(_colour_of(event), f"{safe(file.name) if file else '':{NAME}}"),
                    f"{safe(shown):{CALL}}",
                    self._in(RED if is_bad else BOLD, safe(effect(event, file, effects))),
                )
            ).rstrip()
            + "\n"
        )

    def _forget(self, event: Event, file: File | None) -> None:
        """Drop the files that were closed: a trace may run for days, with many connections."""
        if event["call"] == "select":
            for one in self._closed:
                if one.mask is None:
                    self.files.pop(one.number, None)
            self._closed.clear()
        elif file and file.is_closed:
            self._closed.append(file)

    def _ready(self, event: Event) -> str:
        ready = event["files"]
        names = [f"{self.files[number].name} ({mask})" for number, mask in ready[:READY_LIMIT]]
        more = [f"{len(ready) - READY_LIMIT} more"] if len(ready) > READY_LIMIT else []
        return ", ".join(names + more)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{PLAIN}" if self._colour and text else text


def tracer(write: Callable[[str], object], *, colour: bool) -> Callable[[Event], None]:
    """Return a sink that writes a line for each event."""
    text = Text(colour=colour, forgets=True)

    def trace(event: Event) -> None:
        if line := text.line(event):
            write(line)

    return trace


def lines(events: Iterable[tuple[int, Event]], *, colour: bool) -> Iterable[str]:
    """Return the lines of a recording."""
    text = Text(colour=colour)
    return (line for _, event in events if (line := text.line(event)))


def _colour_of(event: Event) -> str:
    return COLOURS[event["file"] % len(COLOURS)] if "file" in event else DIM
