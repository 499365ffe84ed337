"""How far behind the picture is, and what is broken: asked twice a second, so that nobody waits for the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from glimpse.clock import steady_now_ms
from glimpse.errors import BufferUnavailable
from glimpse.live import PipelineStatus

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse


class Pulse:
    """The latest look at buffer and store. `status()` and the problems cost nothing."""

    def __init__(self, glimpse: Glimpse) -> None:
        self._glimpse = glimpse
        self._unacknowledged_ms = 0
        self._owner_problem: str | None = None
        self._buffer_problem: str | None = None

    async def look(self) -> None:
        """Ask buffer and, from a follower, the owner."""
        glimpse = self._glimpse
        try:
            self._unacknowledged_ms = await glimpse.buffer.lag_ms(steady_now_ms())
            if glimpse.buffer.problem:  # which else would stand until the next event
                await glimpse.buffer.probe()
            self._buffer_problem = None
        except BufferUnavailable as problem:
            self._buffer_problem = f"the buffer does not answer: {problem}"
        if glimpse.is_owner or glimpse.reading:
            self._owner_problem = None
        else:
            await self._ask_owner()

    async def _ask_owner(self) -> None:
        try:
            _, writer = await asyncio.open_unix_connection(self._glimpse.query_socket_path)
            writer.close()
            self._owner_problem = self._glimpse.store_problem = None  # whatever was in the way here, another has it
        except OSError:
            self._owner_problem = "no process keeps the store at the moment; events wait in the buffer"

    @property
    def buffer_problem(self) -> str | None:
        """Why events can't come in or out, or None."""
        return self._buffer_problem or self._glimpse.buffer.problem

    @property
    def store_problem(self) -> str | None:
        """Why nothing is stored, or None."""
        pipeline = self._glimpse.pipeline
        return (pipeline.problem if pipeline else self._glimpse.store_problem) or self._owner_problem

    def status(self) -> PipelineStatus:
        """Return what the status line shows. An entry may wait a flush interval for its commit without being late."""
        unseen_ms = self._unacknowledged_ms - round(self._glimpse.settings.flush_interval_s * 1000)
        return PipelineStatus(
            lag_ms=max(0, unseen_ms, self._since_drain_ms()), problem=self.buffer_problem or self.store_problem
        )

    def _since_drain_ms(self) -> int:
        pipeline = self._glimpse.pipeline
        if pipeline is None or not pipeline.last_drain_at:
            return 0
        return steady_now_ms() - pipeline.last_drain_at
