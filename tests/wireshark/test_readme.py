"""The README of the dissector: what it prints is what tshark prints, and its fields are there."""

import re
import shlex
from pathlib import Path

from tests.support.capture import DISSECTOR, tshark
from tests.support.process import ROOT
from tests.support.recording import event, recording_of
from tests.support.tools import needs
from turnchat.replay.pcap import Capture
from turnchat.trace.format import Event

pytestmark = needs("tshark")

README = (DISSECTOR.parent / "README.md").read_text()
SERVER = "127.0.0.1:2322"


def recorded(number: int, port: int, time: float, *calls: Event) -> list[Event]:
    """The calls of a server on one connection."""
    opened = event("open", time, file=number, kind="connection", name=f"client {number - 1}")
    ends = {"peer": f"127.0.0.1:{port}", "local": SERVER}
    accepted = event("accept", time, file=1, new=number, **ends)
    return [opened, accepted, *(call | {"file": number} for call in calls)]


def recv(time: float, octets: str) -> Event:
    return event("recv", time, size=259, octets=octets)


def send(time: float, octets: str) -> Event:
    return event("send", time, octets=octets, sent=len(octets))


# What the reader of README has made.
SESSION = [
    event("open", file=1, kind="listener", name="listener"),
    *recorded(
        *(2, 40646, 0.0),
        *(recv(0.000545, "00"), recv(1.000292, "5hello"), send(1.000412, "005hello")),
        *(recv(2.002399, "006BYEBYE"), event("close", 2.005256)),
    ),
    *recorded(
        *(3, 40658, 3.318),
        *(recv(3.318898, "002hi002ho"), event("shutdown", 3.319788), recv(3.319991, "")),
    ),
]


def examples() -> list[tuple[list[str], list[str]]]:
    """Each command with a prompt, and the lines that it prints."""
    found: list[tuple[list[str], list[str]]] = []
    for block in re.findall(r"(?:^    .*\n)+", README, re.MULTILINE):
        for line in block.splitlines():
            shown = line.removeprefix("    ")
            if shown.startswith("$ "):
                found.append((shlex.split(shown.removeprefix("$ ")), []))
            elif block.startswith("    $ "):
                found[-1][1].append(shown)
    return found


def test_the_session_is_what_tshark_prints(tmp_path: Path) -> None:
    path = tmp_path / "chat.pcapng"
    path.write_bytes(b"".join(Capture([recording_of(SESSION)]).blocks()))
    commands = examples()
    assert len(commands) == 4
    for command, printed in commands:
        beginning = [
            "tshark",
            "-X",
            "lua_script:turnchat/wireshark/turnchat.lua",
            "-r",
            "chat.pcapng",
        ]
        assert command[: len(beginning)] == beginning
        output = tshark(path, *command[len(beginning) :])
        lines = [line.rstrip() for line in output.splitlines() if line]
        start = lines.index(printed[0])  # the dissector's own lines
        assert lines[start : start + len(printed)] == printed


def test_its_fields_are_there() -> None:
    known = set(re.findall(r"\b(turnchat\.[a-z_.]+)\t", tshark(None, "-G", "fields")))
    named = set(re.findall(r"\bturnchat\.[a-z_]+(?:\.[a-z_]+)*", README))
    assert named - known == {"turnchat.lua", "turnchat.ports"}
    manual = (ROOT / "turnchat" / "MANUAL.md").read_text()
    assert set(re.findall(r"`(turnchat\.(?:fault|turn|body)[a-z_.]*)", manual)) <= known
