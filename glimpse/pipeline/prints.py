"""Eight bytes of each id that came: who is not among them is new for sure, who is may have come before.

A set of the ids themselves takes some 300 bytes for each. With these, minutes of a busy server fit in a few megabytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

import numpy as np

LOOSE = 16_384  # sorted into a lot at once: a millisecond or two
A_LOT = 524_288  # four megabytes
MOST_LOTS = 4


class Prints:
    """The prints of the ids that were added last. They lie in sorted lots, of which the oldest goes as a whole.

    Parameters
    ----------
    loose
        How many wait before they are sorted into the newest lot.
    a_lot, most_lots
        How many a lot holds before the next is begun, and how many lots there are.
    """

    def __init__(self, loose: int = LOOSE, a_lot: int = A_LOT, most_lots: int = MOST_LOTS) -> None:
        self._most_loose, self._a_lot, self._most_lots = loose, a_lot, most_lots
        self._loose: set[int] = set()
        self._loose_to = 0  # until when the last of them was received
        self._lots: deque[tuple[np.ndarray, int]] = deque()  # each with the same
        self.complete_since = 0  # epoch ms: of every id that was added and received after it there is a print

    def add(self, ids: Collection[str], received_at: int) -> None:
        """Take ids, and when the last of them was received, epoch milliseconds."""
        self._loose.update(map(hash, ids))
        self._loose_to = max(self._loose_to, received_at)
        if len(self._loose) >= self._most_loose:
            self._sort_in()

    def find(self, ids: Collection[str]) -> list[str]:
        """Return those whose print is there."""
        prints = {hash(one): one for one in ids}
        there = self._loose.intersection(prints)
        wanted = np.fromiter(prints, np.int64, len(prints))
        wanted.sort()  # neighbours are looked for one after the other: what one has read the next finds in the cache
        for lot, _ in self._lots:
            there.update(wanted[lot[np.searchsorted(lot[:-1], wanted)] == wanted].tolist())
        return [prints[one] for one in there]

    def _sort_in(self) -> None:
        lot, received_to = np.fromiter(self._loose, np.int64, len(self._loose)), self._loose_to
        lot.sort()
        self._loose = set()
        if self._lots and len(self._lots[-1][0]) < self._a_lot:
            newest, newest_to = self._lots.pop()
            lot, received_to = np.concatenate((newest, lot)), max(newest_to, received_to)
            lot.sort(kind="stable")  # which merges what is sorted already
        self._lots.append((lot, received_to))
        if len(self._lots) > self._most_lots:
            _, oldest_to = self._lots.popleft()
            self.complete_since = max(self.complete_since, oldest_to)
