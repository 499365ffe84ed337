"""The books of a flood: what was refused is written once a second, not once a request."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping

from glimpse.buffer import Receipt
from glimpse.collect.answers import Answer, too_many
from glimpse.collect.limits.taking import TooMany
from glimpse.collect.metrics import Metrics
from glimpse.wire import RejectReason

WRITE_EVERY_S = 1.0
MOST_PROJECTS = 1000  # of one second; the others' events stand under ""

Write = Callable[[Receipt, Callable[[str | None], None]], None]


class Refusals:
    """Events refused by a rate limit, by project, on their way to the ledger."""

    def __init__(self, write: Write, metrics: Metrics) -> None:
        self._write_soon = write
        self._metrics = metrics
        self._counts: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def refuse(self, counts: Mapping[str, int], limit: TooMany, began: float) -> Answer:
        """Count the events of a request that is not taken now, and return what to say.

        Parameters
        ----------
        counts
            Its events by project.
        limit
            What it has passed.
        began
            When it came, by `time.perf_counter`.
        """
        self.add(counts)
        self._metrics.rejected[RejectReason.RATE_LIMITED] += sum(counts.values())
        self._metrics.request_seconds.observe(time.perf_counter() - began)
        return too_many(limit.after_s, limit.kind, limit.rate)

    def add(self, counts: Mapping[str, int]) -> None:
        """Count events for the ledger."""
        for project, count in counts.items():
            is_kept = project in self._counts or len(self._counts) < MOST_PROJECTS
            self._counts[project if is_kept else ""] += count
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_EVERY_S, self.write)

    def write(self) -> None:
        """Write what has come together; what can't be written waits for the next second."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()

        def written(problem: str | None) -> None:
            if problem is not None:
                self.add(counts)

        reason = str(RejectReason.RATE_LIMITED)
        self._write_soon(Receipt([], {(project, reason): count for project, count in counts.items()}), written)
