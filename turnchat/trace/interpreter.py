"""Interpret a recording: for each event, its effect on frames and turns.

The recorder emits calls. Their effect follows from the recorded bytes, which are fed to the same
Conversation that the programs use. Sent bytes are fed to a second Conversation, of the other side,
because they have to be a frame in its turn as well. So this works for any loop whose sockets were
recorded, even for one that makes mistakes.

Once TLS has begun on a connection, the bytes of its socket are records, and have no effect on
frames and turns. What was decrypted and what was encrypted has it. Nor is a PROXY header a frame.
"""

from typing import NamedTuple

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
from turnchat.core.conversation import Event as ConversationEvent
from turnchat.core.frame import HEADER_SIZE, LENGTH_OF, RemoteProtocolError
from turnchat.trace.format import Event
from turnchat.trace.layers.header import Header
from turnchat.trace.layers.records import TLS, Records

MIRRORED = {OURS: THEIRS, THEIRS: OURS}
NOT_YET = "SSLWantReadError"  # TLS needs bytes of the peer
ENDS = ("SSLEOFError", "SSLZeroReturnError")  # of the peer's stream, without and with close_notify


class Effect(NamedTuple):
    """Something that a call brought about.

    kind: `message`, `goodbye`, `end` (of the stream) or `fault`; or, below the conversation,
    `header`, `handshake` or `records`. is_ours: True if this side did it.
    """

    kind: str
    text: str
    is_ours: bool


class File:
    """One file of the loop, after the events so far.

    mask: in the interest set, or None. unsent: the part of the last frame that the kernel has not
    taken. local, peer: addresses; empty if there are none. is_shut: True if this side has ended its
    stream; bytes that come then are read for an orderly end and have no effect. header, tls: None
    without.
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
        self._receiving: Conversation | None = None
        self._sending: Conversation | None = None

    @property
    def is_conversation(self) -> bool:
        """True if bytes of a conversation have passed, or may."""
        return self._receiving is not None

    @property
    def has_begun(self) -> bool:
        """True if a byte of the conversation has come, or TLS has begun."""
        receiving = self._receiving
        return bool(self.tls or (receiving and (receiving.message_count or receiving.partial)))

    @property
    def turn(self) -> Turn:
        """The turn, as this side sees it."""
        assert self._receiving
        return OVER if self.is_shut else self._receiving.turn

    @property
    def message_count(self) -> int:
        """The number of messages so far, of both sides."""
        assert self._receiving
        return self._receiving.message_count

    @property
    def partial(self) -> bytes:
        """The beginning of a frame that is not complete yet."""
        return self._receiving.partial if self._receiving else b""

    @property
    def progress(self) -> str:
        """The part of the peer's frame that has come, in words."""
        if not self.partial:
            return "between frames"
        length = LENGTH_OF.get(self.partial[:HEADER_SIZE])
        if length is None:
            return f"{len(self.partial)} of {HEADER_SIZE} bytes of the header"
        return f"{len(self.partial) - HEADER_SIZE} of {length} bytes of the body"

    def begin(self, first: Turn) -> None:
        """Begin a conversation with the turn `first`."""
        self._receiving = Conversation(first)
        self._sending = Conversation(MIRRORED[first])

    def receive(self, data: bytes) -> list[Effect]:
        """Take in bytes from the peer; no bytes are the end of its stream."""
        if self.tls:
            return _records_of(self.tls.received, data, is_ours=False)
        return self.hear(data)

    def receive_header(self, data: bytes) -> list[Effect]:
        """Take in bytes that come before the conversation; no bytes are the end of the stream."""
        if not data:
            return self.receive(data)
        self.header = self.header or Header()
        return [Effect("header", self.header.feed(data), is_ours=False)]

    def hear(self, data: bytes) -> list[Effect]:
        """Take in bytes of the conversation."""
        if not self._receiving or self.is_shut:
            return []
        receiving = self._receiving
        event = receiving.receive(data) if data else receiving.receive_eof()
        body = _body_of(event)
        if self._sending and body is not None:  # for the other side, it sent this message
            self._sending.send(body)
        return _effects_of(event, receiving, is_ours=False)

    def send(self, data: bytes, sent: int) -> list[Effect]:
        """Take in that `data` was to be sent, and that the kernel took `sent` bytes of it."""
        is_rest = bool(self.unsent)
        self.unsent = data[sent:].decode("latin-1")
        if self.tls:
            return _records_of(self.tls.sent, data[:sent], is_ours=True) if data[:sent] else []
        return [] if is_rest else self.say(data)

    def say(self, data: bytes) -> list[Effect]:
        """Take in bytes of the conversation that this side sends."""
        if not self._sending or not self._receiving or not data:
            return []
        if self.turn is OVER:
            return [Effect("fault", "after the end of the conversation", is_ours=True)]
        event = self._sending.receive(data)
        body = _body_of(event)
        if body is not None and self._receiving.turn in (OURS, LAST):
            self._receiving.send(body)
        effects = _effects_of(event, self._sending, is_ours=True)
        if self._sending.fault:
            self._sending = None  # later bytes cannot be judged
        return effects


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
                    file.begin(THEIRS)
            case "select":
                self.round += 1
                self.ready = set()
            case "ready":
                self.ready = {self.files[number] for number, _ in event["files"]}
            case "accept" if not failed:
                accepted = self.files[event["new"]]
                accepted.peer, accepted.local = event["peer"], event["local"]
            case _ if "file" in event:
                return self._feed_to(self.files[event["file"]], event, failed=failed)
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


def _records_of(records: Records, data: bytes, *, is_ours: bool) -> list[Effect]:
    """Return the effect of bytes that are TLS records, or should be."""
    if records.fault:
        return []
    words = records.feed(data) if data else "the end of the stream"
    if records.fault:
        return [Effect("fault", records.fault, is_ours=is_ours)]
    return [Effect("records", words, is_ours=is_ours)]


def _body_of(event: ConversationEvent | None) -> bytes | None:
    """Return the body of the message that an event is, or None."""
    if event is ConnectionEvent.BYEBYE:
        return BYEBYE
    return event if isinstance(event, bytes) else None


def _effects_of(
    event: ConversationEvent | None, conversation: Conversation, *, is_ours: bool
) -> list[Effect]:
    """Return the effects of an event, and of a fault that came with a message."""
    events = [event] if event is not None else []
    if isinstance(event, bytes) and conversation.fault:
        events.append(conversation.fault)
    return [_effect_of(one, is_ours=is_ours) for one in events]


def _effect_of(event: ConversationEvent, *, is_ours: bool) -> Effect:
    if isinstance(event, RemoteProtocolError):
        return Effect("fault", str(event), is_ours=is_ours)
    if isinstance(event, bytes):
        return Effect("message", event.decode(errors="backslashreplace"), is_ours=is_ours)
    if event is ConnectionEvent.BYEBYE:
        return Effect("goodbye", BYEBYE.decode(), is_ours=is_ours)
    return Effect("end", "the end of the stream", is_ours=is_ours)
