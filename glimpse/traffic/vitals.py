"""How fast the shop's pages are for a visitor, and what fails on them, as a tracker tells that is asked to.

The values are log-normal, as those of real pages are: most are quick, and some take very long.
"""

from __future__ import annotations

import math
import random
from typing import Final, NamedTuple


class _Metric(NamedTuple):
    """One of the web vitals (https://web.dev/articles/vitals); milliseconds, and a score for CLS."""

    name: str
    usual: float  # half of the visitors have less, on a page like any other
    good: float
    poor: float

    def rated(self, value: float) -> dict[str, object]:
        """Return a measured value as the tracker tells it."""
        rating = "good" if value <= self.good else "poor" if value > self.poor else "needs-improvement"
        return {"metric": self.name, "value": round(value, 3), "rating": rating}


_METRICS: Final = (
    _Metric("TTFB", 320, 800, 1800),
    _Metric("FCP", 1100, 1800, 3000),
    _Metric("LCP", 1600, 2500, 4000),
    _Metric("INP", 110, 200, 500),
    _Metric("CLS", 0.045, 0.1, 0.25),
)
_HEAVY: Final = {"/demo": 1.3, "/demo/checkout": 1.7, "/demo/product/moss-garden": 2.0}  # pages, against the others
_ERRORS: Final = (
    ("TypeError: Cannot read properties of null (reading 'total')", "/demo/cart.js", 41),
    ("ReferenceError: loyalty is not defined", "/demo/pages.js", 118),
    ("NetworkError: the stock could not be read", "/demo/products.js", 12),
)
TELLING_SHARE: Final = 0.2  # of the visitors, as on a site that samples
_ERROR_SHARE: Final = 0.03  # of their pages


class Speed:
    """What one visitor's browser measures: a slow machine or line is slow on every page."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._slowness = math.exp(chance.gauss(0, 0.35))

    def of(self, path: str) -> list[dict[str, object]]:
        """Return a page's metrics, as properties of `web_vital` events."""
        factor = self._slowness * _HEAVY.get(path, 1.0)
        return [metric.rated(metric.usual * factor * math.exp(self._chance.gauss(0, 0.3))) for metric in _METRICS]

    def failure(self) -> dict[str, object] | None:
        """Return what failed on a page, as properties of `js_error`; mostly nothing."""
        if self._chance.random() >= _ERROR_SHARE:
            return None
        message, source, line = self._chance.choice(_ERRORS)
        return {"message": message, "source": source, "line": line, "column": 9}
