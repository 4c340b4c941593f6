"""The caller of a wrapper: the function that wanted the call, never one between.

Functions that only pass a call on do not count, so each module of wrappers enters itself in
WRAPPER_FILES. The core's loop is left out by caller() too.
"""

import selectors
from pathlib import Path
from sys import _getframe
from types import CodeType, FrameType
from typing import Any

import turnchat
from turnchat.core import loop

# Source files whose functions only pass calls on. Wrapper modules add their own `__file__`.
WRAPPER_FILES = {__file__, selectors.__file__}
LOOP_FILE = loop.__file__
PACKAGE = Path(turnchat.__file__).parent
PLACE_LIMIT = 10_000  # code that is made anew again and again must not fill the memory


class Place(str):
    """A function's name and file, as an event shows them, with the code that it ran."""

    __slots__ = ("code",)
    code: CodeType


def caller(*, of_loop: bool = False) -> dict[str, Any]:
    """Return the function that called the wrapper that asks, and the line of the call.

    of_loop: True if the loop makes the call for itself, as it does with select().
    """
    frame: FrameType | None = _getframe(2)
    while frame:
        code = frame.f_code
        file = code.co_filename
        if file not in WRAPPER_FILES and (of_loop or file != LOOP_FILE):
            line = frame.f_lineno  # code that a program has made may have none
            return {"by": _place(code), "line": line} if line else {"by": _place(code)}
        frame = frame.f_back
    return {}


_places: dict[int, Place] = {}  # by the identity of their code, which each of them keeps alive


def _place(code: CodeType) -> Place:
    """Return a function's name and file. Kept: paths are slow to take apart, and code to hash."""
    place = _places.get(id(code))
    if place is None:
        path = Path(code.co_filename)
        shown = path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE) else path.name
        place = Place(f"{code.co_qualname} in {shown}")
        place.code = code
        if len(_places) >= PLACE_LIMIT:
            _places.clear()
        _places[id(code)] = place
    return place
