"""Timelines made by hand, step by step, for tests of the page."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from turnchat.core.conversation import THEIRS
from turnchat.core.frame import HEADER_SIZE
from turnchat.trace.describe import call, explanation, sleep
from turnchat.trace.format import Event
from turnchat.trace.interpreter import File


@cache
def parser_of(buffer: str) -> str:
    """The progress of a parser with `buffer` in it, in words."""
    file = File(0, "connection", "")
    file.begin(THEIRS)
    file.receive(buffer.encode("latin-1"))
    return file.progress


def spans_of(before: str, data: str) -> list[list[object]]:
    """The header and the body of a frame that `data` begins, or goes on with after `before`."""
    left = max(0, HEADER_SIZE - len(before))
    pairs = (len(data[:left]), "header"), (len(data[left:]), "body")
    return [[count, kind] for count, kind in pairs if count]


class Draft:
    """A timeline in the making: files, rounds, and steps in the last round."""

    def __init__(self, title: str, *programs: str) -> None:
        self.files: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.rounds: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.timeline: dict[str, Any] = {
            "title": title,
            "sides": [{"program": program} for program in programs],
            "files": self.files,
            "texts": self.texts,
            "rounds": self.rounds,
            "states": [],
            "steps": self.steps,
            "is_cut": False,
            "sources": {},
            "findings": [],
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
        where: str = "",
        line: int | None = None,
    ) -> None:
        """The next round of a side; the first is the set-up, with the number 0."""
        number, self._numbers[side] = self._numbers[side], self._numbers[side] + 1
        began, self._now = self._now, self._now + (slept if number else 0)
        made = {
            "side": side,
            "number": number,
            "t": began,
            "timeout": timeout,
            "deadline": deadline,
            "woke": self._now,
            "ready": [list(each) for each in ready],
            "first": len(self.steps),
        }
        self.rounds.append(made | {"slept": sleep(made, self.files)})
        if number:
            self._select_step({"t": began, "call": "select", "timeout": timeout})
            if where:
                self.steps[-1] |= {"where": self._text(where), "line": line}
            self._select_step({"t": self._now, "call": "ready"})
        self.rounds[-1]["last"] = len(self.steps)

    def _select_step(self, event: Event) -> None:
        name, arguments, result = call(event)
        step = {"t": event["t"], "file": None, "call": name, "args": arguments, "result": result}
        self.steps.append(step | {"explanation": self._text(explanation(event))})

    def step(
        self,
        file: int | None,
        call: str,
        args: str = "",
        result: str = "",
        explanation: str = "The file was made.",
        *,
        where: str = "EventLoop.run_once in turnchat/core/loop.py",
        effects: Sequence[tuple[str, str, bool]] = (),
        error: str = "",
        data: str = "",
        spans: Sequence[tuple[int, str]] = (),
        line: int | None = None,
        **changes: Any,
    ) -> None:
        """Add a call. `changes` are to the state of its file; None removes a key, except `mask`."""
        self._now += 0.0001
        step: dict[str, Any] = {"t": self._now, "file": file, "call": call, "args": args}
        step |= {"result": result, "explanation": self._text(explanation)}
        if where:
            step["where"] = self._text(where)
        if line is not None:
            step["line"] = line
        if error:
            step["error"] = error
        if data:
            step["data"] = data
            if file is not None and self.files[file]["kind"] == "connection":
                step["spans"] = spans or spans_of(self._continued(file, call), data)
        if effects:
            step["effects"] = [
                dict(zip(("kind", "text", "ours"), effect, strict=True)) for effect in effects
            ]
        if changes:
            assert file is not None
            state = self._states.get(file, {}) | changes
            for name in ("unsent", "inflight"):
                if name in changes:
                    state[f"{name}Size"] = len(changes[name])
            if "buffer" in state:
                state["parser"] = parser_of(state["buffer"])
            self._states[file] = {
                key: value for key, value in state.items() if value is not None or key == "mask"
            }
            step["state"] = dict(self._states[file])
        self.steps.append(step)
        self.rounds[-1]["last"] = len(self.steps)

    def source(self, where: str, first: int, text: str) -> None:
        """The source of a function."""
        self.timeline["sources"][str(self._text(where))] = {"first": first, "text": text}

    def find(self, text: str, why: str, mend: str, kind: str = "closed") -> None:
        """Report a mistake at the last step."""
        step = len(self.steps) - 1
        made = {"step": step, "kind": kind, "text": text, "why": why, "mend": mend, "ours": True}
        self.timeline["findings"].append(made | {"file": self.steps[step]["file"]})

    def _continued(self, file: int, call: str) -> str:
        """The bytes of the present frame that have come or gone before."""
        state = self._states.get(file, {})
        return "all of it" if call == "send" and state.get("unsent") else state.get("buffer", "")

    def _text(self, text: str) -> int:
        if text not in self._texts:
            self._texts[text] = len(self.texts)
            self.texts.append(text)
        return self._texts[text]
