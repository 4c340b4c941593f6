"""The families of a server's figures: names, meanings, and where each comes from.

Names follow the conventions of Prometheus ("Metric and label naming"): the program first, base
units, and _total behind what only grows. Each value of a label is there from the start, with 0: the
first step of a series that appears out of nothing is not seen. Nothing here grows with the number
of conversations, so neither does the callback that tells it.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import turnchat
from turnchat.metrics.exposition import Family, Kind
from turnchat.metrics.meter import Meter
from turnchat.metrics.traffic import Traffic

STARTED = round(time.time(), 3)  # imported at the start, with --metrics

# By a member of an Enum, whose name is the value of the label.
ByReason = Mapping[Any, int]


class Counts(Protocol):
    """The counts of a server, as turnchat.chat.counts has them."""

    accepted: int
    delayed: int
    shed: int

    @property
    def conversations(self) -> int: ...
    @property
    def newcomers(self) -> int: ...
    @property
    def ended(self) -> ByReason: ...
    @property
    def pauses(self) -> ByReason: ...
    @property
    def refused(self) -> ByReason: ...


class Levels(NamedTuple):
    """Figures of this moment. taken: slots, of which there are `most`. programs: that run."""

    taken: int
    most: int
    programs: int


def families(counts: Counts, levels: Levels, meter: Meter, traffic: Traffic) -> list[Family]:
    """Return all families, with their values of this moment."""
    return [
        Family(
            "turnchat_build",
            Kind.INFO,
            "The version of turnchat.",
            [({"version": turnchat.__version__}, 1)],
        ),
        _gauge("turnchat_conversations", "Conversations that go on.", counts.conversations),
        _gauge(
            "turnchat_newcomers",
            "Connections on their way to a conversation: PROXY header, TLS handshake.",
            counts.newcomers,
        ),
        _gauge(
            "turnchat_slots_taken",
            "Connections that have not closed. One whose conversation has ended may still close.",
            levels.taken,
        ),
        _gauge("turnchat_slots", "The most connections at a time.", levels.most),
        _gauge("turnchat_programs", "Programs of --exec that run.", levels.programs),
        _counter(
            "turnchat_connections_accepted", "Connections taken from the kernel.", counts.accepted
        ),
        _by(
            *("turnchat_connections_refused", "reason", counts.refused),
            "Connections that were closed before a conversation began.",
        ),
        _by(
            *("turnchat_accept_pauses", "reason", counts.pauses),
            "Times that newcomers were left waiting in the kernel's backlog.",
        ),
        _counter(
            "turnchat_connections_shed",
            "Silent connections that were closed when slots ran short.",
            counts.shed,
        ),
        _by(
            *("turnchat_conversations_ended", "cause", counts.ended),
            "Conversations that ended.",
        ),
        _both_ways("turnchat_messages", "Messages, each a turn.", traffic.received, traffic.sent),
        _both_ways(
            "turnchat_message_bytes",
            "Bytes of messages, without their headers of three bytes.",
            *(traffic.received_bytes, traffic.sent_bytes),
            unit="bytes",
        ),
        _counter(
            "turnchat_answers_delayed", "Answers held back by --max-turns-rate.", counts.delayed
        ),
        _seconds(
            Kind.COUNTER,
            "turnchat_loop_awake_seconds",
            "Time in which the loop was not asleep in select(). Its rate is the load, from 0 to 1.",
            meter.awake,
        ),
        _counter("turnchat_loop_rounds", "Rounds of the loop.", meter.rounds),
        _counter(
            "turnchat_loop_ready_files", "Files that were ready, each a callback.", meter.ready
        ),
        _seconds(
            Kind.GAUGE,
            "turnchat_loop_longest_callback_seconds",
            "The longest callback since the start. The timers of a round count as one.",
            meter.longest,
        ),
        _seconds(
            Kind.GAUGE,
            "turnchat_loop_longest_recent_callback_seconds",
            "The longest callback of the last one to two minutes.",
            meter.longest_of_late,
        ),
        _seconds(
            Kind.COUNTER,
            "process_cpu_seconds",
            "Processor time of the process, user and system.",
            time.process_time(),
        ),
        _seconds(
            Kind.GAUGE,
            "process_start_time_seconds",
            "When the process started, in seconds since 1970 (UTC).",
            STARTED,
        ),
    ]


def _gauge(name: str, meaning: str, value: int) -> Family:
    return Family(name, Kind.GAUGE, meaning, [({}, value)])


def _counter(name: str, meaning: str, value: int) -> Family:
    return Family(name, Kind.COUNTER, meaning, [({}, value)])


def _seconds(kind: Kind, name: str, meaning: str, value: float) -> Family:
    return Family(name, kind, meaning, [({}, round(value, 9))], "seconds")


def _by(name: str, label: str, numbers: ByReason, meaning: str) -> Family:
    samples = [({label: one.name.lower()}, number) for one, number in numbers.items()]
    return Family(name, Kind.COUNTER, meaning, samples)


def _both_ways(name: str, meaning: str, received: int, sent: int, unit: str = "") -> Family:
    samples = [({"direction": "received"}, received), ({"direction": "sent"}, sent)]
    return Family(name, Kind.COUNTER, meaning, samples, unit)
