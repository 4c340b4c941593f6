"""Recording without the messages: their lengths stay, and that one was BYEBYE.

Theory of operation. What was said is nobody's business, but the loop's behaviour is to be seen. So
each octet of a body is replaced by a dot, and the headers stay as they are. BYEBYE decides what
happens next, hence a body of its length keeps what it has in common with it from its beginning on.
Octets that are not a frame are replaced from the first one that proves it.
"""

from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import HEADER_SIZE, LENGTH_OF

DOT = b"."
NO_FRAME = -1  # the length by a header that is none


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
        self._length = 0  # of the body, by its header; NO_FRAME if that is none
        self._passed = 0  # octets of the body so far
        self._is_byebye = False  # as far as the body has come

    def cover(self, octets: bytes) -> bytes:
        """As many octets, without what was said."""
        covered = bytearray()
        while octets:
            if len(self._header) < HEADER_SIZE:
                piece, octets = octets[:1], octets[1:]
                covered += self._cover_header(piece)
            elif self._length == NO_FRAME:
                piece, octets = octets, b""
                covered += DOT * len(piece)
            else:
                left = self._length - self._passed
                piece, octets = octets[:left], octets[left:]
                covered += self._cover_body(piece)
        return bytes(covered)

    def copy(self) -> "Veil":
        """A veil that has covered the same octets."""
        veil = Veil()
        veil.__dict__.update(self.__dict__)
        return veil

    def _cover_header(self, octet: bytes) -> bytes:
        self._header += octet
        if len(self._header) == HEADER_SIZE:
            self._length = LENGTH_OF.get(self._header, NO_FRAME)
            self._begin_body()
        return octet if octet.isdigit() else DOT

    def _cover_body(self, piece: bytes) -> bytes:
        kept = piece if self._is_byebye else b""
        while kept and not BYEBYE.startswith(kept, self._passed):
            kept = kept[:-1]
        self._is_byebye = len(kept) == len(piece)
        self._passed += len(piece)
        covered = kept + DOT * (len(piece) - len(kept))
        if self._passed == self._length:
            self._begin_body()
            self._header = b""
        return covered

    def _begin_body(self) -> None:
        self._passed = 0
        self._is_byebye = self._length == len(BYEBYE)
        if self._length == 0:
            self._header = b""
