"""Interpret a recording: for each event, its effect on frames and turns.

The recorder emits calls. Their effect follows from the recorded bytes, which are fed to the same
Conversation that the programs use. Sent bytes are fed to a second Conversation, of the other side,
because they have to be a frame in its turn as well. So this works for any loop whose sockets were
recorded, even for one that makes mistakes.

Once TLS has begun on a connection, the bytes of its socket are records, and have no effect on
frames and turns. What was decrypted and what was encrypted has it. Nor is a PROXY header a frame.
"""

from turnchat.core.conversation import LAST, OURS, OVER, THEIRS, Turn
from turnchat.core.frame import HEADER_SIZE, LENGTH_OF
from turnchat.trace.format import Event
from turnchat.trace.layers.effects import AfterEnd, Effect, body_of, effects_of, records_of
from turnchat.trace.layers.frames import FAULT, OTHER, Frames, Span, behind, joined
from turnchat.trace.layers.header import Header
from turnchat.trace.layers.records import TLS

MIRRORED = {OURS: THEIRS, THEIRS: OURS}
AFTER_END = "after the end of the conversation"
NOT_YET = "SSLWantReadError"  # TLS needs bytes of the peer
ENDS = ("SSLEOFError", "SSLZeroReturnError")  # of the peer's stream, without and with close_notify


class File:
    """One file of the loop, after the events so far.

    mask: in the interest set, or None. unsent: the part of the last frame that the kernel has not
    taken. local, peer: addresses; empty if there are none. is_shut: True if this side has ended its
    stream; bytes that come then are read for an orderly end and have no effect. header, tls: None
    without. received, sent: the frames of both directions. spans: the places of the last call's
    bytes in them, as far as they are known.
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
        self.header: Header | None = None
        self.tls: TLS | None = None
        self.spans: list[Span] = []
        self.begins: Turn | None = None  # of the conversation, if the events tell it
        self.received: Frames | None = None
        self.sent: Frames | None = None
        self._judged: Frames | None = None  # `sent`, while it makes sense
        self._rest: list[Span] = []  # the places of the unsent bytes

    @property
    def is_conversation(self) -> bool:
        """True if bytes of a conversation have passed, or may."""
        return self.received is not None

    @property
    def has_begun(self) -> bool:
        """True if a byte of the conversation has come, or TLS has begun."""
        return bool(self.tls or self.partial or (self.received and self.message_count))

    @property
    def turn(self) -> Turn:
        """The turn, as this side sees it."""
        assert self.received
        return OVER if self.is_shut else self.received.conversation.turn

    @property
    def message_count(self) -> int:
        """The number of messages so far, of both sides."""
        assert self.received
        return self.received.conversation.message_count

    @property
    def partial(self) -> bytes:
        """The beginning of a frame that is not complete yet."""
        return self.received.conversation.partial if self.received else b""

    @property
    def progress(self) -> str:
        """The part of the peer's frame that has come, in words."""
        if not self.partial:
            return "between frames"
        length = LENGTH_OF.get(self.partial[:HEADER_SIZE])
        if length is None:
            return f"{len(self.partial)} of {HEADER_SIZE} bytes of the header"
        return f"{len(self.partial) - HEADER_SIZE} of {length} bytes of the body"

    def begin(self, first: Turn, *, is_certain: bool = True) -> None:
        """Begin a conversation with the turn `first`, or with that of the first bytes."""
        self.begins = first if is_certain else None
        self.received, self.sent = Frames(first), Frames(MIRRORED[first])
        self._judged = self.sent

    def receive(self, data: bytes) -> list[Effect]:
        """Take in bytes from the peer; no bytes are the end of its stream."""
        if not self.tls:
            return self.hear(data)
        effects = records_of(self.tls.received, data, is_ours=False)
        self.spans = self.tls.received.take_spans()
        return effects

    def receive_header(self, data: bytes) -> list[Effect]:
        """Take in bytes that come before the conversation; no bytes are the end of the stream."""
        if not data:
            return self.receive(data)
        self.header = self.header or Header()
        return [Effect("header", self.header.feed(data), is_ours=False)]

    def hear(self, data: bytes) -> list[Effect]:
        """Take in bytes of the conversation."""
        received = self.received
        if not received or self.is_shut:
            return []
        if data:
            event, self.spans = received.feed(data)
        else:
            event = received.conversation.receive_eof()
        body = body_of(event)
        if self._judged and body is not None:  # for the other side, it sent this message
            self._judged.conversation.send(body)
        return effects_of(event, received.conversation, is_ours=False)

    def send(self, data: bytes, sent: int) -> list[Effect]:
        """Take in that `data` was to be sent, and that the kernel took `sent` bytes of it."""
        rest, self.unsent = self.unsent.encode("latin-1"), data[sent:].decode("latin-1")
        if self.tls:
            self.spans = self.tls.sent.preview(data)
            effects = records_of(self.tls.sent, data[:sent], is_ours=True) if data[:sent] else []
            self.tls.sent.take_spans()
            return effects
        if not data.startswith(rest):  # it is lost, and later bytes cannot be judged
            self._judged, self._rest = None, []
            return []
        effects = self.say(data[len(rest) :])
        self.spans = joined([*(self._rest if rest else []), *self.spans])
        self._rest = behind(self.spans, sent)
        return effects

    def say(self, data: bytes) -> list[Effect]:
        """Take in bytes of the conversation that this side sends."""
        if self.received and not (self.begins or self.message_count or self.partial):
            self.begin(OURS)  # accept() or connect() was not recorded, and a client speaks first
        sent, received = self._judged, self.received
        if not sent or not received or not data:
            return []
        if self.turn is OVER:
            self.spans = joined([Span(1, FAULT), Span(len(data) - 1, OTHER)])
            return [Effect("fault", AFTER_END, is_ours=True, fault=AfterEnd)]
        event, self.spans = sent.feed(data)
        body = body_of(event)
        if body is not None and received.conversation.turn in (OURS, LAST):
            received.conversation.send(body)
        if sent.conversation.fault:
            self._judged = None  # later bytes cannot be judged
        return effects_of(event, sent.conversation, is_ours=True)


class Interpreter:
    """The loop, after the events so far.

    files: by their numbers. round: the number of the present one; the first is 1, and the set-up
    before it is 0. ready: the files that are ready in this round.
    """

    def __init__(self) -> None:
        self.files: dict[int, File] = {}
        self.round = 0
        self.ready: set[File] = set()  # there may be thousands

    def file_of(self, event: Event) -> File | None:
        """Return the file that an event concerns, if it is open here; numbers begin with 1."""
        return self.files.get(event.get("file", 0))

    def feed(self, event: Event) -> list[Effect]:
        """Take in one event, and return its effects."""
        call, failed = event["call"], "error" in event
        match call:
            case "open":
                file = self.files[event["file"]] = File(event["file"], event["kind"], event["name"])
                if file.kind == "connection":
                    file.begin(THEIRS, is_certain=False)
            case "select":
                self.round += 1
                self.ready = set()
            case "ready":
                self.ready = {self.files[number] for number, _ in event["files"]}
            case "accept" if not failed:
                accepted = self.files[event["new"]]
                accepted.peer, accepted.local = event["peer"], event["local"]
                accepted.begins = THEIRS
            case _ if "file" in event:
                file = self.files[event["file"]]
                file.spans = []
                return self._feed_to(file, event, failed=failed)
        return []

    def _feed_to(self, file: File, event: Event, *, failed: bool) -> list[Effect]:
        match event["call"]:
            case "send":
                return self._send(file, event)
            case "connect":
                file.peer, file.local = event.get("peer", ""), event.get("local", "")
                file.begin(OURS)
            case "handshake" | "decrypt" | "encrypt" | "unwrap":
                return _feed_tls(file, event, failed=failed)
            case _ if failed:
                pass
            case "recv":
                return file.receive(event["octets"].encode("latin-1"))
            case "header":
                return file.receive_header(event["octets"].encode("latin-1"))
            case _:
                _change(file, event)
        return []

    def _send(self, file: File, event: Event) -> list[Effect]:
        effects = file.send(event.get("octets", "").encode("latin-1"), event.get("sent", 0))
        if event.get("error", "EAGAIN") != "EAGAIN":
            file.unsent = ""  # it is lost with the connection
        return effects


def _change(file: File, event: Event) -> None:
    """Take in a call that moves no bytes."""
    match event["call"]:
        case "name":
            file.name = event["name"]
        case "register" | "modify":
            file.mask = event["events"]
        case "unregister":
            file.mask = None
        case "tls":
            file.tls = TLS(event["side"])
            if file.received and not file.begins:
                file.begin(OURS if event["side"] == "client" else THEIRS)
        case "shutdown":
            file.is_shut = True
        case "close":
            file.is_closed = True


def _feed_tls(file: File, event: Event, *, failed: bool) -> list[Effect]:
    """Take in a call of TLS, which lies between the records and the conversation."""
    match event["call"]:
        case "unwrap":
            file.is_shut |= not failed or event["error"] == NOT_YET  # close_notify is made
        case "decrypt" if failed:
            return file.hear(b"") if event["error"] in ENDS else []
        case _ if failed:
            return []
        case "decrypt":
            if file.tls:
                file.tls.pending = event["pending"]
            return file.hear(event["octets"].encode("latin-1"))
        case "encrypt":
            return file.say(event["octets"][: event["sent"]].encode("latin-1"))
        case "handshake" if file.tls:
            return [Effect("handshake", file.tls.finish_handshake(event), is_ours=False)]
    return []
