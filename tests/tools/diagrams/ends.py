"""The diagrams of chapter 7."""

from tests.tools.diagrams.drawing import Drawing
from tests.tools.diagrams.shapes import Lifelines


def two_ends() -> Drawing:
    """A close in good order beside one that resets."""
    drawing = Drawing(
        760, 340,
        title="An end in good order, and a close() that destroys the last message",
        description=(
            "Two sequences between a server and a client. On the left the server sends its last "
            "frame, shuts down its sending side, reads until the client has closed too, and then "
            "closes: the client reads the whole frame and the end of the stream. On the right the "
            "client has sent a byte that the server does not read. The server sends its last frame "
            "and closes. Its kernel sends a reset, and the client gets an error in the place of "
            "the frame."
        ),
    )  # fmt: skip
    left = Lifelines(drawing, 44, {"server": 80, "client": 310}, width=100)
    drawing.text(24, 32, "in good order", style="head")
    left.message("server", "client", "last frame", drop=8)
    left.message("server", "client", "shutdown: FIN", drop=8)
    left.note("client", "reads all,", step=18)
    left.note("client", "then EOF", step=16)
    left.message("client", "server", "close: FIN", drop=8)
    left.skip(-12)
    left.note("server", 'recv() is b"": close()')
    left.finish()
    right = Lifelines(drawing, 44, {"server ": 470, "client ": 670}, width=100)
    drawing.text(410, 32, "close() with a byte unread", style="head")
    right.message("client ", "server ", "one byte", drop=8)
    right.note("server ", "not read", side="left", step=22)
    right.message("server ", "client ", "last frame", drop=8, lost=0.7, kind="fault")
    right.message("server ", "client ", "close: RST", drop=8, kind="fault")
    right.note("client ", "recv():", side="left", step=18)
    right.note("client ", "ECONNRESET", side="left", kind="fault")
    right.finish()
    drawing.text(380, 318, "Read to the end before you close.", anchor="middle")
    return drawing


def timers_and_signals() -> Drawing:
    """The three things that end a sleep."""
    drawing = Drawing(
        760, 330,
        title="The sleep of an event loop, and the three things that end it",
        description=(
            "select() sleeps. A file that is ready ends its sleep, so does the first time in the "
            "heap of timers, which bounds the sleep, and so does a signal: Python's handler writes "
            "its number into the wakeup descriptor, which is one more ready file. In the heap of "
            "timers one entry is stale, because its timer was started again for a later time."
        ),
    )  # fmt: skip
    drawing.box(300, 120, 160, 76, "#select()\nsleeps 3 s\nat the most", kind="wait")
    drawing.box(24, 40, 190, 50, "#files\nbytes, EOF, room", kind="kernel")
    drawing.arrow((214, 65), (340, 65), (340, 120), text="", kind="")
    drawing.box(24, 226, 190, 50, "#a signal\nits number, one byte", kind="kernel")
    drawing.arrow((214, 251), (340, 251), (340, 196))
    drawing.text(226, 272, "wakeup descriptor", style="note")
    drawing.text(524, 40, "timer heap", style="head")
    rows = [
        ("due in 3 s", "client 2: its message", "wait"),
        ("due in 9 s", "stale: started again", "free"),
        ("due in 59 s", "client 1: its turn", "plain"),
        ("due in 69 s", "client 3: its turn", "plain"),
    ]
    for number, (when, what, kind) in enumerate(rows):
        drawing.box(524, 52 + number * 52, 212, 46, f"#{when}\n~{what}", kind=kind)
    drawing.arrow((524, 75), (430, 75), (430, 120))
    drawing.text(380, 304, "The sleep ends with the first of the three.", anchor="middle")
    return drawing


PICTURES = {"two-ends": two_ends, "what-ends-a-sleep": timers_and_signals}
