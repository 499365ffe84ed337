"""Eight bytes of each id that came: who is not among them is new for sure, who is may have come before.

A set of the ids themselves takes some 300 bytes for each. With these, minutes of a busy server fit in a few megabytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from secrets import randbits

import numpy as np

LOOSE = 16_384  # sorted into a lot at once: a millisecond or two
A_LOT = 524_288  # four megabytes
MOST_LOTS = 4
MOST = A_LOT * MOST_LOTS
ID_BYTES = 36  # of a UUID as text
# A print is the sum of an id's nine words of four bytes, each times an odd number that nobody can know: two ids have
# the same once in some 2^60 pairs. Many are made at once, so it takes little to make them of what the store gives, too.
_FACTORS = np.array([randbits(63) | 1 for _ in range(ID_BYTES // 4)], np.int64)


def prints_of(ids: Iterable[str] | np.ndarray) -> np.ndarray:
    """Return the prints of ids, in their order."""
    texts = ids if isinstance(ids, np.ndarray) else np.array([one[:ID_BYTES] for one in ids], f"S{ID_BYTES}")
    return texts.view(np.int32).reshape(-1, len(_FACTORS)).astype(np.int64) @ _FACTORS


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

    def add(self, ids: Iterable[str], received_at: int) -> None:
        """Take ids, or texts that begin with them, and when the last of them was received, epoch milliseconds."""
        self._loose.update(prints_of(ids).tolist())
        self._loose_to = max(self._loose_to, received_at)
        if len(self._loose) >= self._most_loose:
            self._sort_in()

    def add_older(self, prints: np.ndarray, received_to: int) -> bool:
        """Take sorted prints of ids that came before all that are here; return False, and don't, if there's no room."""
        if self.complete_since:
            return False  # the oldest have had to go already
        if not len(prints):
            return True
        if self._lots and len(self._lots[0][0]) < self._a_lot:
            oldest, oldest_to = self._lots.popleft()
            prints, received_to = _merged(prints, oldest), max(oldest_to, received_to)
        elif len(self._lots) >= self._most_lots:
            return False
        self._lots.appendleft((prints, received_to))
        return True

    def find(self, ids: Sequence[str]) -> list[bool]:
        """Return of each whether its print is there."""
        wanted = prints_of(ids)
        there = np.fromiter(map(self._loose.__contains__, wanted.tolist()), np.bool_, len(wanted))
        order = np.argsort(wanted)  # neighbours are looked for one after the other: what one has read the next finds
        wanted = wanted[order]  # in the cache
        for lot, _ in self._lots:
            there[order] |= lot[np.searchsorted(lot[:-1], wanted)] == wanted
        return there.tolist()

    def _sort_in(self) -> None:
        lot, received_to = np.fromiter(self._loose, np.int64, len(self._loose)), self._loose_to
        lot.sort()
        self._loose = set()
        if self._lots and len(self._lots[-1][0]) < self._a_lot:
            newest, newest_to = self._lots.pop()
            lot, received_to = _merged(newest, lot), max(newest_to, received_to)
        self._lots.append((lot, received_to))
        if len(self._lots) > self._most_lots:
            _, oldest_to = self._lots.popleft()
            self.complete_since = max(self.complete_since, oldest_to)


def _merged(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    both = np.concatenate((some, others))
    both.sort(kind="stable")  # which merges what is sorted already
    return both
