"""The diagrams of chapter 5."""

from tests.tools.diagrams.drawing import Drawing


def one_round() -> Drawing:
    """One round of a loop: the interest set, the ready list, the calls."""
    drawing = Drawing(
        760, 330,
        title="One round: the interest set, select(), and the calls that follow",
        description=(
            "The program keeps an interest set of four files: the listener, client 1 and client 2 "
            "to read, and the keyboard to read. The kernel has a buffer for each. select() sleeps "
            "until one of them has something, and returns only the ready files, here the listener "
            "and client 2. The program then makes one call for each: accept() and recv()."
        ),
    )  # fmt: skip
    drawing.text(24, 34, "1  the interest set", style="head")
    drawing.text(290, 34, "2  select() sleeps", style="head")
    drawing.text(560, 34, "3  one call each", style="head")
    files = [
        ("listener", "wants to read", "1 newcomer", True, "accept()"),
        ("client 1", "wants to read", "nothing", False, ""),
        ("client 2", "wants to read", "8 bytes", True, "recv(259)"),
        ("stdin", "wants to read", "nothing", False, ""),
    ]
    for number, (name, want, there, is_ready, call) in enumerate(files):
        y = 50 + number * 58
        drawing.box(24, y, 200, 46, f"#{name}\n~{want}", kind="program")
        drawing.box(
            290, y, 190, 46, f"~the kernel has\n{there}", kind="kernel" if is_ready else "free"
        )
        drawing.line((224, y + 23), (290, y + 23))
        if is_ready:
            drawing.arrow((480, y + 23), (560, y + 23), text="ready", kind="good")
            drawing.box(560, y, 176, 46, f">{call}", kind="good")
    drawing.text(
        380, 306, "A file with nothing to read is not called, so no call of a round waits.",
        style="label", anchor="middle",
    )  # fmt: skip
    return drawing


def level_and_edge() -> Drawing:
    """Eight bytes, read by four: what a level-triggered and an edge-triggered selector report."""
    drawing = Drawing(
        760, 262,
        title="Eight bytes come, and four are read: a level is reported again, an edge is not",
        description=(
            "Two rows of three moments. Eight bytes arrive: both selectors report the socket. The "
            "program reads four of them. The level-triggered selector reports the socket again, "
            "since four bytes are left. The edge-triggered one reports nothing: no new byte has "
            "come, and the program sleeps with four bytes unread."
        ),
    )  # fmt: skip
    for number, name in enumerate(("level-triggered", "edge-triggered")):
        y = 62 + number * 92
        drawing.text(24, y + 18, name, style="head")
        drawing.text(170, y - 12, "8 bytes have come", style="note")
        drawing.cells(170, y, "005hello", ["header"] * 3 + ["body"] * 5, size=22)
        drawing.text(170, y + 40, "reported", kind="good", style="note")
        drawing.arrow((352, y + 11), (420, y + 11), text="recv(4)", style="small")
        drawing.text(430, y - 12, "4 are left", style="note")
        drawing.cells(430, y, "ello", "body", size=22)
        told, kind = (
            ("reported again", "good") if number == 0 else ("not reported: it sleeps", "fault")
        )
        drawing.text(430, y + 40, told, kind=kind, style="note")
        if number == 0:
            drawing.arrow((526, y + 11), (594, y + 11), text="recv(4)", style="small")
            drawing.box(602, y, 110, 22, "nothing left", kind="free", style="note")
    drawing.text(
        380,
        244,
        "turnchat is level-triggered: each callback may read once and return.",
        anchor="middle",
    )
    return drawing


PICTURES = {"one-round": one_round, "level-and-edge": level_and_edge}
