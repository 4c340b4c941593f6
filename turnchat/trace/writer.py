"""Write a recording: the lines of a round together, when the round is over.

When the file was moved away (SIGHUP, logrotate) the recording goes on in a new one, which can be
read by itself. It begins between two rounds, with its head and with each file that is open. A
connection is of kind "other" there: the beginning of its conversation is not in the file.

The first event of each function has its source. The events themselves stay as they are.
"""

from turnchat.process.files.output_file import OutputFile
from turnchat.trace.format import Event, encode, head
from turnchat.trace.wrappers.sources import Sources


class Writer:
    """Write events to a file; add() is the sink.

    Each write goes straight to the kernel, so it survives the end of the process. When lines were
    lost nothing more is written, since what follows would make no sense. The conversations go on.
    """

    def __init__(
        self, file: OutputFile, program: str, *, bodies: bool, sources: bool = True
    ) -> None:
        """Write to `file`, which the caller begins and closes.

        bodies: True if the text of messages is in the events. sources: False for no source code.
        """
        self._file = file
        self._head = head(program, bodies=bodies)
        self._beginning = [self._head]  # of the present file, until it is written
        self._events: list[Event] = []  # of the present round
        self._files = OpenFiles()
        self._has_sources = sources
        self._sources = Sources()  # in the present file
        self._lost = 0  # lines before the present file
        self._time = 0.0  # of the last round's end
        self._must_reopen = False
        file.on_reopen = self._reopen_soon
        file.last_line = lambda: encode([_end(self._time, error="EFBIG")]).encode("ascii")

    def add(self, event: Event) -> None:
        """Take in one event. Those of a round are written at its end."""
        self._events.append(event)
        if event["call"] in {"select", "end"}:
            self._time = event["t"]
            if event["call"] == "select" and self._must_reopen:
                self._reopen()
            self._flush()

    def _flush(self) -> None:
        events, self._events = self._events, []
        for event in events:
            if event["call"] in OpenFiles.CALLS:
                self._files.feed(event)
        lines, self._beginning = [*self._beginning, *map(self._with_source, events)], []
        if self._file.lost > self._lost:
            self._file.lose(len(lines))
        elif lines:
            self._file.write(encode(lines).encode("ascii"))

    def _with_source(self, event: Event) -> Event:
        """Return an event, with the source of its caller if the file has not shown that yet."""
        source = self._sources.source_for(event) if self._has_sources else None
        return {**event, "source": source} if source else event

    def _reopen_soon(self) -> None:
        """Reopen at the end of the round: its later events make sense behind its `ready` alone."""
        self._must_reopen = True

    def _reopen(self) -> None:
        """Reopen before the `select` that has come. What came meanwhile, a report, follows."""
        self._must_reopen = False
        select = self._events.pop()
        self._flush()
        if self._file.reopen(encode([_end(self._time)]).encode("ascii")):
            self._lost = self._file.lost
            self._sources = Sources()
            self._beginning = [self._head, *self._files.events(self._time)]
        self._events.insert(0, select)


class OpenFiles:
    """The files of the loop that are open, after the events so far."""

    CALLS = frozenset(("open", "name", "register", "modify", "unregister", "close"))

    def __init__(self) -> None:
        self._kinds: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._masks: dict[int, str] = {}

    def feed(self, event: Event) -> None:
        """Take in one event, of CALLS."""
        if "error" in event:
            return
        match event["call"]:
            case "open":
                self._kinds[event["file"]] = event["kind"]
                self._names[event["file"]] = event["name"]
            case "name":
                self._names[event["file"]] = event["name"]
            case "register" | "modify":
                self._masks[event["file"]] = event["events"]
            case "unregister":
                self._masks.pop(event["file"], None)
                if self._kinds.get(event["file"]) == "other":  # it would get a new number
                    self._forget(event["file"])
            case "close":
                self._forget(event["file"])

    def events(self, time: float) -> list[Event]:
        """Return the events that open and register these files."""
        found: list[Event] = []
        for file, kind in self._kinds.items():
            shown = "other" if kind == "connection" else kind
            found.append(_event(time, "open", file, kind=shown, name=self._names[file]))
            if file in self._masks:
                found.append(_event(time, "register", file, events=self._masks[file]))
        return found

    def _forget(self, file: int) -> None:
        for known in self._kinds, self._names, self._masks:
            known.pop(file, None)


def _event(time: float, call: str, file: int, **details: str) -> Event:
    return {"t": time, "call": call, "file": file, **details}


def _end(time: float, **details: str) -> Event:
    return {"t": time, "call": "end", **details}
