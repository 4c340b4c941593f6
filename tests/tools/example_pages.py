"""Timelines for the tests of the page, and README's picture of it.

python -m tests.tools.example_pages tests/pictures/replay.png
"""

import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.support import ROOT
from tests.tools.draft import Draft
from turnchat.replay.page import render_page
from turnchat.replay.timeline import build_timeline
from turnchat.trace.format import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

SCRIPT = "</script><script>document.title = 'broken'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'broken'\">"
READ = "Connection._readable in turnchat/core/connection.py"
WRITE = "Connection._writable in turnchat/core/connection.py"
TOOK = "recv() took the bytes that were there."
FRESH: dict[str, Any] = {"mask": "r", "buffer": "", "turn": "theirs", "unsent": "", "turns": 0}


def small() -> dict[str, object]:
    """A server and two clients: everything that the page can show of one side.

    Round 3 has a part of a header, round 6 a short send, round 7 an EAGAIN, round 8 a fault of
    client 2, round 10 a timer.
    """
    draft = Draft("chat.jsonl", "turnchat-server")
    signals = draft.file("signals", "signals")
    listener = draft.file("listener", "listener")
    keyboard = draft.file("keyboard", "stream")
    screen = draft.file("screen", "stream")
    one = draft.file("client 1", "connection")
    two = draft.file("client 2", "connection")

    def accept(client: int, name: str) -> None:
        draft.step(
            listener, "accept", "", f"{name} from 127.0.0.1:5312{client}",
            "accept() took a connection out of the kernel's queue.",
            where="Listener._readable in turnchat/core/listener.py", mask="r",
        )  # fmt: skip
        draft.step(client, "register", "r", "", "From now on select() watches it.", **FRESH)

    draft.round()
    for file in (signals, listener, keyboard):
        draft.step(file, "register", "r", "", "From now on select() watches it.", mask="r")
    draft.step(
        screen, "write", "", "30 bytes", "The screen took it all.",
        where="Output.write in turnchat/terminal/output.py",
        data="* listening on 127.0.0.1:2322\n", mask=None,
    )  # fmt: skip
    draft.round((listener, "r"), slept=1.25)
    accept(one, "client 1")
    draft.round((listener, "r"), timeout=600.0, deadline="client 1")
    accept(two, "client 2")
    draft.round((one, "r"), slept=1.2, timeout=600.0, deadline="client 1")
    draft.step(one, "recv", "259", "2 bytes", TOOK, where=READ, data="00", buffer="00")
    draft.round((one, "r"), (two, "r"), slept=0.00025, timeout=30.0, deadline="client 1")
    draft.step(one, "recv", "259", "3 bytes", TOOK, where=READ, data="5he", buffer="005he")
    draft.step(
        two, "recv", "259", f"{len(SCRIPT) + 3} bytes", TOOK,
        where=READ, effects=[("message", SCRIPT, False)],
        data=f"{len(SCRIPT):03}{SCRIPT}", turn="ours", turns=1,
    )  # fmt: skip
    draft.step(
        screen, "write", "", "60 bytes", "The screen took it all.", data=f"client 2> {SCRIPT}\n"
    )
    draft.round((one, "r"), slept=0.04, timeout=29.9, deadline="client 1")
    draft.step(
        one, "recv", "259", "3 bytes", TOOK,
        where=READ, effects=[("message", "hello", False)],
        data="llo", buffer="", turn="ours", turns=1,
    )  # fmt: skip
    draft.step(screen, "write", "", "16 bytes", "The screen took it all.", data="client 1> hello\n")
    draft.round((keyboard, "r"), slept=4.8, timeout=600.0)
    draft.step(
        keyboard,
        "read",
        "4096",
        "14 bytes",
        "A line was entered.",
        data="hi! 你好\n".encode().decode("latin-1"),
    )
    answer = "010hi! 你好".encode().decode("latin-1")
    draft.step(
        one, "send", "13 bytes", "5 bytes",
        "The kernel took only a part. The rest waits until the socket is writable.",
        where="Connection.send in turnchat/core/connection.py",
        effects=[("message", "hi! 你好", True)],
        data=answer[:5], mask="w", turn="theirs", unsent=answer[5:], turns=2,
    )  # fmt: skip
    draft.round((one, "w"), slept=0.002, timeout=30.0, deadline="client 1")
    draft.step(
        one, "send", "8 bytes", "", "The kernel's buffer is full after all: readiness is a hint.",
        where=WRITE, error="EAGAIN",
    )  # fmt: skip
    draft.round((one, "w"), (two, "r"), slept=0.3, timeout=30.0, deadline="client 1")
    draft.step(
        one, "send", "8 bytes", "8 bytes", "The rest is sent.", where=WRITE,
        data=answer[5:], mask="r", unsent="",
    )  # fmt: skip
    draft.step(
        two, "recv", "259", "6 bytes", "The peer spoke out of turn, which ends the conversation.",
        where=READ, effects=[("fault", f"'003hey' came out of turn {IMAGE}", False)],
        data="003hey", spans=[(1, "fault"), (5, "other")], turn="over",
    )  # fmt: skip
    draft.step(two, "close", "", "", "The descriptor is free again.", closed=True, mask=None)
    draft.round((one, "r"), slept=2.0, timeout=600.0, deadline="client 1")
    draft.step(
        one, "recv", "259", "9 bytes", TOOK,
        where=READ, effects=[("goodbye", "BYEBYE", False)],
        data="006BYEBYE", turn="over", turns=3,
    )  # fmt: skip
    draft.step(one, "shutdown", "SHUT_WR", "", "No more will be sent.")
    draft.round(slept=2.0, timeout=2.0, deadline="client 1")
    draft.step(
        one,
        "close",
        "",
        "",
        "The time for the peer to close is up.",
        closed=True,
        mask=None,
    )
    draft.round(slept=0.0, timeout=0.0)
    return draft.timeline


SERVE = "serve in mine.py"
SOURCE = f"""\
def serve(selector, listening):
    \"\"\"Echo, round after round.

    {SCRIPT}
    \"\"\"
    while True:
        for key, _ in selector.select():
            if key.fileobj is listening:
                client, _ = listening.accept()  # {IMAGE}
                selector.register(client, 1, "client")
            elif data := key.fileobj.recv(258):
                key.fileobj.send(data)
            else:
                key.fileobj.close()
"""


def mistakes() -> dict[str, object]:
    """A loop of one function, with its source: 14 lines from line 5 on, and two mistakes."""
    draft = Draft("mine.jsonl", "mine.py")
    listener = draft.file("listener", "listener")
    client = draft.file("client", "connection")
    draft.source(SERVE, 5, SOURCE)
    draft.round()
    draft.step(listener, "register", "to read", where="main in other.py", mask="r")
    draft.round((listener, "r"), where=SERVE, line=11)
    draft.step(None, "dispatch", where="")
    draft.step(client, "open", where="", **FRESH | {"mask": None})
    draft.step(listener, "accept", "", "from 127.0.0.1:53120", where=SERVE, line=13)
    draft.step(client, "name", "client", where="")
    draft.step(client, "register", "to read", where=SERVE, line=14, mask="r")
    draft.round((client, "r"), where=SERVE, line=11)
    draft.step(
        client, "recv", "258", "8 bytes", TOOK, where=SERVE, line=15,
        effects=[("message", "hello", False)], data="005hello", turn="ours", turns=1,
    )  # fmt: skip
    draft.step(
        client, "send", "8 bytes", "", "The kernel's buffer is full.", where=SERVE, line=16,
        effects=[("message", "hello", True)], error="EAGAIN", data="005hello",
        turn="theirs", unsent="005hello", turns=2,
    )  # fmt: skip
    draft.find(
        "the bytes of this send are lost",
        f"The kernel took nothing, and the loop does not send it again. {SCRIPT}",
        f"Keep the rest in a write buffer, and `register` for writing. {IMAGE}",
        "lost",
    )
    draft.round((client, "w"), where=SERVE, line=11)
    draft.step(
        client, "send", "8 bytes", "8 bytes", TOOK, where=SERVE, line=16,
        data="005hello", unsent="",
    )  # fmt: skip
    draft.round((client, "r"), where=SERVE, line=11)
    draft.step(client, "recv", "258", "the end", TOOK, where=SERVE, line=15)
    draft.step(client, "close", where=SERVE, line=18, closed=True)
    draft.find(
        "client is closed while it is registered",
        "A closed file stays in the interest set, and its number may be given to another.",
        "Call `selector.unregister(client)` before `client.close()`.",
    )
    return draft.timeline


def two_sided() -> dict[str, object]:
    """A server and its client on one clock: a message, its way, and the answer."""
    draft = Draft("both.jsonl", "turnchat-server", "turnchat-client")
    listener = draft.file("listener", "listener")
    near = draft.file("client 1", "connection")
    keyboard = draft.file("keyboard", "stream", side=1)
    far = draft.file("server", "connection", side=1)
    draft.pair(near, far)
    draft.round(side=0)
    draft.step(listener, "register", "r", mask="r")
    draft.round(side=1)
    draft.step(keyboard, "register", "r", mask="r")
    draft.step(far, "register", "r", **FRESH | {"turn": "ours"})
    draft.round((listener, "r"), side=0, slept=0.01)
    draft.step(listener, "accept", "", "client 1", mask="r")
    draft.step(near, "register", "r", **FRESH)
    draft.round((keyboard, "r"), side=1)
    draft.step(keyboard, "read", "4096", "6 bytes", data="hello\n")
    draft.step(
        far, "send", "8 bytes", "8 bytes", "The frame is on its way.",
        where=WRITE, effects=[("message", "hello", True)],
        data="005hello", turn="theirs", turns=1, inflight="005hello",
    )  # fmt: skip
    draft.round((near, "r"), side=0, slept=0.001)
    draft.step(
        far, "arrived", "", "8 bytes", "The bytes are in the other side's kernel.", inflight=""
    )
    draft.step(
        near, "recv", "259", "8 bytes", TOOK,
        where=READ, effects=[("message", "hello", False)],
        data="005hello", turn="ours", turns=1,
    )  # fmt: skip
    draft.step(
        near, "send", "5 bytes", "5 bytes", "The frame is on its way.",
        where=WRITE, effects=[("message", "hi", True)],
        data="002hi", turn="theirs", turns=2, inflight="002hi",
    )  # fmt: skip
    draft.round((far, "r"), side=1, slept=0.001)
    draft.step(
        near, "arrived", "", "5 bytes", "The bytes are in the other side's kernel.", inflight=""
    )
    draft.step(
        far, "recv", "259", "5 bytes", TOOK,
        where=READ, effects=[("message", "hi", False)],
        data="002hi", turn="ours", turns=2,
    )  # fmt: skip
    return draft.timeline


def big(rounds: int = 20_000, clients: int = 1_000) -> dict[str, object]:
    """A server with many clients: in each round, one of them sends a message and gets an answer."""
    draft = Draft("big.jsonl", "turnchat-server")
    listener = draft.file("listener", "listener")
    several = [draft.file(f"client {number}", "connection") for number in range(1, clients + 1)]
    draft.round()
    draft.step(listener, "register", "r", mask="r")
    turns = 0
    for number in range(rounds - 1):
        if number < clients:
            draft.round((listener, "r"), slept=0.001)
            draft.step(several[number], "register", "r", **FRESH)
            continue
        client = several[number * 7919 % clients]
        draft.round((client, "r"), slept=0.001, timeout=600.0, deadline="client 1")
        said = f"message {number}"
        frame = f"{len(said):03}{said}"
        turns += 2
        draft.step(
            client, "recv", "259", f"{len(frame)} bytes", TOOK,
        where=READ, effects=[("message", said, False)],
            data=frame, turn="ours", turns=turns - 1,
        )  # fmt: skip
        draft.step(
            client, "send", f"{len(frame)} bytes", f"{len(frame)} bytes", "It was sent at once.",
            where=WRITE, effects=[("message", said, True)], data=frame, turn="theirs", turns=turns,
        )  # fmt: skip
        if number % 100 == 0:
            draft.step(client, "recv", "259", "", "Nothing there.", where=READ, error="EAGAIN")
    return draft.timeline


@contextmanager
def browser(width: int = 1280, height: int = 800) -> "Iterator[Chrome]":
    """Start Debian's Chromium without a window. It can open nothing but files."""
    from selenium import webdriver  # noqa: PLC0415 - timelines are made without it, too

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",  # the sandbox does not work for root
        "--disable-dev-shm-usage",
        "--hide-scrollbars=false",
        "--proxy-server=127.0.0.1:9",  # the discard port: nothing listens there
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        # The size of a window includes its frame; this sets the size of the page.
        seen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", seen)
        yield driver
    finally:
        driver.quit()


def prefer(driver: "Chrome", theme: str) -> None:
    """Set the system's preference for light or dark."""
    feature = {"name": "prefers-color-scheme", "value": theme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def picture(html: Path, png: Path, address: str = "", theme: str = "light") -> None:
    """Save the page at `address` ("#round=4&step=2") as a picture of 1280 x 800 pixels."""
    with browser() as driver:
        prefer(driver, theme)
        driver.get(html.as_uri() + address)
        driver.save_screenshot(str(png))


if __name__ == "__main__":
    recording = ROOT / "turnchat" / "replay" / "examples" / "two-clients.jsonl"
    with TemporaryDirectory() as folder, open(recording) as file:
        shown = Path(folder) / "page.html"
        shown.write_text(render_page(build_timeline(recording.name, [read(file)])))
        picture(shown, Path(sys.argv[1]), "#round=3&step=7")
