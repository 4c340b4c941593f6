"""Helpers that several tests share."""

from tests.support.clock import PATIENCE, Clock, run_rounds, run_until, wait_until
from tests.support.peer import Answering, Peer, fill, tcp_pair
from tests.support.process import (
    CLIENT,
    ROOT,
    SERVER,
    Program,
    catches,
    cpu_seconds,
    descriptors_of,
    status_of,
    steady,
    waiting_in,
)
from tests.support.terminal import COLUMNS, ROWS, Terminal

__all__ = [
    "CLIENT",
    "COLUMNS",
    "PATIENCE",
    "ROOT",
    "ROWS",
    "SERVER",
    "Answering",
    "Clock",
    "Peer",
    "Program",
    "Terminal",
    "catches",
    "cpu_seconds",
    "descriptors_of",
    "fill",
    "run_rounds",
    "run_until",
    "status_of",
    "steady",
    "tcp_pair",
    "wait_until",
    "waiting_in",
]
