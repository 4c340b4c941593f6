"""The Client itself, where whole programs cannot show what is meant."""

import os
import socket

import pytest

from tests.support import run_until
from tests.support.logs import collected_log
from turnchat.chat.client import EX_INTERRUPTED, Client
from turnchat.core.connection import Connection, Responder
from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (OSError(2, "No such file"), os.EX_OSERR, "the program cannot be started: No such file"),
        (LookupError("a defect"), os.EX_SOFTWARE, "LookupError: a defect"),
    ],
)
def test_a_responder_that_cannot_be_made_ends_the_client_in_good_order(
    loop: EventLoop, error: Exception, status: int, line: str
) -> None:
    def fail(_connection: Connection) -> Responder:
        raise error

    logger, log = collected_log()
    client = Client(loop, logger)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client.start([Endpoint(socket.AF_INET, listening.getsockname())], 10.0, fail)
        run_until(loop, lambda: client.is_stopping)
        with listening.accept()[0] as accepted:
            assert accepted.recv(1) == b""
    assert client.status == status
    assert line in log.lines


def test_an_interrupted_client_has_that_status_whatever_it_had_before(loop: EventLoop) -> None:
    logger, _ = collected_log()
    client = Client(loop, logger)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client.start([Endpoint(socket.AF_INET, taken.getsockname())], 10.0, no_answer)
        run_until(loop, lambda: client.is_stopping)
    assert client.status == os.EX_UNAVAILABLE
    client.interrupt()
    assert client.status == EX_INTERRUPTED


def no_answer(_connection: Connection) -> Responder:
    raise AssertionError("no server was there")
