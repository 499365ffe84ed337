"""How a process keeps its window of what others drain: their live rows, and the store for what came before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from glimpse.clock import steady_now_ms
from glimpse.errors import StoreUnavailable
from glimpse.events import Event, Session
from glimpse.settings import Settings

if TYPE_CHECKING:
    from glimpse.buffer import EventBuffer
    from glimpse.live import Window
    from glimpse.store import Queries

_PAGE = 5_000
_SESSIONS = 10_000
_LIVE_ROWS_REACH_S = 60.0  # half of what the buffer keeps of them
_OWNER_NOTICES_S = 2.0
_RETRY_S = 1.0


class Follower:
    """Appends to a window what another process drains. The window knows events that come twice."""

    def __init__(self, buffer: EventBuffer, window: Window, queries: Callable[[], Queries], settings: Settings) -> None:
        self._buffer = buffer
        self._window = window
        self._queries = queries
        self._settings = settings
        self._position = "0"
        self._followed_at = 0.0
        self._catch_up_at: list[float] = []

    async def follow(self) -> None:
        """Take what is new. After a start or a gap also what the store has, now and once the owner has committed."""
        now = time.monotonic()
        if now - self._followed_at > _LIVE_ROWS_REACH_S:
            await self._buffer.announce_follower()
            self._catch_up_at = [now, now + _OWNER_NOTICES_S + self._settings.flush_interval_s]
        self._followed_at = now
        lots, self._position = await self._buffer.read_live(self._position, is_others=True)
        for lot in lots:
            self._window.learn(lot.sessions)
            self._window.merge(lot.merges)
            self._window.append(lot.rows)
        if self._catch_up_at and now >= self._catch_up_at[0]:
            self._catch_up_at[0] = now + _RETRY_S  # should this attempt fail
            with contextlib.suppress(StoreUnavailable):  # no owner yet, or none any more: the status line says so
                await self._catch_up()
                self._catch_up_at.pop(0)

    async def _catch_up(self) -> None:
        until = steady_now_ms() + 24 * 3_600_000  # a client's clock may be ahead
        since = until - 24 * 3_600_000 - self._settings.window_minutes * 60_000
        found: list[Event] = []
        after: str | None = None
        while len(found) < self._settings.window_events:
            page = await self._queries().events("*", since, until, limit=_PAGE, after=after)
            found += [msgspec.convert(row, Event) for row in page]
            if len(page) < _PAGE:
                break
            after = f"{page[-1]['time']}:{page[-1]['id']}"
        self._window.restore(found)
        sessions = await self._queries().sessions("*", since, until, limit=_SESSIONS)
        self._window.learn([msgspec.convert(row, Session) for row in sessions], are_stored=True)
