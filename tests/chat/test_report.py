"""The end of a conversation in words and as a status, and lines that come again and again."""

import builtins
import errno
import logging
import os
from collections.abc import Callable

import pytest

from tests.support.connection import Echo, Fixture
from tests.support.logs import collected_log
from tests.support.peer import tcp_pair
from turnchat.chat import report
from turnchat.core.connection import Cause, CloseReason, Timeouts
from turnchat.core.conversation import Turn
from turnchat.core.frame import BadLength, OutOfTurn, RemoteProtocolError, parse


def fault_of(data: bytes, offset: int = 0) -> BadLength:
    """The fault of a stream that goes on like this."""
    try:
        parse(data, offset)
    except BadLength as fault:
        return fault
    raise AssertionError("that is no fault")


FAILED = (Cause.HUNG_UP, Cause.LOST, Cause.SILENT, Cause.INCOMPLETE, Cause.UNREAD)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (CloseReason(Cause.BYEBYE_RECEIVED), "client 1 said BYEBYE"),
        (CloseReason(Cause.BYEBYE_SENT), "you said BYEBYE to client 1"),
        (CloseReason(Cause.HUNG_UP), "client 1 hung up"),
        (
            CloseReason(Cause.LOST, OSError(errno.ECONNRESET, "Connection reset by peer")),
            "the connection to client 1 was lost: Connection reset by peer",
        ),
        (
            CloseReason(Cause.FAULT, RemoteProtocolError(1, "a letter for a digit")),
            f"client 1 broke the protocol {RemoteProtocolError(1, 'a letter for a digit')}",
        ),
        (
            CloseReason(Cause.FAULT, fault_of(b"\x15\x03\x03\0\x02\x02\x0a")),
            "client 1 broke the protocol at byte 0: '\\x15' is not a digit, and a length has 3;"
            " it speaks TLS: try --tls",
        ),
        (
            CloseReason(Cause.FAULT, OutOfTurn(0, b"\x15\x03\x03")),
            "client 1 broke the protocol at byte 0: '\\x15\\x03\\x03' came out of turn;"
            " it speaks TLS: try --tls",
        ),
        (
            CloseReason(Cause.FAULT, fault_of(b"\x16\x03\x01")),
            "client 1 broke the protocol at byte 0: '\\x16' is not a digit, and a length has 3;"
            " it speaks TLS, and here is none: start the server with --tls-cert FILE",
        ),
        (
            CloseReason(Cause.FAULT, fault_of(b"\x16\x03\x01", 5)),
            "client 1 broke the protocol at byte 5: '\\x16' is not a digit, and a length has 3",
        ),
        (CloseReason(Cause.SILENT, seconds=600), "client 1 said nothing for 600 s"),
        (
            CloseReason(Cause.INCOMPLETE, seconds=0.5),
            "client 1 left a message incomplete for 0.5 s",
        ),
        (CloseReason(Cause.UNREAD, seconds=10), "client 1 read nothing for 10 s"),
        (CloseReason(Cause.STOPPED), "you hung up on client 1"),
        (
            CloseReason(Cause.INTERNAL_ERROR),
            "client 1 was dropped because of a defect on this side",
        ),
    ],
)
def test_each_end_has_its_words(end: CloseReason, words: str) -> None:
    assert report.describe(end, "client 1") == words


def test_each_end_has_its_status() -> None:
    expected = dict.fromkeys(Cause, os.EX_OK) | dict.fromkeys(FAILED, os.EX_IOERR)
    expected |= {Cause.FAULT: os.EX_PROTOCOL, Cause.INTERNAL_ERROR: os.EX_SOFTWARE}
    assert expected == report.STATUS_OF


def test_an_account_has_the_turns_and_the_time() -> None:
    here, there = tcp_pair()
    fixture = Fixture(Turn.THEIRS, Echo, here, Timeouts())
    end, now = CloseReason(Cause.HUNG_UP), fixture.clock.now + 75
    assert report.account(fixture.connection, end, "it", now) == "it hung up (0 turns, 1 min 15 s)"
    there.send(b"005hello")
    fixture.until(lambda: fixture.connection.conversation.message_count == 2)
    assert report.account(fixture.connection, end, "it", now) == "it hung up (2 turns, 1 min 15 s)"
    fixture.connection.abort(end)
    fixture.loop.close()
    there.close()


# A defect


def failed() -> Exception:
    try:
        raise LookupError("not foreseen")
    except LookupError as error:
        return error


def test_a_defect_is_told_with_its_traceback() -> None:
    title, *lines = report.defect("client 1", failed())
    assert title == "a defect ends the conversation with client 1:"
    assert lines[0].startswith("Traceback")
    assert any("in failed" in line for line in lines)
    assert lines[-1] == "LookupError: not foreseen"
    assert not [line for line in lines if "\n" in line]


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_a_defect_is_told_also_if_the_module_for_it_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    real = builtins.__import__

    def importing(name: str, *arguments: object) -> object:
        if name == "traceback":
            raise error("no descriptor is left")
        return real(name, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", importing)
        lines = report.defect("client 1", failed())
    assert lines == [
        "a defect ends the conversation with client 1:",
        "LookupError: not foreseen",
    ]


# Lines that come again and again

FULL = "h has 1 conversation already: newcomers from there are refused"
DELAYED = "h takes over 3 turns a second in a conversation: it waits"

Say = Callable[[logging.Logger, int, str, int, bool], None]


@pytest.mark.parametrize(
    ("say", "limit", "number", "is_first", "line"),
    [
        (report.say_full, 1, 1, True, FULL),
        (report.say_full, 2, 1, False, "h: 1 more newcomer was refused, above 2 at a time"),
        (report.say_full, 2, 3, False, "h: 3 more newcomers were refused, above 2 at a time"),
        (report.say_fast, 1, 1, True, "h connects over 1 time a second: newcomers are refused"),
        (report.say_fast, 5, 1, False, "h: 1 more newcomer was refused, above 5 a second"),
        (report.say_delayed, 3, 1, True, DELAYED),
        (report.say_delayed, 3, 1, False, "h: 1 more answer was delayed, above 3 a second"),
        (report.say_delayed, 3, 2, False, "h: 2 more answers were delayed, above 3 a second"),
    ],
)
def test_what_a_host_does_too_often_is_an_error_with_its_number(
    say: Say, limit: int, number: int, is_first: bool, line: str
) -> None:
    logger, log = collected_log()
    say(logger, limit, "h", number, is_first)
    assert [(one.levelno, one.getMessage()) for one in log.records] == [(logging.ERROR, line)]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1 silent connection was closed"), (2, "2 silent connections were closed")],
)
def test_closed_connections_are_an_error_with_their_number(
    number: int, words: str, is_first: bool
) -> None:
    logger, log = collected_log()
    report.say_shed(logger, "", number, is_first)
    line = f"slots run short: {words}"
    assert [(one.levelno, one.getMessage()) for one in log.records] == [(logging.ERROR, line)]
