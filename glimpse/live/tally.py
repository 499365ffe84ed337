"""Counts by key, by minute and over the span, that grow and shrink together."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest, nsmallest
from typing import Any

from glimpse.live.numbers import TOP, Ranked
from glimpse.live.places import PlaceCounts

# A site that puts a random number in every path must not fill the memory: past so many counts of a page or a name in a
# minute, of one project, its oldest minutes go, and `covers_since` says so. They take some 60 MB.
MOST_COUNTS = 300_000
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
        self.places: dict[PlaceCounts, int] = {}
        self.sessions: set[str] = set()


class Tally(dict[Any, int]):
    """How often each key was counted, and which are the most frequent.

    Every key has its own count, however many there are. To rank costs what was counted since it was done last; only
    after something was taken back all are looked through.
    """

    __slots__ = ("_leaders", "_risen")

    def __init__(self) -> None:
        super().__init__()
        self._leaders: list[Ranked] | None = None  # as they were ranked last; None: something has fallen since
        self._risen: set[Any] = set()  # counted since

    def add(self, key: Any, n: int = 1) -> None:
        """Count a key, `n` times."""
        self[key] = self.get(key, 0) + n
        if self._leaders is not None:
            self._risen.add(key)

    def take(self, key: Any, n: int = 1) -> None:
        """Uncount a key; at nothing it goes."""
        self.take_all({key: n})

    def take_all(self, others: dict[Any, int]) -> None:
        """Uncount many."""
        for key, n in others.items():
            take(self, key, n)
        self._leaders = None
        self._risen.clear()

    def ranked(self) -> list[Ranked]:
        """Return the `TOP` most frequent keys, as `ranked` does."""
        if self._leaders is None:
            self._leaders = _ranked(self, TOP)
        elif self._risen:  # whatever has not risen stays behind the leaders
            keys = self._risen.union(line.name for line in self._leaders)
            self._leaders = _ranked({key: self[key] for key in keys}, TOP)
        self._risen.clear()
        return self._leaders


def take(counts: dict[Any, int], key: Any, n: int = 1) -> None:
    """Uncount a key; at nothing it goes."""
    left = counts[key] - n
    if left:
        counts[key] = left
    else:
        del counts[key]


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
    if isinstance(counts, Tally) and most == TOP:
        return counts.ranked()
    return _ranked(counts, most)


def _ranked(counts: dict[Any, int], most: int) -> list[Ranked]:
    least = nlargest(most, counts.values())[-1] if len(counts) > most else 0  # a fraction of what sorting pairs takes
    first = nsmallest(
        most, (item for item in counts.items() if item[1] >= least), key=lambda item: (-item[1], item[0] or "")
    )
    return [Ranked(key, n) for key, n in first]
