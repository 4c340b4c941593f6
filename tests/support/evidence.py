"""Results of cases, made by hand: what a program did, event by event."""

from itertools import count

from turnchat.check.case import Level, Profile, Role
from turnchat.check.report import CaseResult, Event, Kind, Report, Shortfall, Verdict, What


def typed(line: str) -> Event:
    return Event(0, What.TYPED, line.encode() + b"\r")


def shows(data: bytes) -> Event:
    return Event(0, What.SCREEN, data)


def says(data: bytes, peer: int = 1) -> Event:
    """The program sends bytes."""
    return Event(0, What.RECEIVED, data, peer)


def hears(data: bytes, peer: int = 1) -> Event:
    """The checker sends bytes to the program."""
    return Event(0, What.SENT, data, peer)


def event(what: What, note: str = "", *, peer: int = 0, data: bytes = b"") -> Event:
    return Event(0, what, data, peer, note=note)


CONNECTED = event(What.CONNECTED, peer=1)
CLOSES = event(What.CLOSED, peer=1)  # by the program, as RESETS
RESETS = event(What.RESET, peer=1)
HANG_UP = event(What.HUNG_UP, peer=1)  # by the checker


def fallen(
    *events: Event,
    kind: Kind = Kind.WRONG,
    reason: str = "the program sent other bytes",
    step: str = "",
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
        "Count the bytes.", 1.5, reason, Shortfall(kind, reason, step, expected, received),
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
