"""The connections of two recordings: their two ends, and the bytes under way between them."""

from turnchat.trace.format import Event
from turnchat.trace.interpreter import File


class InFlight:
    """The bytes from one end of a connection to the other.

    A process may read the clock a moment after its peer has gone on already. So bytes may arrive
    before they leave; they are then not in flight when they do.
    """

    def __init__(self) -> None:
        self._data = bytearray()  # its first bytes can be deleted without a copy of the rest
        self._early = 0

    @property
    def size(self) -> int:
        """The number of bytes in flight."""
        return len(self._data)

    def first(self, limit: int) -> str:
        """Return the bytes that will arrive next, at most `limit`."""
        return self._data[:limit].decode("latin-1")

    def leave(self, data: str) -> None:
        """Add bytes that one end has sent."""
        early = min(self._early, len(data))
        self._early -= early
        self._data += data[early:].encode("latin-1")

    def arrive(self, size: int) -> None:
        """Take away bytes that the other end has received."""
        self._early += max(0, size - len(self._data))
        del self._data[:size]


class Streams:
    """Both ends of connections, found by their addresses, and the bytes in flight."""

    def __init__(self, sides: int) -> None:
        self._sides = range(sides)
        self._addresses: dict[File, tuple[str, str]] = {}  # of the files that were looked at
        self._alone: dict[tuple[int, str, str], File] = {}  # by side and addresses: no peer yet
        self._peers: dict[File, File] = {}
        self._in_flight: dict[File, InFlight] = {}  # from a file to its other end

    def join(self, side: int, file: File) -> None:
        """Find the other end of a connection on the other side, once its addresses are known."""
        addresses = (file.local, file.peer)
        if not all(addresses) or file in self._peers or self._addresses.get(file) == addresses:
            return
        self._addresses[file] = addresses
        for other_side in self._sides:
            if other_side == side:
                continue
            if other := self._alone.pop((other_side, file.peer, file.local), None):
                self._peers[file], self._peers[other] = other, file
                return
        self._alone[side, file.local, file.peer] = file

    def peer_of(self, file: File) -> File | None:
        """Return the other end of a connection; None if it was not recorded, or not yet."""
        return self._peers.get(file)

    def move(self, file: File, event: Event) -> File | None:
        """Move bytes to or from the other end. Return that if bytes have come from there.

        Under TLS these are records: decrypted bytes are never on the way.
        """
        if len(self._sides) == 1:  # the bytes would never arrive
            return None
        if event["call"] == "send" and event.get("sent"):
            self._flow_from(file).leave(event.get("octets", "")[: event["sent"]])
        other = self._peers.get(file)
        if event["call"] in ("recv", "header") and other and event.get("octets"):
            self._flow_from(other).arrive(len(event["octets"]))
            return other
        return None

    def in_flight(self, file: File, limit: int) -> tuple[str, int]:
        """Return the first bytes in flight from a file, at most `limit`, and the number of all."""
        flow = self._flow_from(file)
        return flow.first(limit), flow.size

    def _flow_from(self, file: File) -> InFlight:
        return self._in_flight.setdefault(file, InFlight())
