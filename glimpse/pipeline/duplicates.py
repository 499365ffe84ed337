"""Which events have come before: a client sends again what it did not hear of.

The ids of the last while are remembered. Only an event that claims to be older than that memory can have come before
it, so only for such events is the store asked: the cost does not grow with the store.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from glimpse.events import AdmittedEvent, Event

SPAN_MS = 48 * 3600 * 1000
REMEMBERED_IDS = 200_000
RESTORED_AT_ONCE = 1_000  # they go as they came: a batch at a time
CLOCK_SLACK_MS = 60_000  # how far an uncorrected client clock may be ahead

Pair = tuple[str, str]  # project and event id
Claim = TypeVar("Claim", bound=AdmittedEvent)
AskStore = Callable[[Sequence[Pair], int], Awaitable[Collection[Pair]]]


class Duplicates:
    """The (project, id) pairs seen last, how far back they reach, and the store for what is older.

    Parameters
    ----------
    ask_store
        Returns those of some pairs that were stored since a time, epoch milliseconds.
    """

    def __init__(self, ask_store: AskStore, most: int = REMEMBERED_IDS) -> None:
        self._ask_store = ask_store
        self._most = most
        self._seen: set[Pair] = set()
        self._batches: deque[tuple[set[Pair], int]] = deque()  # of these, each with when the last of it was received
        self.complete_since = 0  # epoch ms: every id received after it is remembered

    def restore(self, events: Sequence[Event], complete_since: int) -> None:
        """Remember what was stored before this process started, the oldest first."""
        for first in range(0, len(events), RESTORED_AT_ONCE):
            self.add(events[first : first + RESTORED_AT_ONCE])
        self.complete_since = complete_since

    def add(self, events: Sequence[Event]) -> None:
        """Remember some more, batch by batch; the oldest that are too many go."""
        if not events:
            return
        pairs = {(event.project, event.id) for event in events}
        self._seen |= pairs
        self._batches.append((pairs, max([event.received_at for event in events])))
        while len(self._seen) - len(self._batches[0][0]) >= self._most:
            oldest, received_at = self._batches.popleft()
            self._seen -= oldest
            self.complete_since = max(self.complete_since, received_at)

    def forget(self, pair: Pair) -> None:
        """Let an event come again: it was not stored after all."""
        self._seen.discard(pair)
        for pairs, _ in self._batches:
            pairs.discard(pair)

    async def without(self, events: Sequence[Claim], now_ms: int) -> tuple[list[Claim], Counter[str]]:
        """Keep the first of each (project, id) within 48 h, and count the others by project."""
        seen = self._seen
        remembered_since = self.complete_since + CLOCK_SLACK_MS
        old = [(event.project, event.id) for event in events if event.time < remembered_since]
        known = await self._ask_store(old, now_ms - SPAN_MS) if old else ()
        fresh: dict[Pair, Claim] = {}
        duplicates: Counter[str] = Counter()
        for event in events:
            pair = (event.project, event.id)
            if pair in fresh or pair in seen or pair in known:
                duplicates[event.project] += 1
            else:
                fresh[pair] = event
        return list(fresh.values()), duplicates
