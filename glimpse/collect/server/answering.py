"""The half of a connection that answers: in the order of the requests, at the client's pace, until the end."""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from glimpse.collect.answers import Answer, failure
from glimpse.collect.server.exchange import Exchange

if TYPE_CHECKING:
    from glimpse.collect.server.listener import Listener

NEVER = float("inf")


class Answering(asyncio.Protocol):
    """What a connection is besides the reading of requests."""

    __slots__ = (
        "_is_blocked",
        "_is_done",
        "_is_paused",
        "_is_receiving",
        "_transport",
        "_waiting",
        "expires_at",
        "listener",
        "peer",
    )

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Exchange] = deque()  # whose answers have not been sent
        self.expires_at = NEVER
        self.peer = ""
        self._is_done = False  # nothing more is read
        self._is_paused = False  # too many requests wait for their answers
        self._is_blocked = False  # the client doesn't take its answers
        self._is_receiving = False  # a request has begun and is not complete

    # -- what the loop calls ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or send it away when there are too many."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) and name else ""
        self.expires_at = self.listener.now + self.listener.terms.request_within_s
        if not self.listener.admit(self):
            self._end(failure(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", {"Retry-After": "2"}))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's interface
        """Forget it; answers that are still to come find nobody."""
        self._transport = None
        self.listener.forget(self)

    def eof_received(self) -> bool:
        """Close, unless answers are to be sent first: a client may have closed its own half."""
        self._is_done = True
        return bool(self._waiting)

    def pause_writing(self) -> None:
        """Read no more from a client that doesn't take its answers."""
        self._is_blocked = True
        self._pace()

    def resume_writing(self) -> None:
        """Go on."""
        self._is_blocked = False
        self._pace()

    # -- answers ---------------------------------------------------------------------------------------------------

    def answered(self) -> None:
        """Send every answer whose turn it is."""
        waiting, transport = self._waiting, self._transport
        if transport is None:
            waiting.clear()
            return
        exchange = None
        while waiting and (response := waiting[0].response) is not None:
            exchange = waiting.popleft()
            transport.write(response)
        if exchange and exchange.closes:
            self._close(lingers=exchange.is_refusal)
        elif not waiting:
            self._rest()

    def _rest(self) -> None:
        """Wait for the next request, or for the rest of it."""
        if self._is_done:
            self._close()
        elif not self._is_receiving:
            self.expires_at = self.listener.now + self.listener.terms.idle_within_s
        if self._is_paused:
            self._pace()

    def _pace(self) -> None:
        """Read, or read not, as the client takes its answers."""
        is_paused = self._is_blocked or len(self._waiting) > self.listener.terms.most_pipelined
        if self._transport and is_paused != self._is_paused:
            self._is_paused = is_paused
            (self._transport.pause_reading if is_paused else self._transport.resume_reading)()

    def _end(self, answer: Answer) -> None:
        """Refuse what is being read with a last answer, and read no more."""
        self._is_done = True
        exchange = Exchange(self, "", closes=True)
        exchange.is_refusal = exchange.for_every_site = True
        self._waiting.append(exchange)
        exchange.done(answer)

    def _close(self, *, lingers: bool = False) -> None:
        """Close when everything is sent; after a refusal only when the client has had time to read it.

        To close a socket with unread bytes resets it, and a client that still sends would never see why.
        """
        self._is_done = True
        if self._transport is None:
            return
        if lingers and self._transport.can_write_eof():
            self.expires_at = self.listener.now + self.listener.terms.linger_s
            self._transport.write_eof()
        else:
            self._transport.close()

    def expire(self) -> None:
        """End it: its time is over."""
        if self._is_receiving and not self._is_done:
            self._end(failure(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive"))
        else:
            self.abort()

    def abort(self) -> None:
        """End it at once."""
        if self._transport:
            self._transport.abort()

    def stop(self) -> None:
        """End it as soon as nothing is under way: the server stops."""
        if not self._waiting and not self._is_receiving:
            self._close()
