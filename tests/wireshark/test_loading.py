"""The dissector in Wireshark: how it is loaded, its ports and colours, packets in any order."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.capture import (
    AS_ROOT,
    DISSECTOR,
    dissect,
    stream,
    talk,
    tshark,
    write,
)
from tests.support.tools import needs
from turnchat.core.frame import encode
from turnchat.replay.pcap.tcp import CLIENT, SERVER

pytestmark = needs("tshark")

FOLDER = DISSECTOR.parent
HELLO, HI, BYE = encode(b"hello"), encode(b"hi"), encode(b"BYEBYE")
CHAT = [(CLIENT, HELLO), (SERVER, HI), (CLIENT, BYE), (CLIENT, None), (SERVER, None)]
MANY = 1000
OTHER_PORT = 4000


def capture(folder: Path, port: int = OTHER_PORT) -> Path:
    return write(folder / "made.pcapng", talk(*CHAT, made=stream(port=port)))


def test_it_is_loaded_from_the_personal_folder(tmp_path: Path) -> None:
    plugins = tmp_path / ".local" / "lib" / "wireshark" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(DISSECTOR, plugins)
    result = subprocess.run(
        ["tshark", "-r", capture(tmp_path, 2322), "-Y", "turnchat.number == 2"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert result.stdout.endswith("server: hi\n")
    assert result.stderr.strip() in ("", AS_ROOT)


@pytest.mark.parametrize(
    "options",
    [
        ("-d", f"tcp.port=={OTHER_PORT},turnchat"),
        pytest.param(("-o", f"turnchat.ports:{OTHER_PORT}"), marks=pytest.mark.slow),
        pytest.param(("-o", f"turnchat.ports:2322,3999-{OTHER_PORT}"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_a_server_may_have_another_port(tmp_path: Path, options: tuple[str, str]) -> None:
    path = capture(tmp_path)
    assert [one["from"] for one in dissect(path, *options, port=OTHER_PORT)] == [
        *("client", "server", "client", "client", "server")
    ]


@pytest.mark.slow
def test_port_2322_can_be_given_up(tmp_path: Path) -> None:
    path = capture(tmp_path, 2322)
    assert len(dissect(path)) == 5
    assert dissect(path, "-o", f"turnchat.ports:{OTHER_PORT}") == []
    assert dissect(path, "-o", "turnchat.ports:") == []


def test_other_connections_are_left_alone(tmp_path: Path) -> None:
    http = [(CLIENT, b"GET / HTTP/1.0\r\n\r\n"), (SERVER, b"HTTP/1.0 200 OK\r\n\r\n"), *CHAT[3:]]
    packets = talk(*http, made=stream(port=80)) + talk(*CHAT[3:], made=stream(1, port=80))
    path = write(tmp_path / "made.pcapng", packets)
    with_it, without = tshark(path, "-V"), tshark(path, "-V", is_ours=False)
    assert with_it == without


@pytest.mark.slow
def test_a_thousand_conversations_are_kept_apart(tmp_path: Path) -> None:
    queues = [talk(*CHAT, made=stream(number, six=number % 2 == 1)) for number in range(MANY)]
    mixed = [queue[step] for step in range(len(queues[0])) for queue in queues]
    lines = tshark(
        write(tmp_path / "made.pcapng", mixed),
        *("-Y", "turnchat", "-T", "fields", "-e", "tcp.stream", "-e", "turnchat.turn"),
        *("-e", "turnchat.number", "-e", "turnchat.body", "-e", "turnchat.next"),
    ).splitlines()
    said = ["client\t1\thello\tserver", "server\t2\thi\tclient", "client\t3\tBYEBYE\tover"]
    said += ["over\t\t\tover"] * 2
    assert sorted(lines) == sorted(f"{number}\t{line}" for number in range(MANY) for line in said)


def test_the_colours_tell_whose_turn_it_is(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "colorfilters", tmp_path)
    packets = talk(*CHAT[:2], (CLIENT, b"0"), (CLIENT, BYE[1:]), *CHAT[3:])
    packets += talk((SERVER, HI), made=stream(1))
    result = subprocess.run(
        [
            *("tshark", "--color", "-X", f"lua_script:{DISSECTOR}"),
            *("-r", write(tmp_path / "made.pcapng", packets)),
            *("-Y", "turnchat", "-T", "fields", "-e", "frame.coloring_rule.name"),
        ],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"WIRESHARK_CONFIG_DIR": str(tmp_path)},
    )
    assert result.stdout.splitlines() == [
        *("turnchat: the client's turn", "turnchat: the server's turn"),
        *("turnchat: the client's turn", "turnchat: the conversation is over"),
        *("turnchat: the conversation is over",) * 2,
        "turnchat: a fault",
    ]
    assert result.stderr.strip() in ("", AS_ROOT)


BLIND = "not judged: the packets came without their fields the first time: use a filter"


def test_nothing_is_judged_in_packets_that_came_without_fields_first(tmp_path: Path) -> None:
    """Pieces of a frame were not put together in time, so a judgement might be a false one."""
    path = write(
        tmp_path / "made.pcapng",
        talk((CLIENT, b"00"), (CLIENT, HELLO[2:]), (SERVER, HI), (CLIENT, BYE)),
    )
    lines = tshark(path, "-2").splitlines()
    assert sum(BLIND in line for line in lines) == 3  # a piece of a frame is one of the rest
    assert not [line for line in lines if "FAULT" in line]
    bodies = [body for one in dissect(path, "-2") for body in one.all("body")]
    assert bodies == ["hello", "hi", "BYEBYE"]  # with a filter


@needs("sharkd")
def test_packets_may_be_asked_for_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "made.pcapng", talk(*CHAT[:2], (CLIENT, HELLO + HI)))
    plugins = tmp_path / ".local" / "lib" / "wireshark" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(DISSECTOR, plugins)
    order = [6, 4, 5, 5, 6, 4]
    asked: list[tuple[str, dict[str, object]]] = [("load", {"file": str(path)}), ("frames", {})]
    asked *= 2  # nothing is left of a file when the next one is loaded
    asked += [("frame", {"frame": number, "proto": True}) for number in order]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for number, (method, params) in enumerate(asked, start=1)
    ]
    answers = subprocess.run(
        ["sharkd", "-"],
        input="\n".join([*lines, ""]),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(tmp_path)},
    ).stdout
    shown = [re.findall(r'"l":"turnchat, ([^"]*)"', line) for line in answers.splitlines()[4:]]
    sides = {4: "client", 5: "server", 6: "client"}
    assert shown == [[f"{sides[number]}: {BLIND}, such as -Y tcp"] for number in order]
