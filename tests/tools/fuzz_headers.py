"""A fuzz target: any bytes as a PROXY header, in any pieces.

With coverage as its guide: make fuzz. The same function runs under hypothesis in make test.
"""

from tests.tools.fuzz import main
from turnchat.net.address import Endpoint, printed
from turnchat.net.proxy import BLOCK_LIMIT, LINE_LIMIT, BadHeader, missing, parse

SECONDS = 20


def read_header(*pieces: bytes) -> tuple[bytes, Endpoint | None]:
    """Read a header as ProxyStep does, where recv() gives no more than the present piece.

    Returns the header and the client, or an empty one if the pieces are used up. Raises BadHeader.
    """
    header = b""
    rests = list(pieces)
    while size := missing(header):
        assert size > 0
        assert len(header) + size <= (BLOCK_LIMIT if header.startswith(b"\r") else LINE_LIMIT)
        while rests and not rests[0]:
            rests.pop(0)
        if not rests:
            return b"", None
        header, rests[0] = header + rests[0][:size], rests[0][size:]
    client = parse(header)
    if client:
        printed(*client)  # the log and the transcript have it
    return header, client


def fuzz(recipe: bytes) -> None:
    """Read a header. The first byte of `recipe` tells the size of its first piece."""
    size = recipe[0] if recipe else 0
    try:
        read_header(recipe[1 : 1 + size], recipe[1 + size :])
    except BadHeader:
        return


if __name__ == "__main__":
    main(fuzz, SECONDS)
