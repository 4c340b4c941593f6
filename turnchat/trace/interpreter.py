"""What a recording means: each event, with what it did to frames and turns.

Theory of operation. The recorder notes calls; what the parser and the table of turns made of them
is found out again here, by feeding the recorded octets to the same Conversation. What was sent is
fed to a second one, of the other side, for it has to be a frame in its turn just as well. So this
works for any loop whose sockets were recorded, also for one that makes mistakes.
"""

from turnchat.core.conversation import (
    BYEBYE,
    LAST,
    OURS,
    OVER,
    THEIRS,
    ConnectionEvent,
    Conversation,
    Turn,
)
from turnchat.core.conversation import Event as Heard
from turnchat.core.frame import HEADER_SIZE, LENGTH_OF, RemoteProtocolError
from turnchat.trace.format import Event

MIRRORED = {OURS: THEIRS, THEIRS: OURS}


class Happening:
    """Something that a call brought about: a message, a goodbye, the end of a stream, a fault."""

    __slots__ = ("is_ours", "kind", "text")

    def __init__(self, kind: str, text: str, *, is_ours: bool) -> None:
        self.kind = kind
        self.text = text
        self.is_ours = is_ours

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Happening) and (self.kind, self.text, self.is_ours) == (
            other.kind,
            other.text,
            other.is_ours,
        )

    def __repr__(self) -> str:
        return f"Happening({self.kind!r}, {self.text!r}, is_ours={self.is_ours})"


class File:
    """One file of the loop, as far as the events have come.

    mask: in the interest set, or None. unsent: of the frame that is under way, what the kernel has
    not taken. local, peer: addresses, if there are any. is_shut: whether this side has ended its
    stream; what comes then is read for an orderly end, not heard.
    """

    def __init__(self, number: int, kind: str, name: str) -> None:
        self.number = number
        self.kind = kind
        self.name = name or f"{kind} {number}"
        self.mask: str | None = None
        self.is_shut = False
        self.is_closed = False
        self.unsent = ""
        self.local = self.peer = ""
        self._hearing: Conversation | None = None
        self._saying: Conversation | None = None

    @property
    def is_conversation(self) -> bool:
        """Whether octets of a conversation have passed, or may."""
        return self._hearing is not None

    @property
    def turn(self) -> Turn:
        """Whose it is."""
        assert self._hearing
        return OVER if self.is_shut else self._hearing.turn

    @property
    def turns(self) -> int:
        assert self._hearing
        return self._hearing.message_count

    @property
    def partial(self) -> bytes:
        """The beginning of a frame that has not come wholly."""
        return self._hearing.partial if self._hearing else b""

    @property
    def progress(self) -> str:
        """How far the frame is that the peer sends."""
        if not self.partial:
            return "between frames"
        length = LENGTH_OF.get(self.partial[:HEADER_SIZE])
        if length is None:
            return f"{len(self.partial)} of {HEADER_SIZE} octets of the header"
        return f"{len(self.partial) - HEADER_SIZE} of {length} octets of the body"

    def begin(self, first: Turn) -> None:
        """A conversation begins here, with that turn."""
        self._hearing = Conversation(first)
        self._saying = Conversation(MIRRORED[first])

    def hear(self, octets: bytes) -> list[Happening]:
        """The peer has sent `octets`; none are the end of its stream."""
        if not self._hearing or self.is_shut:
            return []
        events = self._hearing.receive(octets) if octets else self._hearing.receive_eof()
        happenings = [_happening(event, is_ours=False) for event in events]
        if self._saying:
            for event in events:  # the other side has said it
                if isinstance(event, bytes) or event is ConnectionEvent.BYEBYE:
                    self._saying.send(event if isinstance(event, bytes) else BYEBYE)
        return happenings

    def say(self, octets: bytes, sent: int) -> list[Happening]:
        """This side has asked to send `octets`, and so many of them were taken."""
        rest = octets[sent:].decode("latin-1")
        is_more = bool(self.unsent)
        self.unsent = rest
        if not self._saying or not self._hearing or is_more or not octets:
            return []
        if self.turn is OVER:
            return [Happening("fault", "after the end of the conversation", is_ours=True)]
        events = self._saying.receive(octets)
        for event in events:
            if isinstance(event, RemoteProtocolError):
                self._saying = None  # what follows cannot be judged
            elif self._hearing.turn in (OURS, LAST):
                self._hearing.send(event if isinstance(event, bytes) else BYEBYE)
        return [_happening(event, is_ours=True) for event in events]


class Retelling:
    """The loop, as far as the events have come.

    files: by their numbers. round: the number of the present one, the first being 1; 0 is what
    went before. ready: in that round.
    """

    def __init__(self) -> None:
        self.files: dict[int, File] = {}
        self.round = 0
        self.ready: list[File] = []

    def feed(self, event: Event) -> list[Happening]:
        """Take in one event: what it brought about."""
        call, failed = event["call"], "error" in event
        match call:
            case "open":
                file = self.files[event["file"]] = File(event["file"], event["kind"], event["name"])
                if file.kind == "connection":
                    file.begin(THEIRS)
            case "select":
                self.round += 1
                self.ready = []
            case "ready":
                self.ready = [self.files[number] for number, _ in event["files"]]
            case "accept" if not failed:
                accepted = self.files[event["new"]]
                accepted.peer, accepted.local = event["peer"], event["local"]
            case _ if "file" in event:
                return self._feed_to(self.files[event["file"]], event, failed=failed)
        return []

    def _feed_to(self, file: File, event: Event, *, failed: bool) -> list[Happening]:
        match event["call"]:
            case "send":
                return self._send(file, event)
            case "connect":
                file.peer, file.local = event.get("peer", ""), event.get("local", "")
                file.begin(OURS)
            case _ if failed:
                pass
            case "recv":
                return file.hear(event["octets"].encode("latin-1"))
            case "name":
                file.name = event["name"]
            case "register" | "modify":
                file.mask = event["events"]
            case "unregister":
                file.mask = None
            case "shutdown":
                file.is_shut = True
            case "close":
                file.is_closed = True
        return []

    def _send(self, file: File, event: Event) -> list[Happening]:
        happenings = file.say(event.get("octets", "").encode("latin-1"), event.get("sent", 0))
        if event.get("error", "EAGAIN") != "EAGAIN":
            file.unsent = ""  # the connection is lost, and what was under way with it
        return happenings


def _happening(event: Heard, *, is_ours: bool) -> Happening:
    if isinstance(event, RemoteProtocolError):
        return Happening("fault", str(event), is_ours=is_ours)
    if isinstance(event, bytes):
        return Happening("message", event.decode(errors="backslashreplace"), is_ours=is_ours)
    if event is ConnectionEvent.BYEBYE:
        return Happening("goodbye", BYEBYE.decode(), is_ours=is_ours)
    return Happening("end", "the end of the stream", is_ours=is_ours)
