"""The layers below a conversation, and in front of it: TLS, and a PROXY header."""

import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import headers as proxy
from tests.support.capture import dissect, stream, talk, write
from tests.support.tls import HOST, VERSIONS, client_context, server_context
from tests.support.tools import needs
from turnchat.core.frame import encode
from turnchat.replay.pcap.tcp import CLIENT, SERVER

pytestmark = needs("tshark")

HELLO, HI, BYE = encode(b"hello"), encode(b"hi"), encode(b"BYEBYE")
Step = tuple[int, bytes | None]


class Ends:
    """Two ends of TLS in memory, and their records as steps of a connection."""

    def __init__(self, version: ssl.TLSVersion, keys: Path, *, alpn: bool) -> None:
        self.steps: list[Step] = []
        contexts = client_context(version), server_context(version)
        contexts[CLIENT].keylog_filename = str(keys)
        for one in contexts:
            one.set_alpn_protocols(["turnchat/1"] if alpn else [])
        self._into, self._out = ([ssl.MemoryBIO(), ssl.MemoryBIO()] for _ in "io")
        self._ends = [
            contexts[CLIENT].wrap_bio(self._into[0], self._out[0], server_hostname=HOST),
            contexts[SERVER].wrap_bio(self._into[1], self._out[1], server_side=True),
        ]
        for side in (CLIENT, SERVER, CLIENT, SERVER):
            with suppress(ssl.SSLWantReadError):
                self._ends[side].do_handshake()
            self._move(side)

    def say(self, side: int, data: bytes) -> None:
        """Send bytes in one record."""
        self._ends[side].write(data)
        self._move(side)

    def _move(self, side: int) -> None:
        if data := self._out[side].read():
            self.steps.append((side, data))
            self._into[1 - side].write(data)


@pytest.mark.parametrize(
    ("version", "alpn", "options"),
    [
        (VERSIONS[1], True, ()),
        *(
            pytest.param(version, alpn, options, marks=pytest.mark.slow)
            for version in VERSIONS
            for alpn in (True, False)
            for options in ((), ("-2",))
        ),
    ],
)
def test_a_conversation_over_tls_is_shown_with_its_keys(
    tmp_path: Path, version: ssl.TLSVersion, alpn: bool, options: tuple[str, ...]
) -> None:
    keys = tmp_path / "keys"
    ends = Ends(version, keys, alpn=alpn)
    ends.say(CLIENT, HELLO[:2])
    ends.say(CLIENT, HELLO[2:])
    ends.say(SERVER, HI)
    ends.say(CLIENT, BYE + HI)
    path = write(tmp_path / "made.pcapng", talk(*ends.steps, (CLIENT, None), (SERVER, None)))
    found = dissect(path, "-o", f"tls.keylog_file:{keys}", *options)
    said = [f"{one['from']}: {body}" for one in found for body in one.all("body")]
    assert said == ["client: hello", "server: hi", "client: BYEBYE"]
    assert [text for one in found for text in one.all("ignored")] == ["5"]
    assert [one["from"] for one in found if one.all("end")] == ["client", "server"]
    assert not any(one.all("fault") for one in dissect(path))  # without the keys


@pytest.mark.parametrize(
    "options", [(), pytest.param(("-2",), marks=pytest.mark.slow)], ids=["once", "twice"]
)
def test_a_proxy_header_is_no_part_of_the_conversation(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    line = proxy.line("TCP4 192.0.2.9 192.0.2.1 5 2322")
    block = proxy.block(0x21, 0x11, bytes(12))
    packets = []
    for number, header in enumerate((line, block)):
        steps: list[Step] = [(SERVER, HI), (CLIENT, b"1x")]
        apart = [(CLIENT, header), (CLIENT, HELLO[:4]), (CLIENT, HELLO[4:]), *steps]
        packets += talk(*apart, made=stream(2 * number))
        together = [(CLIENT, header + HELLO[:4]), (CLIENT, HELLO[4:]), *steps]
        packets += talk(*together, made=stream(2 * number + 1))
    found = dissect(write(tmp_path / "made.pcapng", packets), *options)
    for number in range(4):
        ours = [one for one in found if one.client == stream(number).ends[0].port]
        assert ours[0]["proxy"] == ("version 2, 28 bytes" if number > 1 else line.decode().rstrip())
        shown = [one for one in ours if one.all("from")]
        assert [body for one in shown for body in one.all("body")] == ["hello", "hi"]
        assert shown[-1]["fault"] == "at byte 9: 'x' is not a digit, and a length has 3"
