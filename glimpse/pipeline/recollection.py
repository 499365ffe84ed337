"""What a drain that has just started learns of the ids that were stored before: their prints, the newest first.

Rule of this module: never in the way. A piece at a time is read on the store's thread, between two commits, and taken
up by the turns of the drain; until an id's piece is there, the store is asked for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from glimpse.pipeline.duplicates import SPAN_MS, Duplicates
from glimpse.pipeline.prints import MOST, prints_of
from glimpse.store import IdsSince, Store

log = logging.getLogger("glimpse.pipeline")

Piece = tuple[int, np.ndarray]  # since when it is complete, epoch ms, and sorted prints
Submit = Callable[[Callable[[], Piece | None]], "Future[Piece | None]"]


class Recollection:
    """Reads the ids of the last 48 h, or as many of the newest as there is room for, into what the drain remembers.

    Parameters
    ----------
    duplicates
        What it remembers, the last half hour by now.
    submit
        Has the store's thread do something.
    """

    def __init__(self, duplicates: Duplicates, store: Store, submit: Submit, now_ms: int) -> None:
        self._duplicates = duplicates
        self._submit = submit
        self._pieces = store.recent_ids(now_ms - SPAN_MS, duplicates.complete_since + 1, MOST)
        self._reading: Future[Piece | None] | None = None
        self._is_over = False

    def go_on(self) -> None:
        """Take up the piece that was read, if it was, and have the next one read."""
        if self._is_over or (self._reading and not self._reading.done()):
            return
        self._is_over = bool(self._reading) and not self._take_up(self._reading)
        self._reading = None if self._is_over else self._submit(self._next_piece)

    async def close(self) -> None:
        """Read no further; one that is read already takes some ten milliseconds."""
        self._is_over = True
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(asyncio.wrap_future(self._reading), return_exceptions=True)

    def _take_up(self, read: Future[Piece | None]) -> bool:
        try:
            piece = read.result()
        except Exception as problem:  # noqa: BLE001 - what is not learnt is asked for
            log.warning("the ids stored before this start are not all known, so the store is asked: %s", problem)
            return False
        return piece is not None and self._duplicates.restore_prints(piece[1], piece[0])

    def _next_piece(self) -> Piece | None:
        piece: IdsSince | None = next(self._pieces, None)
        if piece is None:
            return None
        prints = prints_of(piece.ids)
        prints.sort()
        return piece.since, prints
