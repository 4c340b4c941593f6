"""The diagrams of chapter 6."""

from tests.tools.diagrams.drawing import Drawing
from tests.tools.diagrams.shapes import Span, Timeline


def four_buffers() -> Drawing:
    """The way of a byte from one program to the other."""
    drawing = Drawing(
        760, 300,
        title="The buffers between two programs, and how each says that it is full",
        description=(
            "A message goes through four places: the write buffer of the sending program, the send "
            "buffer of its kernel, the receive buffer of the other kernel, and the read buffer of "
            "the receiving program. If the receiver does not read, its kernel's buffer fills "
            "first. Then the window of TCP is closed, and the sender's kernel keeps what comes. "
            "When that is full, send() raises EAGAIN, and the bytes stay in the write buffer of "
            "the program. The program then stops to read from this peer."
        ),
    )  # fmt: skip
    places = [
        (24, "#write buffer\nof the program", "unsent"),
        (212, "#send buffer\nof its kernel", "kernel"),
        (400, "#receive buffer\nof the other kernel", "kernel"),
        (588, "#read buffer\nof its program", "body"),
    ]
    for x, text, kind in places:
        drawing.box(x, 60, 148, 62, text, kind=kind)
    for x, call in ((172, "send()"), (360, "TCP"), (548, "recv()")):
        drawing.arrow((x, 91), (x + 40, 91))
        drawing.text(x + 20, 48, call, style="code", anchor="middle")
    drawing.text(24, 160, "when it is full:", style="head")
    full = [
        (24, "read no more\nfrom this peer", "good"),
        (212, "send() takes a\npart, then EAGAIN", "wait"),
        (400, "TCP's window\nis closed", "wait"),
        (588, "never full: one\nmessage a turn", "good"),
    ]
    for x, text, kind in full:
        drawing.box(x, 174, 148, 50, text, kind=kind)
    drawing.arrow(
        (640, 250), (98, 250), text="the slowness of the reader travels back", side="below"
    )
    return drawing


def two_interests() -> Drawing:
    """The interest of one connection over time."""
    drawing = Drawing(
        760, 236,
        title="The interest of a connection while its peer reads nothing, and then reads again",
        description=(
            "Three rows over time. The interest set wants to read from the client, until a send is "
            "cut short; then it wants to write, until the rest is sent, and then to read again. "
            "The write buffer is empty before and after, and holds the rest in between. The peer "
            "reads nothing at first, and reads from the middle of that time on."
        ),
    )  # fmt: skip
    line = Timeline(drawing, 150, 30, 570, end=100)
    line.row("the peer", [Span(0, 60, "wait", "reads nothing"), Span(60, 100, "good", "reads")])
    line.row(
        "write buffer",
        [
            Span(0, 32, "free", "empty"),
            Span(32, 68, "unsent", "the rest of a frame"),
            Span(68, 100, "free", "empty"),
        ],
    )
    line.row(
        "interest",
        [
            Span(0, 32, "program", "to read"),
            Span(32, 68, "unsent", "to write"),
            Span(68, 100, "program", "to read"),
        ],
    )
    line.moment(32, 26)
    line.moment(60, 26)
    line.moment(68, 26)
    line.axis({32: "short write", 68: "all is sent"})
    drawing.text(
        435, 206, "While something is unsent, nothing is read: no new message, so no new answer.",
        anchor="middle",
    )  # fmt: skip
    return drawing


PICTURES = {"four-buffers": four_buffers, "two-interests": two_interests}
