"""The recordings that ship with turnchat show what their table says."""

import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.recording import EXAMPLES, read_from
from tests.tools.make_recordings import own_code
from turnchat.trace.interpreter import Interpreter

EVENTS = {path.stem: [event for _, event in read_from(path).events] for path in EXAMPLES}


def test_the_loop_of_the_manual_is_there_to_the_letter() -> None:
    (source,) = [event["source"] for event in EVENTS["own-loop"] if "source" in event]
    assert source == {"first": 1, "text": own_code()}


def test_the_second_client_of_that_loop_ends_it() -> None:
    *_, refused, end = EVENTS["own-loop"]
    assert (refused["call"], refused["error"], end["call"]) == ("register", "KeyError", "end")


def test_two_clients_are_ready_in_one_round() -> None:
    events = EVENTS["two-clients"]
    names = {
        event["file"]: event["name"] for event in events if "name" in event and "file" in event
    }
    together = [
        {names[number] for number, _ in event["files"]} & {"client 1", "client 2"}
        for event in events
        if event["call"] == "ready"
    ]
    assert {"client 1", "client 2"} in together
    interpreter = Interpreter()
    rounds = []
    for event in events:
        effects = interpreter.feed(event)
        rounds += [
            interpreter.round for one in effects if one.kind == "message" and not one.is_ours
        ]
    assert len(rounds) == 2
    assert rounds[0] == rounds[1]


@pytest.mark.parametrize("stem", [stem for stem in EVENTS if stem.endswith("-client")])
def test_a_file_of_a_client_has_one_name(stem: str) -> None:
    names: dict[int, set[str]] = {}
    for event in EVENTS[stem]:
        if event.get("name") and "file" in event:
            names.setdefault(event["file"], set()).add(event["name"])
    assert all(len(of_one) == 1 for of_one in names.values()), names
    (connection,) = (e for e in EVENTS[stem] if e["call"] == "open" and e["kind"] == "connection")
    assert connection["name"] == "server"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_call_has_its_line_and_each_function_its_source_once(path: Path) -> None:
    events = EVENTS[path.stem]
    sources = [(event["by"], event["source"]["first"]) for event in events if "source" in event]
    assert len(sources) == len(set(sources))
    for event in events:
        if "by" in event:
            assert "line" in event
            assert event["by"] in {by for by, _ in sources}


@pytest.mark.parametrize("stem", sorted(EVENTS))
def test_make_replay_shows_both_ends_where_both_were_recorded(stem: str) -> None:
    asked = ["make", "-n", "-s", "replay", f"EXAMPLE={stem}"]
    shown = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    recordings = [Path(word).stem for word in shown.split() if word.endswith(".jsonl")]
    assert recordings == [stem, *([f"{stem}-client"] if f"{stem}-client" in EVENTS else [])]
