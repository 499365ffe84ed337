"""Where the drain's time goes: seconds by step, for `/metrics` and `make bench-pipeline`."""

from __future__ import annotations

import time

STEPS: tuple[str, ...] = ("read", "dedupe", "enrich", "sessions", "window", "books", "share", "commit wait")


class StepTimes:
    """The seconds of each step; waiting for Redis or the store counts as well."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STEPS, 0.0)
        self._since = 0.0

    def begin(self) -> None:
        """Count from now on."""
        self._since = time.perf_counter()

    def done(self, step: str) -> None:
        """Count the time since the step before, or the beginning, to a step."""
        now = time.perf_counter()
        self.seconds[step] += now - self._since
        self._since = now
