"""What is told of the end of a conversation: a line of news, an exit status, a traceback."""

import os

from turnchat.core.connection import Connection
from turnchat.core.ending import Cause, CloseReason
from turnchat.text import counted, duration

# sysexits.h, as far as it has a word for it
STATUS_OF = {
    Cause.BYEBYE: os.EX_OK,
    Cause.HUNG_UP: os.EX_IOERR,
    Cause.LOST: os.EX_IOERR,
    Cause.FAULT: os.EX_PROTOCOL,
    Cause.SLOW: os.EX_IOERR,
    Cause.STOPPED: os.EX_OK,
    Cause.INTERNAL_ERROR: os.EX_SOFTWARE,
}


def account(connection: Connection, ending: CloseReason, peer: str) -> str:
    """How a conversation ended, after how many turns and how long."""
    turns = counted(connection.conversation.message_count, "turn")
    return f"{ending.told_of(peer)} ({turns}, {duration(connection.age)})"


def defect(name: str, error: Exception) -> list[str]:
    """What to show of an exception that nobody foresaw: a line each."""
    try:
        from traceback import format_exception  # noqa: PLC0415 - slow, and hardly ever needed
    except (ImportError, OSError):  # no descriptor left to read it from
        lines = [f"{type(error).__name__}: {error}"]
    else:
        lines = "".join(format_exception(error)).splitlines()
    return [f"a defect ends the conversation with {name}:", *lines]
