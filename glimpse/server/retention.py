"""Retention: events older than their project keeps are deleted, bite by bite.

Rule of this module: a bite is made where lots are committed, between two of them, so nobody waits longer than for one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from glimpse.clock import steady_now_ms
from glimpse.events import LAYER_OF_BOTS
from glimpse.pipeline import Pipeline
from glimpse.store.opening import is_shared

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse

log = logging.getLogger("glimpse.server")

DAY_MS = 86_400_000
ROWS_A_BITE = 5_000


async def expire_old(glimpse: Glimpse, rows_a_bite: int = ROWS_A_BITE) -> dict[str, int]:
    """Delete all that is too old by now; return how many events of each project went."""
    pipeline, store = glimpse.pipeline, glimpse.store
    if pipeline is None or store is None or not _may_be_old(glimpse) or not _is_to_do_so(glimpse, pipeline):
        return {}
    gone: dict[str, int] = {}
    now_ms = steady_now_ms()
    for project in await pipeline.commits.call(store.projects):
        days = days_kept(glimpse, project)
        bite = rows_a_bite
        while days and bite == rows_a_bite and not glimpse.is_stopping and glimpse.pipeline is pipeline:
            bite = await pipeline.commits.call(store.expire, project, now_ms - days * DAY_MS, rows_a_bite)
            gone[project] = gone.get(project, 0) + bite
    for project, events in gone.items():
        if events:
            log.info("%d events of %s were older than it keeps, and are deleted", events, project)
    return gone


def days_kept(glimpse: Glimpse, project: str) -> int | None:
    """Return how long a project's events are kept, those of its layers as its own; None for ever."""
    found = glimpse.registry.of(project.removesuffix(LAYER_OF_BOTS))
    return (found.retention_days if found else None) or glimpse.settings.retention_days


def _is_to_do_so(glimpse: Glimpse, pipeline: Pipeline) -> bool:
    """Return whether it is this process' to delete: of a store that many write to, one of them counts what goes."""
    return 0 in pipeline.shards or not is_shared(glimpse.settings)


def _may_be_old(glimpse: Glimpse) -> bool:
    return bool(glimpse.settings.retention_days) or any(one.retention_days for one in glimpse.registry.registered())
