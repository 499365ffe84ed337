"""Which events have come before: a client sends again what it did not hear of.

The ids of the last while are remembered, and of ten times as many before them a print (`prints.py`); after a start the
store gives the prints of what came before it (`recollection.py`). Only an event that claims to be older than all of
that, or whose print is there, can have come before, so only for such events is the store asked: the cost does not grow
with the store.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from glimpse.events import AdmittedEvent, Event
from glimpse.pipeline.prints import Prints

SPAN_MS = 48 * 3600 * 1000
REMEMBERED_IDS = 200_000
A_BATCH = 1_000  # they go as they came, about so many at once
CLOCK_SLACK_MS = 60_000  # how far an uncorrected client clock may be ahead

Pair = tuple[str, str]  # project and event id
Claim = TypeVar("Claim", bound=AdmittedEvent)
AskStore = Callable[[Sequence[Pair], int], Awaitable[Collection[Pair]]]


def _mark(pair: Pair) -> str:
    """Return a pair as text, which no id is ambiguous in; Python's garbage collector looks through pairs, not texts."""
    project, event_id = pair
    return f"{event_id} {project}"


class _Batch(msgspec.Struct):
    """Some that came together or soon after one another, and when the last of them was received, epoch ms."""

    marks: set[str]
    received_at: int


class Duplicates:
    """The (project, id) pairs seen last, the prints of those before, and the store for what is older.

    Parameters
    ----------
    ask_store
        Returns those of some pairs that were stored since a time, epoch milliseconds.
    most
        How many pairs are remembered as they are, at least: who is not stored yet is among them.
    prints
        Of those before them.
    """

    def __init__(self, ask_store: AskStore, most: int = REMEMBERED_IDS, prints: Prints | None = None) -> None:
        self._ask_store = ask_store
        self._most = most
        self._seen: set[str] = set()
        self._batches: deque[_Batch] = deque()  # of these
        self._seen_since = 0  # epoch ms: every id received after it is among them
        self._prints = prints or Prints()
        self._restored_since = 0

    @property
    def complete_since(self) -> int:
        """Since when, epoch milliseconds, every id that was received is remembered, or its print."""
        return max(self._restored_since, self._prints.complete_since)

    def restore(self, events: Sequence[Event], complete_since: int) -> None:
        """Remember what was stored before this process started, the oldest first."""
        for first in range(0, len(events), A_BATCH):
            self.add(events[first : first + A_BATCH])
        self._restored_since = complete_since
        self._seen_since = max(self._seen_since, complete_since)

    def restore_prints(self, prints: np.ndarray, complete_since: int) -> bool:
        """Take sorted prints of all else that was stored since a time; return False if there is no room for them."""
        has_room = self._prints.add_older(prints, self._restored_since)
        if has_room:
            self._restored_since = complete_since
        return has_room

    def expect_stored(self, events: Sequence[Event], now_ms: int) -> None:
        """Remember the prints of events that are about to be stored, though they did not come this way."""
        recent = [event for event in events if event.received_at >= now_ms - SPAN_MS]
        if recent:
            received_to = max(event.received_at for event in recent)
            self._prints.add([event.id for event in recent], received_to)
            self._seen_since = max(self._seen_since, received_to)  # of these nothing but the print is there

    def add(self, events: Sequence[Event]) -> None:
        """Remember some more; of the oldest that are too many only their prints."""
        if not events:
            return
        marks = {f"{event.id} {event.project}" for event in events}
        if not self._batches or len(self._batches[-1].marks) >= A_BATCH:
            self._batches.append(_Batch(set(), 0))
        youngest = self._batches[-1]
        youngest.marks |= marks
        youngest.received_at = max([youngest.received_at, *(event.received_at for event in events)])
        self._seen |= marks
        while len(self._seen) - len(self._batches[0].marks) >= self._most:
            oldest = self._batches.popleft()
            self._seen -= oldest.marks
            self._seen_since = max(self._seen_since, oldest.received_at)
            self._prints.add(oldest.marks, oldest.received_at)

    def forget(self, pair: Pair) -> None:
        """Let an event come again: it was not stored after all."""
        mark = _mark(pair)
        self._seen.discard(mark)
        for batch in self._batches:
            batch.marks.discard(mark)

    async def without(self, events: Sequence[Claim], now_ms: int) -> tuple[list[Claim], Counter[str]]:
        """Keep the first of each (project, id) within 48 h, and count the others by project."""
        seen = self._seen
        doubtful = self._doubtful(events)
        known = await self._ask_store(doubtful, now_ms - SPAN_MS) if doubtful else ()
        stored = set(map(_mark, known))
        fresh: dict[str, Claim] = {}
        duplicates: Counter[str] = Counter()
        for event in events:
            mark = f"{event.id} {event.project}"
            if mark in fresh or mark in seen or mark in stored:
                duplicates[event.project] += 1
            else:
                fresh[mark] = event
        return list(fresh.values()), duplicates

    def _doubtful(self, events: Sequence[AdmittedEvent]) -> list[Pair]:
        """Return the pairs of which only the store can tell whether they have come before."""
        remembered_since = self.complete_since + CLOCK_SLACK_MS
        seen_since = max(self._seen_since + CLOCK_SLACK_MS, remembered_since)
        oldest = [(event.project, event.id) for event in events if event.time <= remembered_since]
        recent = [(event.project, event.id) for event in events if remembered_since < event.time <= seen_since]
        if not recent:
            return oldest
        printed = self._prints.find([event_id for _, event_id in recent])
        return [*oldest, *(pair for pair, is_there in zip(recent, printed, strict=True) if is_there)]
