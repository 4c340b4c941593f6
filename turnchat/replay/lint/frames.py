"""Breaches of the protocol: by the recorded loop, or by its peer, which is another's mistake.

A loop may speak another protocol. So the bytes of a connection are judged only if a whole frame has
passed on it, or if a hint is certain that they were meant as one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from turnchat.core.frame import FRAME_LIMIT, HEADER_SIZE, LENGTH_OF, BadLength, OutOfTurn
from turnchat.replay.lint.finding import Finding, finding
from turnchat.replay.lint.hints import Hint, hint_for
from turnchat.text import counted
from turnchat.trace.format import Event
from turnchat.trace.interpreter import File, Interpreter
from turnchat.trace.layers.effects import AfterEnd, Effect
from turnchat.trace.layers.frames import Frames


class Verdict(NamedTuple):
    """A judgement of a fault: the kind of its finding, the sentence, and the mistake behind it."""

    kind: str
    text: str
    hint: Hint | None = None
    is_ours: bool = True


class Breaches:
    """Find bytes that break the protocol, and the side that has sent them."""

    def __init__(self) -> None:
        self._broken: set[File] = set()  # by the peer
        self._foreign: set[File] = set()  # they speak another protocol
        self._has_foreign = False  # one is reported

    def before(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        """Look at an event that ends the stream of this side, or the recording."""
        call = event["call"]
        if call in ("shutdown", "close"):
            yield from self._look_for_rest(line, interpreter, interpreter.files[event["file"]])
        elif call == "end" and "error" not in event:
            for file in interpreter.files.values():
                yield from self._look_for_rest(line, interpreter, file)

    def _look_for_rest(self, line: int, interpreter: Interpreter, file: File) -> Iterator[Finding]:
        """Find a frame that this side has begun and not finished."""
        partial = file.sent.conversation.partial if file.sent else b""
        if not partial or file.is_shut or file.is_closed:
            return
        hint = hint_for(partial, len(partial))
        if _has_frames(file) or (hint and hint.is_certain):
            text = f"the last frame to {file.name} is not whole: this loop sends no more"
            yield finding(
                *("cut", text), round_=interpreter.round, line=line, file=file.number,
                hint=hint.words if hint else None,
            )  # fmt: skip

    def after(
        self, line: int, event: Event, interpreter: Interpreter, effects: list[Effect]
    ) -> Iterator[Finding]:
        """Look at the effects of a call."""
        file, round_ = interpreter.files[event["file"]], interpreter.round
        size = len(event.get("octets", ""))
        is_record = file.tls is not None and event["call"] in ("recv", "send")
        faults = [one for one in effects if one.fault]
        for fault in faults:
            if file in self._foreign:
                break
            if verdict := self._judge(file, size, fault, is_record=is_record):
                kind, text, hint, is_ours = verdict
                yield finding(
                    *(kind, text), round_=round_, line=line, file=file.number,
                    hint=hint.words if hint else None, is_ours=is_ours,
                )  # fmt: skip
        if event["call"] not in ("send", "encrypt") or is_record or size <= FRAME_LIMIT:
            return
        is_no_frame = any(one.fault is BadLength for one in faults)  # its size says nothing more
        if file.is_conversation and file not in self._foreign and not is_no_frame:
            text = f"{size} bytes wait for {file.name}, a frame has {FRAME_LIMIT} at most"
            yield finding("queue", text, round_=round_, line=line, file=file.number)

    def _judge(self, file: File, size: int, fault: Effect, *, is_record: bool) -> Verdict | None:
        """Judge a fault in `size` bytes; None if all is said already."""
        if fault.fault is AfterEnd:
            return self._judge_after_end(file, size, fault)
        frames = file.sent if fault.is_ours else file.received
        if is_record or not frames:
            return self._judge_side(file, fault, None)
        hint = hint_for(frames.frame, frames.known)
        if _is_foreign(file, frames, hint):
            return self._judge_foreign(file, fault, hint)
        return self._judge_side(file, fault, hint)

    def _judge_after_end(self, file: File, size: int, fault: Effect) -> Verdict:
        sends = f"this loop sends {counted(size, 'byte')} to {file.name}"
        if file in self._broken:
            return Verdict("went-on", f"{sends}, which has broken the protocol")
        return Verdict("after-end", f"{sends} {fault.text}")

    def _judge_foreign(self, file: File, fault: Effect, hint: Hint | None) -> Verdict | None:
        """Judge the first bytes of a connection that shows no frame: a note, and only one."""
        self._foreign.add(file)
        if self._has_foreign:
            return None
        self._has_foreign = True
        speaks = "speaks another protocol"
        sides = f"this loop {speaks} with {file.name}" if fault.is_ours else f"{file.name} {speaks}"
        text = f"{sides}: frames and turns are not judged"
        return Verdict("foreign", text, hint, is_ours=False)

    def _judge_side(self, file: File, fault: Effect, hint: Hint | None) -> Verdict:
        """Judge a fault by the side that has made it."""
        if not fault.is_ours:
            self._broken.add(file)
            text = f"{file.name} breaks the protocol {fault.text}"
            return Verdict("peer", text, hint, is_ours=False)
        kind = "turn" if fault.fault is OutOfTurn and not hint else "fault"
        return Verdict(kind, f"this loop breaks the protocol with {file.name} {fault.text}", hint)


def _has_frames(file: File) -> bool:
    """Return True if a whole frame has passed, in either direction."""
    return any(one and one.conversation.message_count for one in (file.received, file.sent))


def _is_foreign(file: File, frames: Frames, hint: Hint | None) -> bool:
    """Return True if nothing shows that the bytes of a connection were meant as frames."""
    length = LENGTH_OF.get(frames.frame[:HEADER_SIZE])
    is_whole = length is not None and len(frames.frame) >= HEADER_SIZE + length
    return not (is_whole or _has_frames(file) or (hint and hint.is_certain))
