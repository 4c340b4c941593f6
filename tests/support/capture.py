"""Captures: made for tests, and read with tshark and the dissector."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from xml.etree import ElementTree

from tests.support.process import ROOT
from tests.support.recording import event
from turnchat.replay.pcap.blocks import INBOUND, interface, packet_block, section
from turnchat.replay.pcap.tcp import Endpoint, Packet, Stream

DISSECTOR = ROOT / "turnchat" / "wireshark" / "turnchat.lua"
PORT = 2322

# The calls of a server that has accepted a client.
OTHER_PORT = 45454  # no other dissector has it
OPENED = [
    event("open", file=1, kind="listener", name="listener"),
    event("open", 1, file=2, kind="connection", name="client 1"),
]
ENDS = {"peer": "192.0.2.7:50505", "local": f"192.0.2.1:{OTHER_PORT}"}
ACCEPTED = [*OPENED, event("accept", 1, file=1, new=2, **ENDS)]

AS_ROOT = 'Running as user "root" and group "root". This could be dangerous.'
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # and printed
PATIENCE = 120  # seconds; thousands of packets, on a busy machine


def stream(number: int = 0, *, six: bool = False, port: int = PORT) -> Stream:
    """A connection of a client, which its number tells, with a server."""
    hosts = ("2001:db8::1", "2001:db8::2") if six else ("192.0.2.1", "192.0.2.2")
    client, server = (ip_address(host).packed for host in hosts)
    return Stream(number, Endpoint(client, 10_000 + number), Endpoint(server, port))


def write(path: Path, packets: Iterable[Packet]) -> Path:
    """A capture of packets, a millisecond between two."""
    with open(path, "wb") as file:
        file.write(section("a test", "") + interface("test", ""))
        for number, packet in enumerate(packets):
            file.write(packet_block(0, number * 1000, packet.data, INBOUND))
    return path


def talk(*steps: tuple[int, bytes | None], made: Stream | None = None) -> list[Packet]:
    """The packets of one connection: a segment for each piece of bytes, FIN for None."""
    made = made or stream()
    packets = list(made.establish())
    for side, data in steps:
        packets += made.end(side) if data is None else made.send(side, data)
    return packets


def tshark(path: Path | None, *options: str, is_ours: bool = True) -> str:
    """The output of tshark. A defect of the dissector, or a warning, fails the test."""
    script = ["-X", f"lua_script:{DISSECTOR}"] if is_ours else []
    reading = ["-r", str(path)] if path else []
    result = subprocess.run(
        ["tshark", *options, *script, *reading],
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # some versions cut long texts inside a character
        timeout=PATIENCE,
        check=False,
    )
    errors = [line for line in result.stderr.splitlines() if line and line != AS_ROOT]
    assert (result.returncode, errors) == (0, [])
    assert "Lua Error:" not in result.stdout
    return result.stdout


@dataclass
class Shown:
    """One packet in the dissector: the fields in their order, as text and as bytes."""

    packet: int
    client: int  # the port
    fields: list[tuple[str, str, str]]

    def all(self, name: str) -> list[str]:
        return [text for field, text, _ in self.fields if field == name]

    def __getitem__(self, name: str) -> str:
        (text,) = self.all(name)
        return text

    def raw(self, name: str) -> bytes:
        (value,) = [value for field, _, value in self.fields if field == name]
        return bytes.fromhex(value)


def dissect(path: Path, *options: str, port: int = PORT) -> list[Shown]:
    """The fields of the dissector, packet by packet."""
    return list(
        _shown(tshark(path, "-T", "pdml", "-J", "turnchat", "-Y", "turnchat", *options), port)
    )


def _shown(pdml: str, port: int) -> Iterator[Shown]:
    for packet in ElementTree.fromstring(NOT_IN_XML.sub("?", pdml)):
        number = packet.find("proto/field[@name='num']")
        tcp = packet.find("proto[@name='tcp']")
        assert number is not None
        assert packet.find("proto[@name='_ws.malformed']") is None
        assert tcp is not None
        ports = map(int, re.findall(r"Port: (\d+)", tcp.get("showname", "")))
        (client,) = set(ports) - {port}
        for root in packet.iterfind("proto[@name='turnchat']"):
            fields = [
                (name.removeprefix("turnchat."), field.get("show", ""), field.get("value", ""))
                for field in root.iter("field")
                if (name := field.get("name", "")).startswith("turnchat.")
            ]
            yield Shown(int(number.get("show", "")), client, fields)
