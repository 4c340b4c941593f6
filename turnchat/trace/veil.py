"""Recording without the messages: their lengths stay, and that one was BYEBYE.

Theory of operation. What was said is nobody's business, but the loop's behaviour is to be seen. So
each octet of a body is replaced by a dot, and the headers stay as they are. BYEBYE decides what
happens next, hence a body of its length keeps what it has in common with it from its beginning on.
Octets that are not a frame are replaced from the first one that proves it.
"""

from turnchat.conversation import BYEBYE
from turnchat.frame import HEADER_SIZE, LENGTH_OF

DOT = b"."


class Clear:
    """No veil."""

    def cover(self, octets: bytes) -> bytes:
        """The octets as they are."""
        return octets

    def copy(self) -> "Clear":
        """It remembers nothing, so this is as good as another one."""
        return self


class Veil(Clear):
    """Covers one direction of one connection; fed with all its octets, in their order."""

    def __init__(self) -> None:
        self._header = b""
        self._body = b""  # as far as it has come

    def cover(self, octets: bytes) -> bytes:
        """As many octets, without what was said."""
        return b"".join(self._cover(octets[index : index + 1]) for index in range(len(octets)))

    def copy(self) -> "Veil":
        """A veil that has covered the same octets."""
        veil = Veil()
        veil._header, veil._body = self._header, self._body
        return veil

    def _cover(self, octet: bytes) -> bytes:
        if len(self._header) < HEADER_SIZE:
            self._header += octet
            if self._header == b"000":
                self._header = b""
            return octet if octet.isdigit() else DOT
        length = LENGTH_OF.get(self._header, -1)
        self._body += octet
        is_kept = length == len(BYEBYE) and BYEBYE.startswith(self._body)
        if len(self._body) == length:
            self._header = self._body = b""
        return octet if is_kept else DOT
