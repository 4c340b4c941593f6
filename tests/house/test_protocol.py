"""PROTOCOL.md, held against the code."""

import re

from tests.support import ROOT
from turnchat.core.conversation import TRANSITIONS, Conversation, Input, Turn

TEXT = (ROOT / "turnchat" / "PROTOCOL.md").read_text()


def table_after(heading: str) -> list[list[str]]:
    """The rows of the first table after `heading`, without its ruler."""
    rows = []
    for line in TEXT.partition(heading)[2].splitlines():
        if line.startswith("|"):
            rows.append([field.strip() for field in line.strip("|").split("|")])
        elif rows:
            break
    return [row for row in rows if set(row[0]) != {"-"}]


def transitions() -> dict[tuple[Turn, Input], Turn]:
    return {(turn, step): after for turn, row in TRANSITIONS.items() for step, after in row.items()}


def test_the_table_of_turns_is_the_one_in_the_code() -> None:
    head, *rows = table_after("Where a field is empty")
    told = {
        (Turn(row[0]), Input(step)): Turn(field)
        for row in rows
        for step, field in zip(head[1:], row[1:], strict=True)
        if field
    }
    assert head[1:] == list(Input)
    assert told == transitions()


def test_the_diagram_shows_the_table() -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+): (.+)$", TEXT, re.MULTILINE)
    steps = {"fault": Input.FAULT} | {str(step): step for step in Input}
    shown = {
        (Turn(before), steps[step]): Turn(after)
        for before, after, told in arrows
        for step in told.split(" or ")
    }
    assert shown == transitions()


def test_the_examples_of_messages_are_messages() -> None:
    frames = re.findall(r"^(\d{3}\S*) {2,}", TEXT.partition("## Messages")[2], re.MULTILINE)
    assert len(frames) == 4
    for frame in frames:
        event = Conversation(Turn.THEIRS).receive(frame.encode())
        assert event is not None
        if isinstance(event, bytes):
            assert event == frame[3:].encode()


def test_the_examples_of_faults_are_faults_at_these_bytes() -> None:
    examples = [
        (stream, int(offset))
        for row in table_after("## Faults")[1:]
        for stream, offset in re.findall(r"`(\w+)` at (\d+)", row[2])
    ]
    assert len(examples) == 5
    for stream, offset in examples:
        conversation = Conversation(Turn.THEIRS)
        conversation.receive(stream.encode())
        conversation.receive_eof()
        assert conversation.fault
        assert conversation.fault.offset == offset
