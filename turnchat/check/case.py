"""A case: one rule of the protocol, and the script that tries whether a program keeps it.

A script is a generator. It yields steps (steps/) and is driven by play.py, which gives each step
its time. It is plain Python, so a case reads from top to bottom, like the conversation that it is:

    @case("frame/empty", section="Messages", hint="...")
    def empty(play: Play) -> Script:
        '''The empty message is a message: 000.'''
        yield from its_turn(play)
        yield Type("")
        yield Hear("")

The docstring is the rule, in one sentence. A rule is a MUST, or a SHOULD, as in RFC 2119.
"""

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from turnchat.check.play import Play
    from turnchat.check.steps import Step

Script = Generator["Step", Any, None]
Body = Callable[["Play"], Script]  # the function of a case

GROUPS = ("start", "frame", "turn", "text", "end", "fault", "many", "loop", "pair")
MODULES = (*GROUPS, "receive")  # of cases; frame/receive and frame/split are in a file of their own


class Level(StrEnum):
    """The weight of a rule (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Role(StrEnum):
    """The program that is checked. PAIR: a server and a client, with each other."""

    SERVER = "server"
    CLIENT = "client"
    PAIR = "pair"


class Profile(StrEnum):
    """The rules that are tried. LAB: one conversation, and calls may block. TURNCHAT: all."""

    LAB = "lab"
    TURNCHAT = "turnchat"


WAITS = 15  # in a case that does not say how many

MUST, SHOULD = Level
SERVER, CLIENT, PAIR = Role
LAB, TURNCHAT = Profile
BOTH = (SERVER, CLIENT)


class Case(NamedTuple):
    """One rule and its script.

    section: the heading in PROTOCOL.md. hint: for a beginner whose program breaks the rule.
    after: ids of cases without which this one says nothing new; if one of them falls short, this
    one is skipped. profile: LAB cases are tried in both profiles. bound: seconds for all of it, at
    least. waits: the times that it waits for the program, at most; each has the timeout of a step.
    """

    id: str
    level: Level
    rule: str
    section: str
    hint: str
    roles: Sequence[Role]
    profile: Profile
    after: Sequence[str]
    bound: float
    script: Body
    waits: int = WAITS

    def most_seconds(self, timeout: float) -> float:
        """Return the seconds for all of it: a program that keeps the time of each step has them."""
        return max(self.bound, self.waits * timeout) + timeout

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]


_CASES: dict[str, Case] = {}


def case(
    name: str,
    *,
    section: str,
    hint: str,
    level: Level = MUST,
    roles: Sequence[Role] = BOTH,
    profile: Profile = LAB,
    after: Sequence[str] = ("turn/two",),
    bound: float = 30.0,
    waits: int = WAITS,
) -> Callable[[Body], Body]:
    """Register the decorated script as the case `name`. Its docstring is the rule."""

    def register(script: Body) -> Body:
        assert name not in _CASES, name
        rule = re.sub(r"\s+", " ", script.__doc__ or "").strip()
        assert rule.endswith("."), name
        _CASES[name] = Case(
            name, level, rule, section, hint, roles, profile, after, bound, script, waits
        )
        return script

    return register


def all_cases() -> list[Case]:
    """Return every case, in the order in which they are tried."""
    for name in MODULES:
        import_module(f"turnchat.check.cases.{name}")
    return sorted(_CASES.values(), key=lambda one: GROUPS.index(one.group))


def select(
    role: Role, profile: Profile, only: Iterable[str] = (), skip: Iterable[str] = ()
) -> list[Case]:
    """Return the cases of a role and a profile, by globs of their ids.

    A case that `only` asks for brings those that it comes after. Raises ValueError for a glob that
    no case matches.
    """
    only, skip = list(only), list(skip)
    cases = [one for one in all_cases() if role in one.roles and profile in (one.profile, TURNCHAT)]
    for glob in (*only, *skip):
        if not any(fnmatchcase(one.id, glob) for one in cases):
            raise ValueError(f"no case of this role and profile has an id like {glob!r}")
    after = {one.id: one.after for one in cases}
    found = [name for name in after if not only or _matches(name, only)]
    wanted: set[str] = set()
    while found:
        name = found.pop()
        if name in after and name not in wanted:
            wanted.add(name)
            found += after[name]
    return [one for one in cases if one.id in wanted and not _matches(one.id, skip)]


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
