"""What `/metrics` shows: the edge's own counts, and whatever other parts register.

Nothing carries a project or an address; counts start at zero with the process, the ledger is what lasts.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

Reading = float | Mapping[str, float]


class Metrics:
    """A registry of our own, and the edge's counts as plain numbers that it reads when asked."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.accepted = 0
        self.rejected: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.unavailable = 0
        self.unknown_fields = 0
        self.request_seconds = Durations("glimpse_edge_request_seconds", "Time from a request's body to its answer")
        self._registry.register(self.request_seconds)
        self._register_own()

    def gauge_from(self, name: str, help_text: str, read: Callable[[], Reading], label: str = "") -> None:
        """Show a number that can rise and fall, read at each scrape.

        Parameters
        ----------
        name
            In Prometheus' manner: `glimpse_drain_lag_seconds`.
        help_text
            What it is.
        read
            Returns the number; or, with `label`, a number for each value of the label.
        """
        self._registry.register(_ReadWhenAsked(GaugeMetricFamily, name, help_text, read, label))

    def counter_from(self, name: str, help_text: str, read: Callable[[], Reading], label: str = "") -> None:
        """Show a number that only rises, as `gauge_from` does; `_total` is added to the name."""
        self._registry.register(_ReadWhenAsked(CounterMetricFamily, name, help_text, read, label))

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def received(self) -> int:
        """Return how many events came in since the process started, whatever became of them."""
        return self.accepted + self.rejected.total() + self.dropped.total()

    def _register_own(self) -> None:
        self.counter_from("glimpse_events_received", "Events that came in", self.received)
        self.counter_from("glimpse_events_accepted", "Events that the buffer has confirmed", lambda: self.accepted)
        self.counter_from("glimpse_events_rejected", "Events with a mistake", lambda: self.rejected, "reason")
        self.counter_from("glimpse_events_dropped", "Valid events that are not wanted", lambda: self.dropped, "reason")
        self.counter_from("glimpse_edge_unavailable", "Requests answered with 503", lambda: self.unavailable)
        self.counter_from(
            "glimpse_unknown_fields",
            "Top-level fields of events that mean nothing",
            lambda: self.unknown_fields,
        )


class Durations(Collector):
    """A histogram of seconds as plain numbers: the library's own costs more than what it would measure."""

    def __init__(self, name: str, help_text: str) -> None:
        self._name, self._help = name, help_text
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[Metric]:
        """Add up the buckets, each with all that took less."""
        totals = list(accumulate(self._counts))
        buckets = list(zip([*map(str, _SECONDS), "+Inf"], totals, strict=True))
        yield HistogramMetricFamily(self._name, self._help, buckets=buckets, sum_value=self._sum)


class _ReadWhenAsked(Collector):
    def __init__(
        self,
        family: type[GaugeMetricFamily | CounterMetricFamily],
        name: str,
        help_text: str,
        read: Callable[[], Reading],
        label: str,
    ) -> None:
        self._family, self._name, self._help, self._read, self._label = family, name, help_text, read, label

    def describe(self) -> list[Metric]:
        """Name it without reading it: parts register before they can be read."""
        return [self._family(self._name, self._help, labels=[self._label] if self._label else [])]

    def collect(self) -> Iterator[Metric]:
        """Read it; a part that can't be read shows as NaN and hides no other."""
        metric = self._family(self._name, self._help, labels=[self._label] if self._label else [])
        try:
            reading = self._read()
        except Exception:  # noqa: BLE001 - whatever a part raises, the others must show
            reading = {} if self._label else math.nan
        if isinstance(reading, Mapping):
            for value, number in reading.items():
                metric.add_metric([str(value)], number)
        else:
            metric.add_metric([], reading)
        yield metric
