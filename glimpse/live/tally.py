"""Counts by key, by minute and over the span, that grow and shrink together."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Any

from glimpse.live.numbers import TOP, Ranked

# A site that puts a random number in every path must not fill the memory: what is beyond counts as unknown.
MOST_KEYS = 5_000
MINUTE_MS = 60_000


def minute_of(time: int) -> int:
    """Return when the minute of a moment began."""
    return time - time % MINUTE_MS


class MinuteCounts:
    """What happened in one minute."""

    __slots__ = ("bounces", "events", "names", "page_views", "pages", "peak", "places", "sessions", "t")

    def __init__(self, t: int) -> None:
        self.t = t
        self.events = 0
        self.page_views = 0
        self.bounces = 0  # of its sessions
        self.peak = 0  # most sessions open at once
        self.names: dict[str, int] = {}
        self.pages: dict[str | None, int] = {}
        self.places: dict[Any, int] = {}
        self.sessions: set[str] = set()


def add(counts: dict[Any, int], key: Any, n: int = 1, most: int = MOST_KEYS) -> Any:
    """Count a key, `n` times; return the key it was counted under."""
    if key not in counts and len(counts) >= most:
        key = None
    counts[key] = counts.get(key, 0) + n
    return key


def take(counts: dict[Any, int], key: Any, n: int = 1) -> None:
    """Uncount a key; at nothing it goes."""
    left = counts[key] - n
    if left:
        counts[key] = left
    else:
        del counts[key]


def take_all(counts: dict[Any, int], others: dict[Any, int]) -> None:
    """Uncount many."""
    for key, n in others.items():
        take(counts, key, n)


def merged(tallies: Iterable[dict[Any, int]]) -> dict[Any, int]:
    """Return the sum of some tallies; of a single one, itself."""
    first, *others = [*tallies] or [{}]
    if not others:
        return first
    total = dict(first)
    for other in others:
        for key, n in other.items():
            total[key] = total.get(key, 0) + n
    return total


def ranked(counts: dict[Any, int], most: int = TOP) -> list[Ranked]:
    """Return the most frequent keys, the highest count first, equals by name."""
    first = nsmallest(most, counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return [Ranked(key, n) for key, n in first]
