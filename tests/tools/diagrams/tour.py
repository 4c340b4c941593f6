"""The diagram of chapter 8."""

from tests.tools.diagrams.drawing import Drawing


def the_core() -> Drawing:
    """The files of turnchat.core, and the path of a message through them."""
    drawing = Drawing(
        760, 446,
        title="The files of turnchat/core, and the path of one message through them",
        description=(
            "At the bottom is the kernel. select() of selector.py returns ready files to "
            "run_once() of loop.py, which runs the callback of each. For a listener that is "
            "listener.py, which accepts; for a connection it is connection.py, which receives. It "
            "hands the bytes to conversation.py, which asks frame.py for a whole message and its "
            "table for the turn. The message goes up to the responder. Its answer comes down the "
            "same way: conversation.py and frame.py make a frame of it, connection.py sends it. "
            "lines.py reads the keyboard for the responder."
        ),
    )  # fmt: skip
    drawing.box(290, 24, 220, 44, "#a responder\n~says what to answer", kind="good")
    drawing.box(290, 112, 220, 56, "#connection.py\n~buffers, timer, the end", kind="program")
    drawing.box(24, 112, 210, 56, "#conversation.py\n~whose turn it is", kind="body")
    drawing.box(24, 204, 210, 56, "#frame.py\n~three digits and a body", kind="header")
    drawing.box(566, 112, 170, 56, "#listener.py\n~accepts, bounded", kind="program")
    drawing.box(566, 204, 170, 56, "#lines.py\n~bytes to lines", kind="program")
    drawing.box(290, 232, 220, 56, "#loop.py\n~watchers, timers, rounds", kind="wait")
    drawing.box(290, 322, 220, 44, "#selector.py\n~the interest set", kind="wait")
    drawing.box(24, 392, 712, 32, "the kernel: epoll, sockets, buffers", kind="kernel")
    drawing.arrow((400, 392), (400, 366))
    drawing.arrow((400, 322), (400, 288), text="ready", style="note")
    drawing.arrow((400, 232), (400, 168), text="callback")
    drawing.arrow((290, 126), (234, 126), kind="body")
    drawing.arrow((234, 154), (290, 154), kind="body")
    drawing.arrow((110, 168), (110, 204), text="parse()", style="small")
    drawing.arrow(
        (380, 112), (380, 68), text="on_message()", style="small", side="left", kind="body"
    )
    drawing.arrow((420, 68), (420, 112), text="send()", style="small", kind="body")
    drawing.arrow((510, 260), (538, 260), (538, 140), (566, 140))
    drawing.arrow((538, 232), (566, 232))
    return drawing


PICTURES = {"the-core": the_core}
