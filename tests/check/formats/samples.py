"""Reports to write in each format: one with every verdict, and those that Hypothesis makes up."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnchat.check.case import Level, Profile, Role
from turnchat.check.report import (
    CaseResult,
    Event,
    EventType,
    Kind,
    Report,
    Shortfall,
    Verdict,
)

EVENTS = (
    Event(0.0, EventType.STARTED, note="python3 server.py 2322"),
    Event(0.1, EventType.CONNECTED, peer=1),
    Event(0.1, EventType.SENT, b"005hello", peer=1),
    Event(0.2, EventType.SCREEN, "peer> hello 你好\r\n".encode()),
    Event(0.3, EventType.TYPED, b"hi\r"),
    Event(0.4, EventType.RECEIVED, b"2hi", peer=1),
)


def result(name: str, verdict: Verdict, level: Level = Level.MUST, **fields: Any) -> CaseResult:
    """A result; the reason of one that is no pass is there."""
    reason = "" if verdict is Verdict.PASS else "the program sent other bytes"
    known = {"seconds": 0.25, "reason": reason, **fields}
    return CaseResult(name, level, verdict, "A rule.", "Messages", "A hint.", **known)


CASES = (
    result("frame/message", Verdict.PASS),
    result(
        "frame/padded",
        Verdict.FAIL,
        shortfall=Shortfall(Kind.WRONG, "it sent other bytes", "the frame", b"002hi", b"2hi"),
        diagnosis=["The header is not padded to three digits."],
        events=EVENTS,
        screens=[["peer> hello 你好"]],
        runs=5,
        failures=2,
    ),
    result("frame/segment", Verdict.WARN, Level.SHOULD, reason="it came in 2 segments # of 1"),
    result("turn/order", Verdict.SKIP, depends_on="frame/padded", reason="it needs frame/padded"),
    result("many/second", Verdict.SKIP, reason="the program serves one conversation"),
    result("loop/idle", Verdict.ERROR, reason="Traceback:\n  KeyError: 'peer'"),
)
REPORT = Report(Profile.LAB, Role.SERVER, ["python3", "server.py", "{port}"], CASES, 12.5, 7)

# Text of strangers: as a worker has read it, with lone surrogates and all that acts.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
ANY_EVENT = st.builds(
    Event,
    at=st.floats(0, 30),
    type=st.sampled_from(EventType),
    data=st.binary(max_size=30),
    peer=st.integers(0, 3),
    program=st.integers(0, 1),
    note=ANY_TEXT,
)
ANY_SHORTFALL = st.builds(
    Shortfall,
    kind=st.sampled_from(Kind),
    reason=ANY_TEXT,
    step=ANY_TEXT,
    expected=st.none() | st.binary(max_size=100),
    received=st.none() | st.binary(max_size=100),
)
ANY_RESULT = st.builds(
    result,
    name=st.sampled_from(["frame/one", "frame/two", "turn/three"]),
    verdict=st.sampled_from(Verdict),
    level=st.sampled_from(Level),
    shortfall=st.none() | ANY_SHORTFALL,
    diagnosis=st.lists(ANY_TEXT, max_size=2),
    events=st.lists(ANY_EVENT, max_size=3),
    screens=st.lists(st.lists(ANY_TEXT, max_size=3), max_size=2),
    recording=st.none() | ANY_TEXT,
).flatmap(
    lambda one: ANY_TEXT.map(
        lambda text: one if one.verdict is Verdict.PASS else one._replace(reason=f"a{text}")
    )
)
ANY_REPORT = st.builds(
    Report,
    profile=st.sampled_from(Profile),
    role=st.sampled_from(Role),
    command=st.lists(ANY_TEXT, max_size=3),
    cases=st.lists(ANY_RESULT, max_size=5),
    seconds=st.floats(0, 1e5),
    seed=st.integers(),
)


def for_any_report(test: Callable[[Report], None]) -> Callable[[], None]:
    """Run a test with reports of all kinds, also on a machine that is busy."""
    calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return calm(given(ANY_REPORT)(test))
