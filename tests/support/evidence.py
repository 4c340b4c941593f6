"""Results of cases, made by hand: what a program did, event by event."""

from itertools import count

from turnchat.check.case import Level, Profile, Role
from turnchat.check.diagnosis import diagnose, state
from turnchat.check.report import (
    Awaited,
    CaseResult,
    Event,
    EventType,
    Kind,
    Report,
    Shortfall,
    Verdict,
)


def typed(line: str) -> Event:
    return Event(0, EventType.TYPED, line.encode() + b"\r")


def shows(data: bytes) -> Event:
    return Event(0, EventType.SCREEN, data)


def says(data: bytes, peer: int = 1) -> Event:
    """The program sends bytes."""
    return Event(0, EventType.RECEIVED, data, peer)


def hears(data: bytes, peer: int = 1) -> Event:
    """The checker sends bytes to the program."""
    return Event(0, EventType.SENT, data, peer)


def event(event_type: EventType, note: str = "", *, peer: int = 0, data: bytes = b"") -> Event:
    return Event(0, event_type, data, peer, note=note)


def noted(words: str, number: int = 0) -> Event:
    """A note of what the program was at (diagnosis/state.py)."""
    return event(EventType.NOTE, words.format(number))


def frame(text: str | bytes) -> bytes:
    body = text.encode() if isinstance(text, str) else text
    return b"%03d%b" % (len(body), body)


CONNECTED = event(EventType.CONNECTED, peer=1)
CLOSES = event(EventType.CLOSED, peer=1)  # by the program, as RESETS
RESETS = event(EventType.RESET, peer=1)
HANG_UP = event(EventType.HUNG_UP, peer=1)  # by the checker
IN_RECV, AT_KEYBOARD = noted(state.RECEIVING), noted(state.AT_KEYBOARD)


def fallen(
    *events: Event,
    kind: Kind = Kind.WRONG,
    reason: str = "the program sent other bytes",
    step: str = "",
    awaits: Awaited | None = None,
    expected: bytes | None = None,
    received: bytes | None = None,
    screen: tuple[str, ...] = (),
    name: str = "frame/message",
    verdict: Verdict = Verdict.FAIL,
) -> CaseResult:
    """A case that falls short. The events get a time each."""
    ticks = count()
    timed = [one._replace(at=next(ticks) / 100) for one in events]
    level = Level.SHOULD if verdict is Verdict.WARN else Level.MUST
    return CaseResult(
        name, level, verdict, "A message is its length and its body.", "Messages",
        "Count the bytes.", 1.5, reason, Shortfall(kind, reason, step, expected, received, awaits),
        events=timed, screens=[screen],
    )  # fmt: skip


def passed(name: str) -> CaseResult:
    return CaseResult(name, Level.MUST, Verdict.PASS, "A rule.", "Messages", "A hint.", 0.5)


def skipped(name: str, depends_on: str | None, reason: str = "") -> CaseResult:
    reason = reason or f"it needs {depends_on}, which falls short"
    return passed(name)._replace(verdict=Verdict.SKIP, reason=reason, depends_on=depends_on)


def report(*cases: CaseResult) -> Report:
    command = ["python3", "server.py", "{port}"]
    return Report(Profile.LAB, Role.SERVER, command, cases, seconds=12.3)


def names(result: CaseResult, *words: str) -> None:
    """Assert that the first diagnosis has these words, and begins with the first."""
    found = diagnose(result)
    assert found, "no diagnosis"
    assert found[0].startswith(words[0]), found
    for more in words[1:]:
        assert more in found[0]
