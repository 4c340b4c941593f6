"""The model of results: what a case gave, and what all of them give together.

Each format (formats/) is made of this and of nothing else. to_json() and from_json() are also the
way a result takes from the worker that ran the case.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from turnchat.check.case import Level, Profile, Role


class Verdict(StrEnum):
    """The outcome of a case. WARN: a SHOULD fell short. ERROR: the checker itself failed."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"
    ERROR = "error"


SHORTFALLS = (Verdict.FAIL, Verdict.WARN)  # of the program
NOT_HELD = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)  # by any fault; the worst is the first


class Kind(StrEnum):
    """The way in which a program falls short."""

    DIED = "died"
    HANGS = "hangs"
    SPINS = "spins"
    WRONG = "wrong"


class Awaited(StrEnum):
    """The thing that a step waits for, at which a program falls short."""

    LISTENER = "listener"  # a socket of the program that listens
    CONNECTION = "connection"  # the first one
    NEXT_CLIENT = "next client"  # the connection of one more, when others have left
    FRAME = "frame"
    SCREEN = "screen"  # text on it
    STREAM_END = "end of stream"
    EXIT = "exit"


class EventType(StrEnum):
    """An event of a case, with the data that it carries."""

    STARTED = "started"
    TYPED = "typed"  # bytes of keys
    SCREEN = "screen"  # bytes that the program wrote to its terminal
    CONNECTED = "connected"
    SENT = "sent"  # bytes, by the checker
    RECEIVED = "received"  # bytes, from the program
    CLOSED = "closed"  # the program ended its stream
    RESET = "reset"  # the program reset the connection
    HUNG_UP = "hung up"  # the checker ended its stream, or reset the connection
    EXITED = "exited"
    NOTE = "note"  # a word of the script


class Event(NamedTuple):
    """Something that happened in a case.

    at: seconds since the case began. peer: the number of the conversation, 0 for none. program: the
    number of the program, from 0; a pair has two. note: words.
    """

    at: float
    type: EventType
    data: bytes = b""
    peer: int = 0
    program: int = 0
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "data": self.data.hex()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        data = bytes.fromhex(value["data"])
        return cls(**{**value, "type": EventType(value["type"]), "data": data})


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


class Shortfall(NamedTuple):
    """Why a program falls short.

    reason: a sentence without its period. step: the step it happened at, in words. expected,
    received: bytes of the stream or text of the screen, where the step compares them. awaits: the
    kind of what the step waits for, None if it is another one.
    """

    kind: Kind
    reason: str
    step: str = ""
    expected: bytes | None = None
    received: bytes | None = None
    awaits: Awaited | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            **self._asdict(),
            "expected": _hex(self.expected),
            "received": _hex(self.received),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **value,
                "kind": Kind(value["kind"]),
                "expected": _bytes(value["expected"]),
                "received": _bytes(value["received"]),
                "awaits": Awaited(value["awaits"]) if value.get("awaits") else None,
            }
        )


class Fallen(Exception):
    """A program that falls short: raised by steps and scripts."""

    def __init__(self, shortfall: Shortfall) -> None:
        super().__init__(shortfall.reason)
        self.shortfall = shortfall


class NotApplicable(Exception):
    """A case that says nothing about this program, by its nature. The text says why."""


class CaseResult(NamedTuple):
    """The outcome of one case.

    reason: why it is not a pass, in a sentence. shortfall: the evidence. diagnosis: sentences that
    name the mistake, as far as the bytes give it away. depends_on: the case whose shortfall makes
    this one a skip. screens: the text of each program's terminal. recording: the path of the
    recording of the checker's loop. runs, failures: with --repeat.
    """

    id: str
    level: Level
    verdict: Verdict
    rule: str
    section: str
    hint: str
    seconds: float = 0.0
    reason: str = ""
    shortfall: Shortfall | None = None
    diagnosis: Sequence[str] = ()
    depends_on: str | None = None
    events: Sequence[Event] = ()
    screens: Sequence[Sequence[str]] = ()
    recording: str | None = None
    runs: int = 1
    failures: int = 0

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]

    @property
    def counts(self) -> bool:
        """True if the case counts for the score: a skip counts if another case is its reason.

        An error counts, too: else a program would gain by harming its checker.
        """
        return self.verdict is not Verdict.SKIP or self.depends_on is not None

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON; bytes are in hexadecimal."""
        return {
            **self._asdict(),
            "seconds": round(self.seconds, 3),
            "shortfall": self.shortfall and self.shortfall.to_json(),
            "events": [event.to_json() for event in self.events],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        shortfall = value["shortfall"]
        return cls(
            **{
                **value,
                "level": Level(value["level"]),
                "verdict": Verdict(value["verdict"]),
                "shortfall": shortfall and Shortfall.from_json(shortfall),
                "events": [Event.from_json(event) for event in value["events"]],
            }
        )


class Report(NamedTuple):
    """All results of one command.

    command: all of its words. commands: of a pair, the words of each program, by its role.
    """

    profile: Profile
    role: Role
    command: Sequence[str]
    cases: Sequence[CaseResult]
    seconds: float = 0.0
    seed: int = 0
    commands: Mapping[Role, Sequence[str]] = MappingProxyType({})

    @property
    def lines(self) -> list[str]:
        """The command of each program for a reader, with its role in front if there are two."""
        if len(self.commands) < 2:
            return [as_typed(self.command)]
        return [f"{role}: {as_typed(words)}" for role, words in self.commands.items()]

    @property
    def score(self) -> float:
        """The share of the MUST cases that hold, of those that count: 0 to 100."""
        counted = [one for one in self.cases if one.level is Level.MUST and one.counts]
        held = sum(one.verdict is Verdict.PASS for one in counted)
        return 100 * held / len(counted) if counted else 0.0

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.cases)


def as_typed(words: Sequence[str]) -> str:
    """Return a command as it was typed: no shell reads the braces, so they need no quotes."""
    return re.sub(r"'([\w.:=/-]*\{\w+\}[\w.:=/-]*)'", r"\1", shlex.join(words))
