"""Metrics as prometheus_client reads them: its parser refuses what breaks the format."""

from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

Samples = dict[str, float]


def parsed(text: str) -> list[Any]:
    """The families of a text."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def samples_of(text: str) -> Samples:
    """The value of each sample, by its name and the values of its labels: `ended_total lost`."""
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in parsed(text)
        for sample in family.samples
    }
