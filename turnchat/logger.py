"""The log as its callers see it.

A logging.Logger fits, so a program that embeds turnchat can hand in its own. The programs here
have a Log (chat/log.py), which costs a tenth.
"""

from collections.abc import Mapping
from typing import Protocol

DEBUG, INFO, WARNING, ERROR = 10, 20, 30, 40  # the levels of logging

Extra = Mapping[str, str] | None  # attributes of a line, for handlers


class Logger(Protocol):
    """A sink of lines for people, each with a level. The text of a line is `message % args`."""

    def isEnabledFor(self, level: int, /) -> bool: ...  # noqa: N802 - the name in logging
    def debug(self, message: str, /, *args: object, extra: Extra = None) -> None: ...
    def info(self, message: str, /, *args: object, extra: Extra = None) -> None: ...
    def warning(self, message: str, /, *args: object, extra: Extra = None) -> None: ...
    def error(self, message: str, /, *args: object, extra: Extra = None) -> None: ...
