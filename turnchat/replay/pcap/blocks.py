"""The blocks of a capture file, in the format pcapng (draft-ietf-opsawg-pcapng).

A capture is one section: its header, a description of each interface, then a block for each packet.
Packets begin with their IP header (link type RAW), so nothing has to be made up below it. Times are
microseconds, which is the default.
"""

import struct

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER = 0x1A2B3C4D
UNKNOWN_SIZE = -1  # of the section: it is written as a stream
RAW = 101  # the link type: IPv4 or IPv6, told by the first four bits
TEXT_LIMIT = 640  # bytes of an option: a capture grows no faster than its recording

END_OF_OPTIONS, COMMENT = 0, 1
APPLICATION = 4  # of a section
NAME, DESCRIPTION = 2, 3  # of an interface
FLAGS = 2  # of a packet
INBOUND, OUTBOUND = 1, 2  # the lowest two bits of FLAGS


def section(application: str, comment: str) -> bytes:
    """Return the block that a capture begins with."""
    fixed = struct.pack("<IHHq", BYTE_ORDER, 1, 0, UNKNOWN_SIZE)
    return _block(SECTION, fixed, _text(APPLICATION, application) + _text(COMMENT, comment))


def interface(name: str, description: str) -> bytes:
    """Return the description of an interface. The first one is number 0. Packets are whole."""
    fixed = struct.pack("<HHI", RAW, 0, 0)
    return _block(INTERFACE, fixed, _text(NAME, name) + _text(DESCRIPTION, description))


def packet_block(number: int, time: int, data: bytes, direction: int, comment: str = "") -> bytes:
    """Return the block of a packet of interface `number`. time: microseconds, from 0 on."""
    fixed = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, len(data), len(data))
    flags = _option(FLAGS, struct.pack("<I", direction))
    return _block(PACKET, fixed + _padded(data), flags + _text(COMMENT, comment))


def _block(kind: int, body: bytes, options: bytes) -> bytes:
    if options:
        options += struct.pack("<HH", END_OF_OPTIONS, 0)
    size = len(body) + len(options) + 12
    return struct.pack("<II", kind, size) + body + options + struct.pack("<I", size)


def _text(code: int, text: str) -> bytes:
    """Return an option with a text, or nothing if it is empty. Half a character is left out."""
    data = text.encode(errors="backslashreplace")
    if len(data) > TEXT_LIMIT:
        data = data[:TEXT_LIMIT].decode(errors="ignore").encode()
    return _option(code, data) if data else b""


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
