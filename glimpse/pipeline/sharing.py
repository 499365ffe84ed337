"""What others see of live sessions: they are mirrored in Redis, and live rows go to the processes that follow.

Rule of this module: a mirror never holds up the drain. While more waits than fits in a batch, or a batch changes many
sessions, one that changes again and again is written every two seconds, and the next batch is taken meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from glimpse.buffer import EventBuffer
from glimpse.errors import BufferUnavailable
from glimpse.events import Merge, Session
from glimpse.settings import Settings
from glimpse.store import Lot

log = logging.getLogger("glimpse.pipeline")

MIRRORED_EVERY_S = 2.0  # while there is a backlog, or
MOST_MIRRORED_AT_ONCE = 100  # sessions; more of them changed at once


class Sharing:
    """The sessions that changed since they were mirrored last, and the writing of them."""

    def __init__(self, buffer: EventBuffer, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._buffer = buffer
        self._settings = settings
        self._now_ms = now_ms
        self._changed: dict[tuple[str, str], Session] = {}
        self._gone: list[Merge] = []
        self._mirroring: asyncio.Task[None] | None = None
        self._mirrored_at = 0.0  # monotonic seconds

    async def share(self, part: Lot, touched: Mapping[tuple[str, str], Session], *, has_more: bool) -> None:
        """Mirror the sessions that a batch changed: before this returns, or where much happens, by and by."""
        self._changed.update(touched)
        for merge in part.merges:
            self._changed.pop((merge.project, merge.gone), None)
        self._gone += part.merges
        is_calm = not has_more and len(self._changed) <= MOST_MIRRORED_AT_ONCE
        if is_calm or time.monotonic() - self._mirrored_at >= MIRRORED_EVERY_S:
            await self._mirror(is_patient=is_calm)
        try:
            await self._buffer.publish(part.rows, part.merges, [*touched.values()])
        except BufferUnavailable as problem:
            _warn(problem)

    async def settle(self) -> None:
        """Wait until all is mirrored, as when nothing more comes."""
        await self._mirror(is_patient=True)

    async def _mirror(self, *, is_patient: bool) -> None:
        if self._mirroring is not None and not self._mirroring.done():
            await asyncio.wait([self._mirroring])
        if self._changed or self._gone:
            sessions, self._changed = [*self._changed.values()], {}
            gone, self._gone = self._gone, []
            self._mirrored_at = time.monotonic()
            self._mirroring = asyncio.create_task(self._write(sessions, gone))
            if is_patient:
                await asyncio.wait([self._mirroring])

    async def _write(self, sessions: list[Session], gone: list[Merge]) -> None:
        try:
            await self._buffer.mirror(sessions, self._settings.session_timeout_s, self._now_ms(), gone=gone)
        except BufferUnavailable as problem:  # a mirror for others; the events themselves are safe in the stream
            _warn(problem)


def _warn(problem: BufferUnavailable) -> None:
    log.warning("live sessions were not mirrored: %s", problem)
