"""PROXY headers as balancers write them."""

from collections.abc import Iterable

SIGNATURE = bytes.fromhex("0D0A0D0A000D0A515549540A")


def line(text: str) -> bytes:
    """A header of version 1, with these fields."""
    return f"PROXY {text}\r\n".encode()


def block(command: int, kind: int, rest: bytes) -> bytes:
    """A header of version 2. command: with the version. kind: family and protocol."""
    return SIGNATURE + bytes([command, kind]) + len(rest).to_bytes(2) + rest


def split(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Cut data into pieces of these sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]
