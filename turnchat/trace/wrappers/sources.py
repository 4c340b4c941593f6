"""The source of a function that has made a recorded call.

It is shown as the code that ran. The file may have changed since, or code may bear the name of a
file that it does not come from. So the file is compiled once more, and a function has a source only
if the same code comes out. What cannot be read or compiled has none.
"""

import os
import stat
import tokenize  # noqa: F401 - linecache imports it late (3.13), and --user may not read it then
import warnings
from collections import deque
from collections.abc import Iterator
from functools import cache
from linecache import getlines
from textwrap import dedent
from types import CodeType
from typing import Any

from turnchat.trace.fields import SOURCE_LIMIT
from turnchat.trace.wrappers.caller import PLACE_LIMIT, Place

FILE_LIMIT = 256 << 10  # bytes; to compile a larger file would hold up the loop noticeably
CONTEXT = 100  # lines in front of the call, of a function that is too long to be shown whole

Event = dict[str, Any]
Source = dict[str, Any]  # first: the number of the first line; text: the lines


class Sources:
    """The sources that a recording has already."""

    def __init__(self) -> None:
        # By the identity of a place: itself, the lines of its calls, and those with a source.
        self._seen: dict[int, tuple[Place, set[int], list[range]]] = {}

    def source_for(self, event: Event) -> Source | None:
        """Return the source for an event, unless it is there already, or cannot be found."""
        place, line = event.get("by"), event.get("line")
        if line is None or not isinstance(place, Place):
            return None
        known = self._seen.get(id(place))
        if known and line in known[1]:  # nearly always
            return None
        return self._find(place, line)

    def _find(self, place: Place, line: int) -> Source | None:
        if len(self._seen) > PLACE_LIMIT:
            self._seen.clear()
        _, seen, shown = self._seen.setdefault(id(place), (place, set(), []))
        seen.add(line)
        if any(line in lines for lines in shown):
            return None
        found = source_of(place.code, line)
        if found:
            shown.append(range(found["first"], found["first"] + found["text"].count("\n")))
        return found


def source_of(code: CodeType, line: int) -> Source | None:
    """Return the source of a function: the number of its first line, and its text.

    Of a long one there is the part around `line`.
    """
    if code not in _codes_of(code.co_filename):
        return None
    lines = getlines(code.co_filename)
    last = _last_line_of(code)
    first = max(1, code.co_firstlineno)
    if sum(map(len, lines[first - 1 : last])) > SOURCE_LIMIT:
        first = max(first, line - CONTEXT)
        while first < line and sum(map(len, lines[first - 1 : line])) > SOURCE_LIMIT:
            first += 1  # the line itself must be in it
    text = dedent("".join(lines[first - 1 : last]))
    if len(text) > SOURCE_LIMIT:
        text = text[: text.rfind("\n", 0, SOURCE_LIMIT) + 1]
    if text and not text.endswith("\n"):
        text += "\n"
    return {"first": first, "text": text} if text else None


@cache
def _codes_of(file: str) -> frozenset[CodeType]:
    """Return the code of all functions that a file has now."""
    try:
        status = os.stat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_LIMIT:
            return frozenset()
        with warnings.catch_warnings(action="ignore"):  # it had them when it was compiled first
            whole = compile("".join(getlines(file)), file, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(_inside(whole))


def _inside(whole: CodeType) -> Iterator[CodeType]:
    """Yield code, and the code of all functions in it."""
    waiting = deque([whole])
    while waiting:
        code = waiting.popleft()
        yield code
        waiting.extend(one for one in code.co_consts if isinstance(one, CodeType))


def _last_line_of(code: CodeType) -> int:
    ends = (end for one in _inside(code) for _, end, _, _ in one.co_positions() if end)
    return max(ends, default=code.co_firstlineno)
