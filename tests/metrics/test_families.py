"""The families of a server's figures: that each is right, and that a parser reads them."""

import re

import pytest

import turnchat
from tests.support.openmetrics import Samples, parsed, samples_of
from turnchat.chat.counts import Counts, Pause, Refusal
from turnchat.core.connection import Cause
from turnchat.core.selector import Selector
from turnchat.metrics.exposition import Kind, render
from turnchat.metrics.families import Levels, families
from turnchat.metrics.meter import Meter
from turnchat.metrics.traffic import Traffic

BASE_UNITS = {"seconds", "bytes"}  # of those that there are


class Told:
    """Figures of a server, to be set and told."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.levels = Levels(taken=0, most=1000, programs=0)
        self.meter = Meter(Selector())
        self.traffic = Traffic()

    @property
    def text(self) -> str:
        return render(families(self.counts, self.levels, self.meter, self.traffic))

    @property
    def samples(self) -> Samples:
        return samples_of(self.text)


def test_a_parser_reads_each_family() -> None:
    told = Told()
    names = [family.name for family in families(told.counts, told.levels, told.meter, told.traffic)]
    assert [family.name for family in parsed(told.text)] == names
    assert len(set(names)) == len(names)


def test_names_follow_the_conventions() -> None:
    for family in parsed(Told().text):
        assert re.fullmatch("(turnchat|process)_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        assert family.type in list(Kind)
        last = family.name.rpartition("_")[2]
        assert family.unit == (last if last in BASE_UNITS else "")
        assert not family.name.endswith("_total")  # which the counters' samples have alone


def test_all_is_there_from_the_start() -> None:
    samples = Told().samples
    assert samples[f"turnchat_build_info {turnchat.__version__}"] == 1
    for cause in Cause:
        assert samples[f"turnchat_conversations_ended_total {cause.name.lower()}"] == 0
    for why in Refusal:
        assert samples[f"turnchat_connections_refused_total {why.name.lower()}"] == 0
    for pause in Pause:
        assert samples[f"turnchat_accept_pauses_total {pause.name.lower()}"] == 0
    for way in ("received", "sent"):
        assert samples[f"turnchat_messages_total {way}"] == 0
        assert samples[f"turnchat_message_bytes_total {way}"] == 0


def test_each_figure_has_its_place() -> None:
    told = Told()
    told.counts.accepted, told.counts.begun, told.counts.delayed, told.counts.shed = 100, 50, 5, 6
    told.counts.ended[Cause.LOST] = 7
    told.counts.refused[Refusal.TLS] = 8
    told.counts.pauses[Pause.ERROR] = 9
    told.levels = Levels(taken=10, most=11, programs=12)
    told.traffic.observe(1, False, b"hello")
    told.traffic.observe(2, True, b"hi")
    told.traffic.observe(3, False, b"")
    expected = {
        "turnchat_connections_accepted_total": 100,
        "turnchat_conversations": 43,
        "turnchat_newcomers": 42,
        "turnchat_answers_delayed_total": 5,
        "turnchat_connections_shed_total": 6,
        "turnchat_conversations_ended_total lost": 7,
        "turnchat_connections_refused_total tls": 8,
        "turnchat_accept_pauses_total error": 9,
        "turnchat_slots_taken": 10,
        "turnchat_slots": 11,
        "turnchat_programs": 12,
        "turnchat_messages_total received": 2,
        "turnchat_messages_total sent": 1,
        "turnchat_message_bytes_total received": 5,
        "turnchat_message_bytes_total sent": 2,
    }
    samples = told.samples
    assert {name: samples[name] for name in expected} == expected


def test_figures_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    told.meter.rounds, told.meter.ready = 3, 4
    monkeypatch.setattr(Meter, "awake", 0.1 + 0.2)
    monkeypatch.setattr(Meter, "longest", 0.5)
    monkeypatch.setattr(Meter, "longest_of_late", 0.25)
    samples = told.samples
    assert samples["turnchat_loop_rounds_total"] == 3
    assert samples["turnchat_loop_ready_files_total"] == 4
    assert samples["turnchat_loop_awake_seconds_total"] == 0.3  # whole nanoseconds
    assert samples["turnchat_loop_longest_callback_seconds"] == 0.5
    assert samples["turnchat_loop_longest_recent_callback_seconds"] == 0.25


def test_figures_of_the_process() -> None:
    samples = Told().samples
    assert samples["process_cpu_seconds_total"] > 0
    assert samples["process_start_time_seconds"] > 1.7e9
    assert Told().samples["process_start_time_seconds"] == samples["process_start_time_seconds"]
