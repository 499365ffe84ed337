"""How a process keeps its window of what others drain: their live rows, and the store for what came before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from glimpse.clock import steady_now_ms
from glimpse.errors import StoreUnavailable
from glimpse.events import Event, Session, by_pair, is_layer
from glimpse.filters import field
from glimpse.live import ALL_PROJECTS
from glimpse.settings import Settings

if TYPE_CHECKING:
    from glimpse.buffer import EventBuffer
    from glimpse.live import Window
    from glimpse.store import Queries

_PAGE = 5_000
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
            self._window.learn(by_pair(lot.sessions))
            self._window.merge(lot.merges)
            self._window.append(lot.rows)
        if self._catch_up_at and now >= self._catch_up_at[0]:
            self._catch_up_at[0] = now + _RETRY_S  # should this attempt fail
            with contextlib.suppress(StoreUnavailable):  # no owner yet, or none any more: the status line says so
                await self._catch_up()
                self._catch_up_at.pop(0)

    async def _catch_up(self) -> None:
        """Take what was stored of the span. What all projects are asked for leaves layers out: each is asked for."""
        until = steady_now_ms() + 24 * 3_600_000  # a client's clock may be ahead
        since = until - 24 * 3_600_000 - self._settings.window_minutes * 60_000
        for project in [ALL_PROJECTS, *filter(is_layer, await self._queries().projects())]:
            self._window.restore([msgspec.convert(row, Event) async for row in self._events(project, since, until)])
            await self._learn_sessions(project, since)

    async def _events(self, project: str, since: int, until: int) -> AsyncIterator[dict[str, Any]]:
        """Return the newest events, as many as the window holds."""
        found, after = 0, None
        while found < self._settings.window_events:
            page = await self._queries().events(project, since, until, limit=_PAGE, after=after)
            for row in page:
                yield row
            found += len(page)
            if len(page) < _PAGE:
                return
            after = f"{page[-1]['time']}:{page[-1]['id']}"

    async def _learn_sessions(self, project: str, since: int) -> None:
        """Learn of every session that was heard in the span, whenever it began: the owner's window knows as many."""
        heard, after = field("session.last_seen_at") >= since, None
        while True:
            page = await self._queries().ask("sessions", project=project, where=heard, limit=_PAGE, after=after)
            self._window.learn(by_pair(msgspec.convert(row, Session) for row in page), are_stored=True)
            if len(page) < _PAGE:
                return
            after = f"{page[-1]['started_at']}:{page[-1]['id']}"
