"""Stories for the tests of the time-travel page, and README's picture of it.

python -m tests.tools.pages tests/pictures/replay.png
"""

import sys
from collections.abc import Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.support import ROOT
from turnchat.core.conversation import THEIRS
from turnchat.replay.page import page
from turnchat.replay.timeline import story
from turnchat.trace.describe import call, sentence, sleep
from turnchat.trace.format import Event, read
from turnchat.trace.interpreter import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

SCRIPT = "</script><script>document.title = 'broken'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'broken'\">"
READABLE = "r"


@cache
def parser_of(buffer: str) -> str:
    """What the parser waits for when so much of a frame has come."""
    file = File(0, "connection", "")
    file.begin(THEIRS)
    file.hear(buffer.encode("latin-1"))
    return file.progress


class Tale:
    """A story as it is being told: files, rounds, and steps in the last round."""

    def __init__(self, title: str, *programs: str) -> None:
        self.files: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.rounds: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.story: dict[str, object] = {
            "title": title,
            "sides": [{"program": program} for program in programs],
            "files": self.files,
            "texts": self.texts,
            "rounds": self.rounds,
            "steps": self.steps,
        }
        self._numbers = dict.fromkeys(range(len(programs)), 0)
        self._texts: dict[str, int] = {}
        self._states: dict[int, dict[str, Any]] = {}
        self._now = 0.0

    def file(self, name: str, kind: str, side: int = 0) -> int:
        self.files.append({"side": side, "name": name, "kind": kind, "peer": None})
        return len(self.files) - 1

    def pair(self, one: int, other: int) -> None:
        self.files[one]["peer"], self.files[other]["peer"] = other, one

    def round(
        self,
        *ready: tuple[int, str],
        side: int = 0,
        slept: float = 0.5,
        timeout: float | None = None,
        deadline: str | None = None,
    ) -> None:
        """The next round of a side; the first is the set-up, with the number 0."""
        number, self._numbers[side] = self._numbers[side], self._numbers[side] + 1
        began, self._now = self._now, self._now + (slept if number else 0)
        told = {
            "side": side,
            "number": number,
            "t": began,
            "timeout": timeout,
            "deadline": deadline,
            "woke": self._now,
            "ready": [list(each) for each in ready],
            "first": len(self.steps),
        }
        self.rounds.append(told | {"slept": sleep(told, self.files)})
        if number:
            self._select_step({"t": began, "call": "select", "timeout": timeout})
            self._select_step({"t": self._now, "call": "ready"})
        self.rounds[-1]["last"] = len(self.steps)

    def _select_step(self, event: Event) -> None:
        name, arguments, result = call(event)
        step = {"t": event["t"], "file": None, "call": name, "args": arguments, "result": result}
        self.steps.append(step | {"means": self._text(sentence(event))})

    def step(
        self,
        file: int | None,
        call: str,
        args: str = "",
        result: str = "",
        means: str = "The file was made.",
        *,
        where: str = "EventLoop.run_once in turnchat/core/loop.py",
        events: Sequence[tuple[str, str, bool]] = (),
        error: str = "",
        octets: str = "",
        **changes: Any,
    ) -> None:
        """A call. `changes` are to the state of the file; a None leaves a key out, but for mask."""
        self._now += 0.0001
        step: dict[str, Any] = {"t": self._now, "file": file, "call": call, "args": args}
        step |= {"result": result, "means": self._text(means), "where": self._text(where)}
        if error:
            step["error"] = error
        if octets:
            step["octets"] = octets
        if events:
            step["events"] = [
                dict(zip(("kind", "text", "ours"), event, strict=True)) for event in events
            ]
        if changes:
            assert file is not None
            state = self._states.get(file, {}) | changes
            if "buffer" in state:
                state["parser"] = parser_of(state["buffer"])
            self._states[file] = {
                key: value for key, value in state.items() if value is not None or key == "mask"
            }
            step["state"] = dict(self._states[file])
        self.steps.append(step)
        self.rounds[-1]["last"] = len(self.steps)

    def _text(self, text: str) -> int:
        if text not in self._texts:
            self._texts[text] = len(self.texts)
            self.texts.append(text)
        return self._texts[text]


READ = "Connection._readable in turnchat/core/connection.py"
WRITE = "Connection._writable in turnchat/core/connection.py"
TOOK = "recv() took what was there, and the parser has what it amounts to."
FRESH: dict[str, Any] = {"mask": READABLE, "buffer": "", "turn": "theirs", "unsent": "", "turns": 0}


def small() -> dict[str, object]:
    """A server and two clients: everything that the page can show of one side.

    Round 3 has the header of client 1 in two pieces, round 5 the answer that the kernel takes only
    a part of, round 7 an EAGAIN, round 8 a fault of client 2, round 10 a deadline.
    """
    tale = Tale("chat.jsonl", "turnchat-server")
    signals = tale.file("signals", "signals")
    listener = tale.file("listener", "listener")
    keyboard = tale.file("keyboard", "stream")
    screen = tale.file("screen", "stream")
    one = tale.file("client 1", "connection")
    two = tale.file("client 2", "connection")

    def accept(client: int, name: str) -> None:
        tale.step(
            listener, "accept", "", f"{name} from 127.0.0.1:5312{client}",
            "accept() took a connection out of the kernel's queue.",
            where="Listener._readable in turnchat/core/listener.py", mask="r",
        )  # fmt: skip
        tale.step(client, "register", "r", "", "From now on select() reports it.", **FRESH)

    tale.round()
    for file in (signals, listener, keyboard):
        tale.step(file, "register", "r", "", "From now on select() reports it.", mask="r")
    tale.step(
        screen, "write", "", "30 octets", "The screen took it all.",
        where="Output.write in turnchat/terminal/output.py",
        octets="* listening on 127.0.0.1:2322\n", mask=None,
    )  # fmt: skip
    tale.round((listener, "r"), slept=1.25)
    accept(one, "client 1")
    tale.round((listener, "r"), timeout=600.0, deadline="client 1")
    accept(two, "client 2")
    tale.round((one, "r"), slept=1.2, timeout=600.0, deadline="client 1")
    tale.step(one, "recv", "259", "2 octets", TOOK, where=READ, octets="00", buffer="00")
    tale.round((one, "r"), (two, "r"), slept=0.00025, timeout=30.0, deadline="client 1")
    tale.step(one, "recv", "259", "3 octets", TOOK, where=READ, octets="5he", buffer="005he")
    tale.step(
        two, "recv", "259", f"{len(SCRIPT) + 3} octets", TOOK,
        where=READ, events=[("message", SCRIPT, False)],
        octets=f"{len(SCRIPT):03}{SCRIPT}", turn="ours", turns=1,
    )  # fmt: skip
    tale.step(
        screen, "write", "", "60 octets", "The screen took it all.", octets=f"client 2> {SCRIPT}\n"
    )
    tale.round((one, "r"), slept=0.04, timeout=29.9, deadline="client 1")
    tale.step(
        one, "recv", "259", "3 octets", TOOK,
        where=READ, events=[("message", "hello", False)],
        octets="llo", buffer="", turn="ours", turns=1,
    )  # fmt: skip
    tale.step(
        screen, "write", "", "16 octets", "The screen took it all.", octets="client 1> hello\n"
    )
    tale.round((keyboard, "r"), slept=4.8, timeout=600.0)
    tale.step(
        keyboard,
        "read",
        "4096",
        "14 octets",
        "A line was entered.",
        octets="hi! 你好\n".encode().decode("latin-1"),
    )
    answer = "010hi! 你好".encode().decode("latin-1")
    tale.step(
        one, "send", "13 octets", "5 octets",
        "send() took a part only: the peer is slow. The rest waits until the socket is writable.",
        where="Connection.say in turnchat/connection.py", events=[("message", "hi! 你好", True)],
        octets=answer[:5], mask="w", turn="theirs", unsent=answer[5:], turns=2,
    )  # fmt: skip
    tale.round((one, "w"), slept=0.002, timeout=30.0, deadline="client 1")
    tale.step(
        one, "send", "8 octets", "", "The kernel's buffer is full after all: readiness is a hint.",
        where=WRITE, error="EAGAIN",
    )  # fmt: skip
    tale.round((one, "w"), (two, "r"), slept=0.3, timeout=30.0, deadline="client 1")
    tale.step(
        one, "send", "8 octets", "8 octets", "The rest is sent.", where=WRITE,
        octets=answer[5:], mask="r", unsent="",
    )  # fmt: skip
    tale.step(
        two, "recv", "259", "6 octets", "The peer spoke out of turn, which ends the conversation.",
        where=READ, events=[("fault", f"'003hey' came out of turn {IMAGE}", False)],
        octets="003hey", turn="over",
    )  # fmt: skip
    tale.step(two, "close", "", "", "The descriptor is free again.", closed=True, mask=None)
    tale.round((one, "r"), slept=2.0, timeout=600.0, deadline="client 1")
    tale.step(
        one, "recv", "259", "9 octets", TOOK,
        where=READ, events=[("goodbye", "BYEBYE", False)],
        octets="006BYEBYE", turn="over", turns=3,
    )  # fmt: skip
    tale.step(one, "shutdown", "SHUT_WR", "", "No more will be sent.")
    tale.round(slept=2.0, timeout=2.0, deadline="client 1")
    tale.step(
        one,
        "close",
        "",
        "",
        "The deadline for the peer to close has passed.",
        closed=True,
        mask=None,
    )
    tale.round(slept=0.0, timeout=0.0)
    return tale.story


def two_sided() -> dict[str, object]:
    """A server and its client on one clock: the question, on its way, and the answer."""
    tale = Tale("both.jsonl", "turnchat-server", "turnchat-client")
    listener = tale.file("listener", "listener")
    near = tale.file("client 1", "connection")
    keyboard = tale.file("keyboard", "stream", side=1)
    far = tale.file("server", "connection", side=1)
    tale.pair(near, far)
    tale.round(side=0)
    tale.step(listener, "register", "r", mask="r")
    tale.round(side=1)
    tale.step(keyboard, "register", "r", mask="r")
    tale.step(far, "register", "r", **FRESH | {"turn": "ours"})
    tale.round((listener, "r"), side=0, slept=0.01)
    tale.step(listener, "accept", "", "client 1", mask="r")
    tale.step(near, "register", "r", **FRESH)
    tale.round((keyboard, "r"), side=1)
    tale.step(keyboard, "read", "4096", "6 octets", octets="hello\n")
    tale.step(
        far, "send", "8 octets", "8 octets", "The frame is on its way.",
        where=WRITE, events=[("message", "hello", True)],
        octets="005hello", turn="theirs", turns=1, way="005hello",
    )  # fmt: skip
    tale.round((near, "r"), side=0, slept=0.001)
    tale.step(
        far, "arrived", "", "8 octets", "The octets are in the other side's kernel.", way=None
    )
    tale.step(
        near, "recv", "259", "8 octets", TOOK,
        where=READ, events=[("message", "hello", False)],
        octets="005hello", turn="ours", turns=1,
    )  # fmt: skip
    tale.step(
        near, "send", "5 octets", "5 octets", "The frame is on its way.",
        where=WRITE, events=[("message", "hi", True)],
        octets="002hi", turn="theirs", turns=2, way="002hi",
    )  # fmt: skip
    tale.round((far, "r"), side=1, slept=0.001)
    tale.step(
        near, "arrived", "", "5 octets", "The octets are in the other side's kernel.", way=None
    )
    tale.step(
        far, "recv", "259", "5 octets", TOOK,
        where=READ, events=[("message", "hi", False)],
        octets="002hi", turn="ours", turns=2,
    )  # fmt: skip
    return tale.story


def big(rounds: int = 20_000, clients: int = 1_000) -> dict[str, object]:
    """A server with many clients: each round one of them says something and is answered."""
    tale = Tale("big.jsonl", "turnchat-server")
    listener = tale.file("listener", "listener")
    several = [tale.file(f"client {number}", "connection") for number in range(1, clients + 1)]
    tale.round()
    tale.step(listener, "register", "r", mask="r")
    turns = 0
    for number in range(rounds - 1):
        if number < clients:
            tale.round((listener, "r"), slept=0.001)
            tale.step(several[number], "register", "r", **FRESH)
            continue
        client = several[number * 7919 % clients]
        tale.round((client, "r"), slept=0.001, timeout=600.0, deadline="client 1")
        said = f"message {number}"
        frame = f"{len(said):03}{said}"
        turns += 2
        tale.step(
            client, "recv", "259", f"{len(frame)} octets", TOOK,
        where=READ, events=[("message", said, False)],
            octets=frame, turn="ours", turns=turns - 1,
        )  # fmt: skip
        tale.step(
            client, "send", f"{len(frame)} octets", f"{len(frame)} octets", "It was sent at once.",
            where=WRITE, events=[("message", said, True)], octets=frame, turn="theirs", turns=turns,
        )  # fmt: skip
        if number % 100 == 0:
            tale.step(client, "recv", "259", "", "Nothing there.", where=READ, error="EAGAIN")
    return tale.story


@contextmanager
def browser(width: int = 1280, height: int = 800) -> "Iterator[Chrome]":
    """Debian's Chromium without a window. It can reach nothing but files."""
    from selenium import webdriver  # noqa: PLC0415 - stories are made without it, too

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which root cannot have
        "--disable-dev-shm-usage",
        "--hide-scrollbars=false",
        "--proxy-server=127.0.0.1:9",  # the discard port: there is no way out
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        # A window has a frame, and what counts is what is in it.
        seen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", seen)
        yield driver
    finally:
        driver.quit()


def prefer(driver: "Chrome", theme: str) -> None:
    """What the system says of light and dark."""
    feature = {"name": "prefers-color-scheme", "value": theme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def picture(html: Path, png: Path, address: str = "", theme: str = "light") -> None:
    """Save what the page shows at `address` ("#round=4&step=2") as a picture of 1280 x 800."""
    with browser() as driver:
        prefer(driver, theme)
        driver.get(html.as_uri() + address)
        driver.save_screenshot(str(png))


if __name__ == "__main__":
    recording = ROOT / "turnchat" / "trace" / "examples" / "two-clients.jsonl"
    with TemporaryDirectory() as folder, open(recording) as file:
        shown = Path(folder) / "page.html"
        shown.write_text(page(story(recording.name, [read(file)])))
        picture(shown, Path(sys.argv[1]), "#round=5&step=4")
