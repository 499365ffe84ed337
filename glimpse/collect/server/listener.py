"""All connections of one process: takes them, and ends those whose time is over, in one sweep."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

from glimpse.collect.server.answering import Answering
from glimpse.collect.server.connection import Connection
from glimpse.collect.server.heads import Heads
from glimpse.collect.server.response import Responses
from glimpse.collect.server.site import Site
from glimpse.collect.server.terms import Terms

_BACKLOG = 1024


class Listener:
    """Serves a site on a listening socket.

    Parameters
    ----------
    site
        Has the requests answered.
    most_body_bytes
        Of a body no more is held.
    terms
        What a client may take.
    """

    def __init__(
        self, site: Site, most_body_bytes: int, terms: Terms, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.site = site
        self.most_body_bytes = most_body_bytes
        self.terms = terms
        self.responses = Responses()
        self.heads = Heads()
        self.now = 0.0  # the loop's time at the last sweep
        self.is_stopping = False
        self._wall_clock = wall_clock
        self._connections: set[Answering] = set()
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None

    async def start(self, listening: socket.socket) -> None:
        """Take connections."""
        loop = asyncio.get_running_loop()
        self._sweep()
        if listening.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(lambda: Connection(self), sock=listening, backlog=_BACKLOG)
        else:
            self._server = await loop.create_server(lambda: Connection(self), sock=listening, backlog=_BACKLOG)

    async def stop(self) -> None:
        """Take no more connections, answer what is under way, and return when all are closed or time is over."""
        self.is_stopping = True
        if self._server:
            self._server.close()
        self._emptied = asyncio.Event()
        for connection in list(self._connections):
            connection.stop()
        if self._connections:
            try:
                await asyncio.wait_for(self._emptied.wait(), self.terms.stop_within_s)
            except TimeoutError:
                for connection in list(self._connections):
                    connection.abort()
        if self._timer:
            self._timer.cancel()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def admit(self, connection: Answering) -> bool:
        """Count a connection, and tell whether there is room for it."""
        self._connections.add(connection)
        return len(self._connections) <= self.terms.most_connections and not self.is_stopping

    def forget(self, connection: Answering) -> None:
        """Count it no more."""
        self._connections.discard(connection)
        if self._emptied and not self._connections:
            self._emptied.set()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self.now = now = loop.time()
        self.responses.set_time(self._wall_clock())
        self.heads.forget(now)
        for connection in [c for c in self._connections if c.expires_at <= now]:
            connection.expire()
        self._timer = loop.call_later(self.terms.sweep_every_s, self._sweep)
