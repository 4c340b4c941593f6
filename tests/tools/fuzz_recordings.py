"""A fuzzer for recordings: those that ship with turnchat, damaged at random, through every output.

A seed makes the same recording at any time: --first SEED --seeds 1 repeats one.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from tests.support.recording import EXAMPLES
from turnchat.replay.lint.report import Report
from turnchat.replay.page import render_page
from turnchat.replay.pcap import Capture
from turnchat.replay.perfetto import export_perfetto
from turnchat.replay.timeline import build_timeline
from turnchat.replay.validate import find_problems
from turnchat.trace.fields import FIELDS
from turnchat.trace.format import BadRecording, Recording, lines_of, read
from turnchat.trace.live import lines

GROWTH = 20  # bytes of an output for a byte of the recording
ROUNDS = [None, (0, 0), (1, 3), (2, 9)]

# Values for fields, as JSON has them.
TOKENS = [
    "null", "true", "false", "0", "1", "2", "3", "-1", "-0.0", "1.5", "1e11", "-1e11", "1e999",
    "NaN", "-Infinity", str(2**53), "9" * 400, "9" * 5000, '""', '"x"', '"r"', '"rw"', '"EAGAIN"',
    '"006BYEBYE"', '"000"', '"255"', json.dumps("x" * 5000), json.dumps("\x7f<\x00\xff" * 200),
    '"\\ud800"', '"\\udcff"', '"\\u202e"', '"connection"', '"stream"', '"signals"', "[]", "{}",
    '{"first":1,"text":"a\\n<b>\\n"}', '{"first":2,"text":"' + "y\\n" * 300 + '"}',
    '[[1,"r"]]', '[[1,"r"],[2,"w"],[3,""]]', json.dumps([[1, "r"]] * 300), '[[1,"r"],[1]]',
    "[" * 300 + "]" * 300, "[" * 30000,
]  # fmt: skip


@cache
def examples() -> list[list[bytes]]:
    """Return the lines of the recordings that ship with turnchat."""
    return [path.read_bytes().splitlines(keepends=True) for path in EXAMPLES]


def damaged(seed: int) -> list[bytes]:
    """Return one recording, or two."""
    random = Random(seed)
    chosen = random.choices(examples(), k=random.choice([1, 1, 2]))
    if random.random() < 0.2:
        chosen = examples()[:2]  # both ends of one conversation
    return [damage(random, list(one)) for one in chosen]


def damage(random: Random, lines: list[bytes]) -> bytes:
    """Change some lines of a recording."""
    for _ in range(random.choice([1, 1, 1, 2, 3, 8])):
        if not lines:
            break
        here, there = random.randrange(len(lines)), random.randrange(len(lines))
        match random.randrange(10):
            case 0:
                del lines[here]
            case 1:
                lines[here], lines[there] = lines[there], lines[here]
            case 2:
                lines[here:here] = lines[there : there + random.randrange(20)] * random.randrange(9)
            case 3:
                cut = random.randrange(len(lines[here]) + 1)
                lines[here] = lines[here][:cut] + lines[there][cut:]
            case 4:
                changed_line = bytearray(lines[here])
                changed_line[random.randrange(len(changed_line))] = random.randrange(256)
                lines[here] = bytes(changed_line)
            case 5:
                del lines[here:]
            case _:
                lines[here] = changed(random, lines[here])
    data = b"".join(lines)
    return data[: random.randrange(len(data) + 1)] if random.random() < 0.05 else data


def changed(random: Random, line: bytes) -> bytes:
    """Change, add or remove a field of an event."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(event, dict) or not event:
        return line
    parts: dict[str, str] = {name: json.dumps(value) for name, value in event.items()}
    name = random.choice([*event, *event, *FIELDS])
    match random.randrange(4):
        case 0:
            parts.pop(name, None)
        case 1 if name in event:
            parts[name] = json.dumps(near(random, event[name]))
        case _:
            parts[name] = random.choice(TOKENS)
    return ("{" + ",".join(f"{json.dumps(name)}:{parts[name]}" for name in parts) + "}\n").encode()


def near(random: Random, value: Any) -> Any:
    """Return a value of the same type that is nearly as it was."""
    match value:
        case bool():
            return not value
        case int():
            return value + random.choice([-1, 1, 2, 1000])
        case float():
            return value + random.choice([-1e6, -0.1, 0.1, 1e6])
        case str():
            place = random.randrange(len(value) + 1)
            return value[:place] + random.choice(["", "0", "\r\n", "\x1b[2J", "ÿ"]) + value[place:]
        case list():
            return value * random.randrange(4)
        case _:
            return value


def present(recordings: Sequence[Recording], rounds: tuple[int, int] | None = None) -> list[str]:
    """Return each output of turnchat-replay for these recordings."""
    first = recordings[0]
    return [
        render_page(build_timeline("fuzz", recordings, rounds)),
        export_perfetto(first),
        b"".join(Capture(recordings).blocks()).decode("latin-1"),
        "".join(lines(first.events, colour=True)),
        "\n".join(Report(first).lines(80, colour=True)),
        "\n".join(one.text for one in find_problems(first)),
    ]


def check(seed: int) -> float:
    """Check one seed, and return its growth. A file that is refused with a sentence has none."""
    data = damaged(seed)
    try:
        recordings = [read(lines_of(io.BytesIO(one))) for one in data]
    except BadRecording as error:
        return refused(str(error))
    given = sum(map(len, data))
    empty = len(render_page({}))
    sizes = [len(output.encode()) for output in present(recordings, ROUNDS[seed % len(ROUNDS)])]
    growth = max(sizes[0] - empty, *sizes[1:]) / max(given, 1000)
    assert growth <= GROWTH, f"{given} bytes made outputs of {sizes} bytes"
    return growth


def refused(reason: str) -> float:
    """Check that a reason is one short sentence."""
    assert "\n" not in reason, reason
    assert len(reason) < 300, reason
    return 0.0


def main() -> None:
    """Check seeds. The first that fails ends it, with its number."""
    command_line = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    command_line.add_argument("--first", type=int, default=0)
    command_line.add_argument("--seeds", type=int, default=10_000)
    arguments = command_line.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    growth = shown = 0.0
    for seed in seeds:
        try:
            found = check(seed)
        except BaseException:
            print(f"seed {seed} fails", file=sys.stderr)
            raise
        growth, shown = max(growth, found), shown + (found > 0)
    print(
        f"{len(seeds)} recordings, {shown:.0f} of them shown, at most {growth:.1f} times as large"
    )


if __name__ == "__main__":
    main()
