"""The diagrams of chapters 1 to 4."""

from tests.tools.diagrams.drawing import Drawing
from tests.tools.diagrams.shapes import Lifelines

GAP = 10  # pixels between two pieces of a stream


def sends_and_recvs() -> Drawing:
    """One stream, cut in three ways: by the sender, by TCP, by the receiver."""
    drawing = Drawing(
        760, 250,
        title="One stream, cut in three ways",
        description=(
            "Eighteen bytes, hellohow are youbye. The sender makes three sends of 5, 11 and 2 "
            "bytes. TCP carries them in two segments, of 5 and 13 bytes. The receiver reads "
            "them with four calls of recv, which return 5, 5, 5 and 3 bytes."
        ),
    )  # fmt: skip
    data = list("hellohow␣are␣youOK")
    kinds = ("program", "kernel", "program")
    rows = [
        ("send()", (5, 11, 2), "what the sender said"),
        ("segments", (5, 13), "what TCP sent"),
        ("recv(5)", (5, 5, 5, 3), "what the reader got"),
    ]
    for number, (name, sizes, note) in enumerate(rows):
        y = 34 + number * 68
        drawing.text(24, y + 14, name, style="head")
        drawing.text(24, y + 32, note, style="note")
        x, start = 210.0, 0
        for size in sizes:
            x = drawing.cells(x, y, data[start : start + size], kinds[number]) + GAP
            start += size
    return drawing


def frames() -> Drawing:
    """Two frames, byte by byte."""
    drawing = Drawing(
        760,
        268,
        title="Two frames, byte by byte",
        description=(
            "005hello is a header of three bytes, 0, 0 and 5, and a body of five bytes, one for "
            "each character. The frame of café has the header 005, too: a byte for each of c, a "
            "and f, and two, c3 and a9, for é."
        ),
    )
    x, size = 150.0, 34.0
    for y, text in ((54.0, "hello"), (150.0, "café")):
        drawing.text(24, y + 22, text, style="code")
        body = [each for character in text for each in _cells(character)]
        behind = drawing.cells(x, y, list("005"), "header", size=size)
        drawing.text(x, y - 10, "header", style="note")
        words = f"body: 5 bytes, {len(text)} characters"
        drawing.text(behind, y - 10, words, style="note")
        kinds = [kind for character in text for kind in _kinds(character)]
        drawing.cells(behind, y, body, kinds, size=size)
    drawing.text(behind + 3 * size + size, 204, "é", style="code", anchor="middle")
    drawing.text(
        24, 240, "The header counts bytes. A reader that has it knows how many to wait for."
    )
    return drawing


def _cells(character: str) -> list[str]:
    encoded = character.encode()
    return [character] if len(encoded) == 1 else [f"{byte:02x}" for byte in encoded]


def _kinds(character: str) -> list[str]:
    size = len(character.encode())
    return ["body" if size == 1 else "good"] * size


def turns() -> Drawing:
    """The four states of a turn, and the transitions."""
    drawing = Drawing(
        760, 330,
        title="Whose turn it is: four states",
        description=(
            "A client begins in ours, a server in theirs. We say something: from ours to theirs. "
            "The peer says something: from theirs to ours. BYEBYE, by either side in its turn, "
            "leads to over, and so do a fault, and the end of the peer's stream in theirs. If the "
            "peer's stream ends in ours, the state is last: we may say one more thing, and it is "
            "over."
        ),
    )  # fmt: skip
    drawing.text(30, 78, "a client begins here", style="note")
    drawing.text(30, 232, "a server begins here", style="note")
    drawing.box(180, 50, 150, 46, "#ours", kind="good")
    drawing.box(180, 204, 150, 46, "#theirs", kind="wait")
    drawing.box(560, 50, 150, 46, "#last", kind="good")
    drawing.box(560, 204, 150, 46, "#over", kind="plain")
    drawing.arrow((220, 96), (220, 204), text="we say", side="left")
    drawing.arrow((290, 204), (290, 96), text="the peer says")
    drawing.arrow((330, 73), (560, 73), text="the peer's stream ends")
    drawing.arrow((635, 96), (635, 204), text="we say", side="left")
    drawing.arrow((330, 227), (560, 227), text="the peer says BYEBYE,\nor its stream ends")
    drawing.arrow((330, 92), (560, 212), text="")
    drawing.text(452, 138, "we say BYEBYE", style="note")
    drawing.text(
        380, 298, "A fault leads to over from each state. What has no arrow must not happen.",
        style="label", anchor="middle",
    )  # fmt: skip
    return drawing


def two_sends() -> Drawing:
    """Two small sends, Nagle's algorithm and a delayed acknowledgement."""
    drawing = Drawing(
        760, 420,
        title="Two small sends: 44 ms",
        description=(
            "The program sends the header 003, and the kernel passes it on at once. It sends the "
            "body, two, and the kernel holds it back, since the header is not acknowledged. The "
            "other kernel delays the acknowledgement for some 40 ms, since the program there, "
            "which waits for the body, might answer. Then it acknowledges, the body leaves, and "
            "the answer comes back at once."
        ),
    )  # fmt: skip
    lanes = {"program": 90.0, "its kernel": 280.0, "other kernel": 480.0, "other program": 670.0}
    kinds = {"its kernel": "kernel", "other kernel": "kernel"}
    lines = Lifelines(drawing, 24, lanes, kinds=kinds)
    lines.message("program", "its kernel", "send 003")
    begun = lines.y
    lines.message("its kernel", "other kernel", "003")
    lines.message("other kernel", "other program", "recv: 003")
    held = lines.y
    lines.message("program", "its kernel", "send two")
    lines.note("its kernel", "held back until 003\nis acknowledged", step=22)
    lines.note("other kernel", "may the answer\ncarry it?", step=76)
    ended = lines.y
    lines.message("other kernel", "its kernel", "acknowledged", style="note")
    lines.message("its kernel", "other kernel", "two")
    lines.message("other kernel", "other program", "recv: two")
    lines.period("its kernel", held, ended)
    lines.period("other kernel", begun, ended)
    lines.finish()
    drawing.text(90, (held + ended) / 2 + 20, "40 ms", style="head", anchor="middle", halo=True)
    return drawing


PICTURES = {
    "sends-and-recvs": sends_and_recvs,
    "frames": frames,
    "turns": turns,
    "two-sends": two_sends,
}
