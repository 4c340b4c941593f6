"""A PROXY header, as far as it has come: in words, and never a reason to stop.

Version 1 is a line of text, version 2 is binary ("The PROXY protocol, versions 1 & 2", of HAProxy).
The server judges it. Here it is only read.
"""

import socket

from turnchat.text import counted

LINE_LIMIT = 107  # bytes of version 1, with CRLF (section 2.1)
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"  # of version 2 (section 2.2)
FIXED = 16  # bytes of version 2: signature, command, family, and the length of the rest
SHOWN = 232  # bytes that are kept; behind the longest addresses there is nothing to show
ADDRESSES = {0x11: (socket.AF_INET, 4, 8), 0x21: (socket.AF_INET6, 16, 32)}  # size, place of port
UNIX = 0x31


class Header:
    """The header of one connection. It is fed all bytes, in their order."""

    def __init__(self) -> None:
        self._data = b""  # the first bytes
        self._size = 0  # of all

    def feed(self, data: bytes) -> str:
        """Take in bytes. Return the state of the header in words that can be shown in a line."""
        self._data += data[: SHOWN - len(self._data)]
        self._size += len(data)
        client = self._client()
        if client is None:
            return f"{counted(self._size, 'byte')} of a PROXY header"
        return f"PROXY header: {client}"

    def _client(self) -> str | None:
        """Return what a whole header tells of the client, in words; None before its end."""
        if SIGNATURE.startswith(self._data[: len(SIGNATURE)]):
            return self._client_in_block()
        line, end, _ = self._data[:LINE_LIMIT].partition(b"\r\n")
        return _client_in(line.decode("latin-1").split(" ")) if end else None

    def _client_in_block(self) -> str | None:
        data = self._data
        if len(data) < FIXED or self._size < FIXED + int.from_bytes(data[14:FIXED], "big"):
            return None
        family, addresses = data[13], data[FIXED:]
        if data[12] & 15 == 0:
            return "LOCAL, the balancer speaks for itself"
        if family == UNIX:
            return "the client is at a unix socket"
        form, size, place = ADDRESSES.get(family, (socket.AF_UNSPEC, 0, 0))
        if not size or len(addresses) < place + 2:
            return "it does not tell the client"
        port = int.from_bytes(addresses[place : place + 2], "big")
        return _is_at(socket.inet_ntop(form, addresses[:size]), str(port))


def _client_in(fields: list[str]) -> str:
    match fields:
        case ["PROXY", "TCP4" | "TCP6", source, _, port, _]:
            return _is_at(source, port)
        case _:
            return "it does not tell the client"


def _is_at(host: str, port: str) -> str:
    return f"the client is at {f'[{host}]' if ':' in host else host}:{port}"
