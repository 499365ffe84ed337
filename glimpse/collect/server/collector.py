"""One process' collector: buffer, edge and listener, and what it looks at once a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge
from glimpse.collect.limits import Limits
from glimpse.collect.server.blackboard import Blackboard
from glimpse.collect.server.listener import Listener
from glimpse.collect.server.site import Site
from glimpse.collect.server.terms import Terms
from glimpse.errors import BufferUnavailable
from glimpse.projects import Projects
from glimpse.settings import Settings

log = logging.getLogger("glimpse.collect")

LOOK_EVERY_S = 1.0
LISTEN_WITHIN_S = 0.2
STOP_WITHIN_S = 1.0
SALTS_AHEAD_MS = 60_000


class Collector:
    """Takes events on a socket, from `start` to `stop`. It starts also while Redis is away, and says so.

    Parameters
    ----------
    url
        Redis' address.
    settings
        All of them.
    terms
        What a client may take; by default as the settings say.
    board, number
        Where workers leave their counts, and this one's place there; by default it is alone.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        terms: Terms | None = None,
        board: Blackboard | None = None,
        number: int = 0,
    ) -> None:
        terms = terms or Terms(most_connections=settings.max_connections)
        self.buffer = EventBuffer.at(url, settings)
        self.projects = Projects.on(self.buffer.redis, settings)
        limits = Limits.at(url, self.buffer.redis, settings, self.projects)
        self.edge = Edge(self.buffer, settings, projects=self.projects, limits=limits)
        self._counts = (board or Blackboard(1)).place(number, self.edge.metrics.text)
        site = Site(self.edge, settings, self._health, self._counts.text)
        self.listener = Listener(site, settings.max_body_bytes, terms)
        self._problem: str | None = None
        self._is_prepared = False
        self._has_looked = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Take connections."""
        self._looking = asyncio.create_task(self._look_again())
        # Whose events are welcome is known first, unless Redis makes everybody wait: then they are told to come again.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._has_looked.wait(), LISTEN_WITHIN_S)
        await self.listener.start(listening)

    async def stop(self) -> None:
        """Answer what is under way, and end."""
        await self.listener.stop()
        if self._looking:
            self._looking.cancel()
            await asyncio.wait([self._looking], timeout=STOP_WITHIN_S)
        await self.edge.close()
        await self.buffer.close()
        self._counts.show()

    def _health(self) -> dict[str, str | None]:
        return {"buffer": self._problem or self.buffer.problem}

    async def _look_again(self) -> None:
        await self._look()
        self._has_looked.set()
        while not self.listener.is_stopping:  # asked too, as the client library may swallow a cancellation
            await asyncio.sleep(LOOK_EVERY_S)
            self._counts.show()
            await self._look()

    async def _look(self) -> None:
        """See how the buffer is, so that a balancer hears of trouble, and of its end, also when no event comes."""
        was = self._problem
        try:
            if not self._is_prepared:
                await self.buffer.prepare()
                self._is_prepared = True
            await self.projects.refresh()
            await self.buffer.probe()
            await self.buffer.salts(steady_now_ms() + SALTS_AHEAD_MS)  # so that no request has to ask for them
            self._problem = None
        except BufferUnavailable as problem:
            self._problem = str(problem)
        except Exception as problem:
            log.exception("the collector could not look at its buffer")
            self._problem = str(problem)
        if (was is None) != (self._problem is None):
            log.warning("the buffer %s", f"can't take events: {self._problem}" if self._problem else "takes events")
