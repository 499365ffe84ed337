"""What the server's parts show in `/metrics`, beside the edge's own counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glimpse.pipeline import Pipeline
    from glimpse.server.composition import Glimpse


def show_in_metrics(glimpse: Glimpse) -> None:
    """Register each number, read when somebody asks. The drain's are 0 in a process that is not the owner."""
    metrics = glimpse.parts.metrics

    def of_drain(read: Callable[[Pipeline], float]) -> Callable[[], float]:
        return lambda: read(glimpse.pipeline) if glimpse.pipeline else 0.0

    gauge, counter = metrics.gauge_from, metrics.counter_from
    gauge("glimpse_owner", "1 in the process that drains and keeps the store", lambda: float(glimpse.is_owner))
    gauge("glimpse_shards", "Shards that this process drains", of_drain(lambda pipeline: len(pipeline.shards)))
    gauge("glimpse_lag_seconds", "How far the live picture is behind", lambda: glimpse.status().lag_ms / 1000)
    counter(
        "glimpse_drained_events", "Events that the drain put in the window", of_drain(lambda pipeline: pipeline.drained)
    )
    counter("glimpse_store_commits", "Transactions of the store", of_drain(lambda pipeline: pipeline.commits.count))
    counter("glimpse_store_commit_seconds", "Seconds they took", of_drain(lambda pipeline: pipeline.commits.seconds))
    counter("glimpse_drain_seconds", "Seconds in each part of the drain", lambda: _drain_seconds(glimpse), "part")
    counter("glimpse_enrich_seconds", "Seconds in each step", lambda: glimpse.enricher.seconds, "step")
    counter("glimpse_geo_lookups", "Lookups of places", lambda: _lookups(glimpse), "answered_by")
    gauge("glimpse_geo_hit_rate", "Share that the cache answered, 0 to 1", lambda: _hit_rate(glimpse))
    gauge("glimpse_active_sessions", "Open sessions, by the live window", lambda: _active(glimpse))


def _drain_seconds(glimpse: Glimpse) -> dict[str, float]:
    return glimpse.pipeline.times.seconds if glimpse.pipeline else {}


def _lookups(glimpse: Glimpse) -> dict[str, float]:
    return {"cache": glimpse.places.hits, "database": glimpse.places.misses}


def _hit_rate(glimpse: Glimpse) -> float:
    lookups = glimpse.places.hits + glimpse.places.misses
    return glimpse.places.hits / lookups if lookups else 0.0


def _active(glimpse: Glimpse) -> float:
    numbers = glimpse.window.numbers("*")
    return numbers.active + numbers.idle
