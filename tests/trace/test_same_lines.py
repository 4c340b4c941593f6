"""Recordings keep their form byte by byte: those of earlier versions are compared with new ones."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import CLIENT, SERVER, Program
from tests.support.recording import EXAMPLES, event
from turnchat.process.files.output_file import OutputFile
from turnchat.trace.format import encode
from turnchat.trace.writer import Writer


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_events_of_an_example_are_written_as_its_lines(example: Path, tmp_path: Path) -> None:
    first, *lines = example.read_text().splitlines()
    written = OutputFile("--record", "recording", str(tmp_path / "written"), is_fresh=True)
    written.begin()
    writer = Writer(written, json.loads(first)["program"], bodies=True)
    for line in lines:
        writer.add(json.loads(line))
    written.close()
    assert (tmp_path / "written").read_bytes() == example.read_bytes()


@pytest.mark.parametrize("text", ['},{"t":1', "},{", '"},{"t":'])
def test_text_that_looks_like_the_end_of_an_event_stays_in_its_line(text: str) -> None:
    events = [event("name", file=1, name=text), event("recv", file=1, size=9, octets=text)]
    lines = encode(events).splitlines(keepends=True)
    assert lines == [json.dumps(one, separators=(",", ":")) + "\n" for one in events]


def fields(path: Path) -> set[tuple[str, ...]]:
    """The calls of a recording, each with the names of its fields in their order.

    Some are optional: the source comes once, a slow call has its time.
    """
    events = map(json.loads, path.read_text().splitlines()[1:])
    optional = "source", "took", "blocking"
    return {(event["call"], *(name for name in event if name not in optional)) for event in events}


def test_the_fields_of_a_call_stand_in_the_order_that_they_always_had(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "server.jsonl", tmp_path / "client.jsonl"
    server = program(SERVER, "--echo", "--once", "--record", str(ours), "127.0.0.1:0")
    address = server.line("stderr").rpartition(" ")[2]
    client = program(CLIENT, "--record", str(theirs), address)
    client.type("hello", "BYEBYE")
    assert client.wait() == 0
    assert server.wait() == 0
    found = fields(ours) | fields(theirs)
    assert {"accept", "connect", "recv", "send", "write"} <= {call for call, *_ in found}
    late = {("recv", "t", "call", "file", "size", "by", "line", "error")}  # which no example has
    assert found - late <= set().union(*map(fields, EXAMPLES))
