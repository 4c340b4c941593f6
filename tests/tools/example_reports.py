"""Reports for the tests of the pages: every verdict, every kind, and text that wants to break out.

python -m tests.tools.example_reports FOLDER
"""

import sys
from pathlib import Path
from typing import Any

from turnchat.check.case import Level, Profile, Role
from turnchat.check.formats.class_page import Mistake, Part, Student
from turnchat.check.formats.class_page import render as render_class
from turnchat.check.formats.page import render
from turnchat.check.report import CaseResult, Event, EventType, Kind, Report, Shortfall, Verdict

HOSTILE = "</script></pre><script>document.title = 'broken'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'broken'\">"
QUOTES = "' onfocus='document.title=1' \" onclick=\"document.title=1\" &amp; <!-- cases -->"
MANY = 300  # events of a long case


def _case(name: str, verdict: Verdict, rule: str, **others: Any) -> CaseResult:
    values: dict[str, Any] = {
        "level": Level.MUST,
        "section": "Messages",
        "hint": "Count the bytes of the body, write the number in three digits, then the body.",
        "seconds": 0.11,
    }
    return CaseResult(id=name, verdict=verdict, rule=rule, **values | others)


def _events(*more: Event) -> list[Event]:
    return [
        Event(0.0, EventType.STARTED, note="python3 server_12345678d.py 20000"),
        Event(0.062, EventType.SCREEN, b"Waiting for a client...\r\n"),
        Event(0.081, EventType.CONNECTED, peer=1),
        Event(0.082, EventType.SENT, b"022hello-from-the-checker", 1),
        Event(0.083, EventType.SCREEN, b"client: hello-from-the-checker\r\nyou: "),
        *more,
    ]


SCREEN = ["Waiting for a client...", "client: hello-from-the-checker", "you: hello"]
TRACEBACK = [
    *SCREEN,
    "Traceback (most recent call last):",
    '  File "server_12345678d.py", line 31, in <module>',
    "    length = int(connection.recv(3))",
    "             ^^^^^^^^^^^^^^^^^^^^^^^",
    "ValueError: invalid literal for int() with base 10: b'abc'",
]
TYPED = Event(0.09, EventType.TYPED, b"hello\r")
LONG = b"255" + ("十" * 85).encode()


def every_kind() -> Report:
    """A server with all that a page can show."""
    cases = [
        _case(
            "start/listens", Verdict.PASS, "A server listens within 5 s.", section="",
            events=_events(), screens=[SCREEN[:2]],
        ),
        _case(
            "start/again", Verdict.WARN, "A server can be started again at once on its port.",
            level=Level.SHOULD, section="", reason="the second start failed",
            hint="Set SO_REUSEADDR on the socket before bind().",
            shortfall=Shortfall(Kind.DIED, "the program ended with status 1", "a connection"),
            events=[*_events()[:2], Event(0.2, EventType.EXITED, note="with status 1")],
            screens=[["OSError: [Errno 98] Address already in use"]],
        ),
        _case(
            "frame/message", Verdict.FAIL, "A message is its length in three digits, and its body.",
            reason="the program sent other bytes",
            shortfall=Shortfall(
                Kind.WRONG, "the program sent other bytes", "the frame b'005hello'",
                b"005hello", b"5hello",
            ),
            diagnosis=["The length is not padded: `5` was sent, and `005` is right."],
            events=_events(TYPED, Event(0.1, EventType.RECEIVED, b"5hello", 1)), screens=[SCREEN],
        ),
        _case(
            "frame/bytes", Verdict.FAIL, "The length counts bytes, not characters.",
            reason="the program sent other bytes",
            shortfall=Shortfall(
                Kind.WRONG, "the program sent other bytes", "the frame",
                "024你好, hello, 世界 😀".encode(), "014你好, hello, 世界 😀".encode(),
            ),
            diagnosis=["The length counts characters: 14 characters are 24 bytes in UTF-8."],
            events=_events(
                Event(0.09, EventType.TYPED, "你好, hello, 世界 😀\r".encode()),
                Event(0.1, EventType.RECEIVED, "014你好, hello, 世界 😀".encode(), 1),
            ),
            screens=[["you: 你\u200b好\u200b, hello, 世\u200b界\u200b 😀\u200b"]],
            runs=10, failures=3,
        ),
        _case(
            "frame/longest", Verdict.FAIL, "A body has 255 bytes at the most.",
            reason="the program sent other bytes",
            shortfall=Shortfall(
                Kind.WRONG, "the program sent other bytes", "the frame", LONG, LONG + b"\n"
            ),
            diagnosis=["A newline stands behind the body."],
            events=_events(TYPED, Event(0.1, EventType.RECEIVED, LONG + b"\n", 1)),
            screens=[SCREEN],
        ),
        _case(
            "frame/split/header", Verdict.FAIL, "A header arrives whole, however it is cut.",
            reason="the text 'in-three-pieces' on the screen did not come within 2 s",
            shortfall=Shortfall(
                Kind.HANGS, "the text did not come within 2 s",
                "the text 'in-three-pieces' on the screen", b"in-three-pieces",
                "\n".join(SCREEN).encode(),
            ),
            hint="recv(3) may return fewer than three bytes: call it until you have all of them.",
            events=_events(
                Event(0.09, EventType.SENT, b"0", 1), Event(0.11, EventType.SENT, b"1", 1),
                Event(0.13, EventType.SENT, b"5in-three-pieces", 1),
            ),
            screens=[SCREEN],
        ),
        _case(
            "frame/empty", Verdict.SKIP, "The empty message is a message: 000.",
            reason="it needs frame/message, which falls short", depends_on="frame/message",
            seconds=0.0,
        ),
        _case("turn/client-first", Verdict.PASS, "The client speaks first.", section="Turns",
              events=_events(), screens=[SCREEN]),
        _case(
            "text/escapes", Verdict.FAIL, f"Text harms no terminal: {IMAGE}.",
            hint=QUOTES, reason=f"it shows {HOSTILE}",
            shortfall=Shortfall(
                Kind.WRONG, HOSTILE, QUOTES, b"\x1b[31m" + IMAGE.encode(), HOSTILE.encode()
            ),
            diagnosis=[HOSTILE, IMAGE, QUOTES],
            events=_events(
                Event(0.1, EventType.SCREEN, HOSTILE.encode()),
                Event(0.1, EventType.SENT, IMAGE.encode(), 1),
                Event(0.1, EventType.NOTE, note=QUOTES),
                Event(0.2, EventType.TYPED, b"\x00\x1b[2J\xff\r"),
            ),
            screens=[[HOSTILE, IMAGE, QUOTES, "x" * 80]],
        ),
        _case(
            "end/status", Verdict.PASS, "A program ends with status 0.", section="The end",
            events=_events(), screens=[SCREEN],
        ),
        _case(
            "fault/letters", Verdict.FAIL, "A length that is no number ends the conversation.",
            section="Faults",
            reason="the program ended with status 1 and not with status 0; its last lines: x",
            hint="Check the three digits before int(), and close the connection if they are none.",
            shortfall=Shortfall(
                Kind.DIED, "the program ended with status 1", "the end of the program"
            ),
            diagnosis=["int() raised a ValueError that nothing handled."],
            events=_events(
                Event(0.1, EventType.SENT, b"abc", 1), Event(0.15, EventType.CLOSED, peer=1),
                Event(0.16, EventType.EXITED, note="with status 1"),
            ),
            screens=[TRACEBACK],
        ),
        _case(
            "many/silent", Verdict.SKIP, "A silent client keeps no other one waiting.",
            section="", reason="the program serves one conversation", seconds=0.2,
        ),
        _case(
            "many/leave", Verdict.PASS, "50 clients connect and leave.", section="The end",
            seconds=3.21, screens=[SCREEN],
            events=[
                Event(nth / 100, (EventType.CONNECTED, EventType.SENT, EventType.HUNG_UP)[nth % 3],
                      b"002hi" if nth % 3 == 1 else b"", 1 + nth // 3)
                for nth in range(MANY)
            ],
        ),
        _case(
            "loop/idle", Verdict.FAIL, "A program that waits uses no processor time.",
            section="", seconds=2.31,
            hint="Wait in select() with a timeout, or without one; do not poll.",
            reason="the program used 1.98 s of processor time in 2 s with nothing to do",
            shortfall=Shortfall(Kind.SPINS, "the program used 1.98 s", "2 s without work"),
            events=_events(), screens=[SCREEN],
        ),
        _case(
            "loop/threads", Verdict.ERROR, "One thread serves all.", level=Level.SHOULD, section="",
            reason="Traceback (most recent call last):\nOSError: [Errno 24] Too many open files",
        ),
    ]  # fmt: skip
    command = ["python3", "server_12345678d.py", "{port}"]
    return Report(Profile.TURNCHAT, Role.SERVER, command, cases, 24.3)


def a_pair() -> Report:
    """A server and a client with each other."""
    events = [
        Event(0.0, EventType.STARTED, program=0, note="python3 server_12345678d.py 20000"),
        Event(0.1, EventType.STARTED, program=1, note="python3 client_12345678d.py 20001"),
        Event(0.2, EventType.CONNECTED, peer=1),
        Event(0.3, EventType.TYPED, b"hello\r", program=1),
        Event(0.4, EventType.RECEIVED, b"005hello", 1),
        Event(0.5, EventType.SCREEN, b"client: hello\r\n", program=0),
    ]
    case = _case(
        "pair/turn", Verdict.PASS, "A pair takes a turn.", section="Turns", events=events,
        screens=[["client: hello"], ["you: hello"]],
    )  # fmt: skip
    command = ["python3", "server_12345678d.py", "{port}", "python3", "client_12345678d.py"]
    return Report(Profile.LAB, Role.PAIR, command, [case], 1.2)


REPLAYS = {"frame/message": "report.html.replay/frame/message.html"}
PARTS = (("Two files", 10), ("Name and ID", 10), ("Messaging", 20), ("Submission", 5))


def some_students(number: int = 40) -> list[Student]:
    """A class: good ones, weak ones, and one with a hostile name."""
    students = []
    for nth in range(number):
        parts = [
            Part(title, round(most * min(1, (nth * 7 % 10 + 4 + at) / 10), 1), most)
            for at, (title, most) in enumerate(PARTS)
        ]
        name = IMAGE if nth == 3 else f"Student {nth + 1}"
        identity = f"{12345678 + nth * 77}d"
        remarks = ["client_x.py, line 12: invalid syntax"] if nth % 9 == 0 else []
        files = [f"client_{identity}.py", f"server_{identity}.py"]
        total = sum(part.points or 0 for part in parts)
        students.append(
            Student(identity, name, files, parts, total, 45, f"{identity}/report.html", remarks)
        )
    return students


def a_class() -> str:
    """The page of the class, with its commonest mistakes."""
    students = some_students()
    mistakes = [
        Mistake(
            one.id, one.rule, [each.id for each in students[: 30 - 4 * nth]], "12345678d/x.html"
        )
        for nth, one in enumerate(
            case for case in every_kind().cases if case.verdict is Verdict.FAIL
        )
    ]
    return render_class("COMP2322 lab: <i>chat</i>", students, mistakes)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "report.html").write_text(render(every_kind(), REPLAYS))
    (folder / "class.html").write_text(a_class())
