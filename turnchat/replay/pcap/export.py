"""Make a capture of recordings: packets around the bytes that the recorded calls moved.

A recording has no packets. Each send() becomes the segment that it was, at its time. Of what the
peer sent, the recording knows the pieces in which recv() returned it: these become its segments. If
both ends were recorded, bytes that one has sent are not made again when the other receives them.
The rest is made up: handshakes, acknowledgements (each segment acknowledges all before it), and
addresses where there are none.

Under TLS the packets hold the conversation as it was decrypted: a recording has no keys, so records
would tell a reader nothing. A PROXY header is no part of the conversation, and is left out.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import turnchat
from turnchat.replay.pcap.blocks import INBOUND, OUTBOUND, interface, packet_block, section
from turnchat.replay.pcap.tcp import CLIENT, SERVER, Endpoint, Packet, Stream
from turnchat.text import counted, safe
from turnchat.trace.describe import call, effect
from turnchat.trace.format import Event, Recording, in_order
from turnchat.trace.interpreter import File, Interpreter

ABOUT = """\
Made from a recording of {}. A recording has system calls and no packets: each send() and recv() \
became a segment. Handshakes and acknowledgements are made up. Times are those of the machine's \
monotonic clock, so the date means nothing."""
INTERFACE = "the sockets of a recorded loop"
PORT = 2322  # of the dissector
PORTS_SHOWN = 8
NAME_LIMIT = 64  # characters
MADE_UP_SERVER = Endpoint(ipaddress.IPv4Address("192.0.2.1").packed, PORT)  # RFC 5737
MADE_UP_CLIENT = int(ipaddress.IPv4Address("198.18.0.0"))  # RFC 2544: 2**17 addresses
MADE_UP_CLIENTS = 2**17 - 2
MADE_UP_PORT = 49152
MADE_UP = "the addresses are made up: the recording has none of TCP for this connection"
TLS_NOTE = "under TLS: this is the conversation as it was decrypted, without the records"
IN_PROGRESS = "EINPROGRESS"
RESETS = ("ECONNRESET", "EPIPE")
_ADDRESS = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})"
)


class Conversation:
    """A file that is an end of a connection. side: CLIENT or SERVER. notes: for the next packet."""

    def __init__(self, stream: Stream, side: int, notes: list[str]) -> None:
        self.stream = stream
        self.side = side
        self.notes = notes
        self.moved = [0, 0]  # bytes of each side that calls on this file have moved


class Capture:
    """Turn the events of recordings into the blocks of a capture, one after the other.

    other_ports: of servers, as far as they are not turnchat's own; at most PORTS_SHOWN.
    """

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self.other_ports: list[int] = []
        self._recordings = recordings
        self._programs = [_short(recording.program) or "a loop" for recording in recordings]
        self._interpreters = [Interpreter() for _ in recordings]
        self._conversations: dict[tuple[int, int], Conversation] = {}  # by recording and file
        self._streams: dict[tuple[Endpoint, Endpoint, int], Stream] = {}
        self._seen: Counter[tuple[int, Endpoint, Endpoint]] = Counter()
        self._count = 0
        self._time = 0

    def blocks(self) -> Iterator[bytes]:
        """Yield all that comes before the packets, then a block for each packet. Once."""
        about = ABOUT.format(" and of ".join(self._programs))
        head = section(f"turnchat-replay {turnchat.__version__}", about)
        yield head + b"".join(interface(program, INTERFACE) for program in self._programs)
        for number, _, event in in_order(self._recordings):
            yield from self._take(number, event)

    def _take(self, number: int, event: Event) -> Iterator[bytes]:
        """Take in an event of recording `number`. Yield the blocks of its packets."""
        interpreter = self._interpreters[number]
        effects = interpreter.feed(event)
        file = interpreter.file_of(event)
        if event["call"] == "accept" and "error" not in event:
            file = interpreter.files[event["new"]]
            conversation = self._begin(number, file, SERVER)
        elif file is None or file.kind not in ("connection", "other"):
            return
        else:
            found = self._conversation_of(number, file, event)
            if found is None:
                return
            conversation = found
        self._time = max(self._time, round(event["t"] * 1e6))
        outcome = effect(event, file, effects)
        packets = list(self._packets(conversation, file, event))
        for place, packet in enumerate(packets):
            comment = ""
            if place == 0:
                notes, conversation.notes = conversation.notes, []
                comment = ". ".join((self._words(number, file, event, outcome), *notes))
            direction = OUTBOUND if packet.side == conversation.side else INBOUND
            yield packet_block(number, self._time, packet.data, direction, safe(comment))

    def _words(self, number: int, file: File, event: Event, outcome: str) -> str:
        """Describe the call that made a packet, its effect, and where it was made."""
        name, arguments, result = call(event, file)
        called = f"{_short(file.name)} {name}({arguments})" + (f" → {result}" if result else "")
        parts = [
            f"{self._programs[number]}, round {self._interpreters[number].round}",
            called,
            outcome,
            f"by {event['by']}" if "by" in event else "",
        ]
        return ": ".join(filter(None, parts[:3])) + (f", {parts[3]}" if parts[3] else "")

    def _conversation_of(self, number: int, file: File, event: Event) -> Conversation | None:
        known = self._conversations.get((number, file.number))
        match event["call"]:
            case "connect":
                return self._begin(number, file, CLIENT)
            case "recv" | "send" | "decrypt" | "encrypt" if known is None:
                return self._begin(number, file, SERVER)
            case "close":
                self._conversations.pop((number, file.number), None)
            case "tls" if known:
                known.notes.append(TLS_NOTE)
            case "header" if known and file.header and event.get("octets"):
                size = counted(len(event["octets"]), "byte")
                known.notes.append(f"{size} of a PROXY header came before, and are left out")
        return known

    def _begin(self, number: int, file: File, side: int) -> Conversation:
        """Begin a conversation, as the other end of one that another recording has if it has it."""
        ours, theirs = _endpoint(file.local), _endpoint(file.peer)
        notes = []
        if not ours or not theirs or len(ours.address) != len(theirs.address):
            notes = [MADE_UP]
            stream = self._stream(self._made_up_client(), MADE_UP_SERVER)
        else:
            client, server = (ours, theirs) if side == CLIENT else (theirs, ours)
            self._seen[number, client, server] += 1
            key = client, server, self._seen[number, client, server]
            stream = self._streams.get(key) or self._stream(client, server)
            self._streams[key] = stream
        if file.kind == "other":
            stream.skip_handshake()  # it began in an earlier recording
        made = self._conversations[number, file.number] = Conversation(stream, side, notes)
        return made

    def _stream(self, client: Endpoint, server: Endpoint) -> Stream:
        self._count += 1
        known = (*self.other_ports, PORT)
        if server.port not in known and len(self.other_ports) < PORTS_SHOWN:
            self.other_ports.append(server.port)
        return Stream(self._count - 1, client, server)

    def _made_up_client(self) -> Endpoint:
        address = MADE_UP_CLIENT + 1 + self._count % MADE_UP_CLIENTS
        return Endpoint(ipaddress.IPv4Address(address).packed, MADE_UP_PORT)

    def _packets(self, conversation: Conversation, file: File, event: Event) -> Iterator[Packet]:
        """Yield the packets of a call."""
        stream, ours = conversation.stream, conversation.side
        name, error = event["call"], event.get("error", "")
        theirs = 1 - ours
        is_secured = file.tls is not None
        if error and not (name == "connect" and error == IN_PROGRESS):
            if error in RESETS or (name in ("connect", "connected") and error == "ECONNREFUSED"):
                yield from stream.reset(theirs)
            return
        match name:
            case "connect" if error:
                yield from stream.connect()
            case "accept" | "connect" | "connected":
                yield from stream.establish()
            case "recv" | "decrypt" if not event["octets"]:
                yield from stream.end(theirs)
            case "header" if not event["octets"]:
                yield from stream.end(theirs)
            case "recv" if not is_secured:
                yield from _move(conversation, theirs, event["octets"])
            case "send" if not is_secured:
                yield from _move(conversation, ours, event["octets"][: event["sent"]])
            case "decrypt":
                yield from _move(conversation, theirs, event["octets"])
            case "encrypt":
                yield from _move(conversation, ours, event["octets"][: event["sent"]])
            case "shutdown" | "close":
                yield from stream.end(ours)


def _move(conversation: Conversation, side: int, data: str) -> Iterator[Packet]:
    """Send those bytes of a call that no call on the other end has sent already."""
    conversation.moved[side] += len(data)
    fresh = conversation.moved[side] - conversation.stream.sent[side]
    if fresh > 0:
        yield from conversation.stream.send(side, data[-fresh:].encode("latin-1"))


def _short(name: str) -> str:
    """Return a name as comments have it: a recording may have a long one, and it comes often."""
    shown = safe(name)
    return shown if len(shown) <= NAME_LIMIT else f"{shown[:NAME_LIMIT]}..."


def _endpoint(text: str) -> Endpoint | None:
    """Return the endpoint that a recorded address is; None for an address that is not of TCP."""
    match = _ADDRESS.fullmatch(text)
    if not match or not 0 < int(match["port"]) < 2**16:
        return None
    try:
        address = ipaddress.ip_address(match["six"] or match["four"])
    except ValueError:
        return None
    return Endpoint(address.packed, int(match["port"]))
