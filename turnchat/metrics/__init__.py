"""Figures of a running server, told over HTTP in the format OpenMetrics."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.metrics.exporter import Exporter
    from turnchat.metrics.exposition import render
    from turnchat.metrics.meter import Meter
    from turnchat.metrics.traffic import Traffic

__all__ = ["Exporter", "Meter", "Traffic", "render"]
__getattr__ = turnchat.lazy(
    __name__,
    {"Exporter": "exporter", "Meter": "meter", "Traffic": "traffic", "render": "exposition"},
)
