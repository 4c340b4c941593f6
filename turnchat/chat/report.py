"""The end of a conversation in words and as an exit status, and lines that come again and again."""

import os

from turnchat.core.connection import Cause, CloseReason, Connection
from turnchat.core.frame import BadLength, OutOfTurn
from turnchat.logger import Logger
from turnchat.text import counted, duration, reason, were

# The error or the seconds of the reason follow.
WORDS = {
    Cause.BYEBYE_RECEIVED: "%s said BYEBYE",
    Cause.BYEBYE_SENT: "you said BYEBYE to %s",
    Cause.HUNG_UP: "%s hung up",
    Cause.LOST: "the connection to %s was lost:",
    Cause.FAULT: "%s broke the protocol",
    Cause.SILENT: "%s said nothing",
    Cause.INCOMPLETE: "%s left a message incomplete",
    Cause.UNREAD: "%s read nothing",
    Cause.STOPPED: "you hung up on %s",
    Cause.INTERNAL_ERROR: "%s was dropped because of a defect on this side",
}

ALERT, HANDSHAKE = "'\\x15", "'\\x16"  # records of TLS, as faults quote them

# sysexits.h, as far as it has a word for the cause
STATUS_OF = {
    Cause.BYEBYE_RECEIVED: os.EX_OK,
    Cause.BYEBYE_SENT: os.EX_OK,
    Cause.HUNG_UP: os.EX_IOERR,
    Cause.LOST: os.EX_IOERR,
    Cause.FAULT: os.EX_PROTOCOL,
    Cause.SILENT: os.EX_IOERR,
    Cause.INCOMPLETE: os.EX_IOERR,
    Cause.UNREAD: os.EX_IOERR,
    Cause.STOPPED: os.EX_OK,
    Cause.INTERNAL_ERROR: os.EX_SOFTWARE,
}


def describe(end: CloseReason, peer: str) -> str:
    """Word the end of a conversation with `peer`, without a full stop."""
    words = WORDS[end.cause] % peer
    if end.error:
        error = reason(end.error) if isinstance(end.error, OSError) else end.error
        return f"{words} {error}{_hint(end)}"
    return f"{words} for {end.seconds:g} s" if end.seconds else words


def _hint(end: CloseReason) -> str:
    """Return what to try if one side speaks TLS and the other does not.

    The first byte tells: it is the type of a record of TLS (RFC 8446, 5.1).
    """
    error = end.error
    if not isinstance(error, BadLength | OutOfTurn) or error.offset:
        return ""
    if error.reason.startswith(ALERT):
        return "; it speaks TLS: try --tls"
    if error.reason.startswith(HANDSHAKE):
        return "; it speaks TLS, and here is none: start the server with --tls-cert FILE"
    return ""


def account(connection: Connection, end: CloseReason, peer: str, now: float) -> str:
    """Word the end of a conversation with `peer`, its number of turns and its length."""
    turns = counted(connection.conversation.message_count, "turn")
    return f"{describe(end, peer)} ({turns}, {duration(now - connection.started)})"


def defect(name: str, error: Exception) -> list[str]:
    """Word an exception that was not foreseen, a line for each line of its traceback."""
    try:
        from traceback import format_exception  # noqa: PLC0415 - slow, and hardly ever needed
    except (ImportError, OSError):  # no descriptor is left to read it from
        lines = [f"{type(error).__name__}: {error}"]
    else:
        lines = "".join(format_exception(error)).splitlines()
    return [f"a defect ends the conversation with {name}:", *lines]


def say_stopping(logger: Logger, theirs: int, drain: float) -> None:
    """Log that the server stops, and the number of clients whose turn it waits for."""
    if theirs:
        clients = counted(theirs, "client")
        logger.info("stopping: waiting up to %g s for the last turn of %s", drain, clients)
    else:
        logger.info("stopping")


# Lines that come again and again: a number that was not told yet, True at the first.


def say_shed(logger: Logger, _key: str, number: int, _is_first: bool) -> None:
    """Log that silent connections were closed."""
    logger.error("slots run short: %s closed", were(number, "silent connection"))


def say_wait(logger: Logger, why: str, _number: int, _is_first: bool) -> None:
    """Log that newcomers are not accepted now."""
    logger.error("newcomers have to wait: %s", why)


def say_full(logger: Logger, most: int, host: str, number: int, is_first: bool) -> None:
    """Log that a host has as many conversations as it may."""
    if is_first:
        has = counted(most, "conversation")
        logger.error("%s has %s already: newcomers from there are refused", host, has)
    else:
        logger.error("%s: %s, above %d at a time", host, refused(number), most)


def say_fast(logger: Logger, rate: int, host: str, number: int, is_first: bool) -> None:
    """Log that a host connects too often."""
    if is_first:
        times = counted(rate, "time")
        logger.error("%s connects over %s a second: newcomers are refused", host, times)
    else:
        logger.error("%s: %s, above %d a second", host, refused(number), rate)


def say_refused(logger: Logger, peer: str, why: str, more: int) -> None:
    """Log that a newcomer was refused before its conversation, or the number of `more`."""
    if more:
        logger.info("%s: %s", refused(more), why)
    else:
        logger.info("%s was refused: %s", peer, why)


def say_delayed(logger: Logger, rate: int, host: str, number: int, is_first: bool) -> None:
    """Log that answers to a host are held back."""
    if is_first:
        turns = counted(rate, "turn")
        logger.error("%s takes over %s a second in a conversation: it waits", host, turns)
    else:
        delayed = f"{were(number, 'more answer')} delayed"
        logger.error("%s: %s, above %d a second", host, delayed, rate)


def refused(number: int) -> str:
    """Return how many more newcomers were refused."""
    return f"{were(number, 'more newcomer')} refused"
