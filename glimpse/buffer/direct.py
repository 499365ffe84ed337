"""One connection to one plain Redis, spoken to directly: what a turn of the loop writes is one packet.

A transaction costs this about a third of what it costs redis-py. Replies are read by hiredis.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis

from glimpse.buffer.records import Command

Place = str | tuple[str, int]  # a unix socket's path, or host and port
_pack: Callable[[Command], bytes] = cast("Any", hiredis.pack_command)  # its stub has tuples of one word only
Replied = Callable[[Sequence[Any], str | None], None]  # replies, or a problem


class DirectChannel:
    """Sends one transaction at a time, and connects when there is no connection."""

    def __init__(self, place: Place, database: int = 0, *, login: Command | None = None, has_tls: bool = False) -> None:
        self._place = place
        self._has_tls = has_tls
        self._hello: list[Command] = [login] if login else []
        self._hello += [("PING",), ("SELECT", database)] if database else [("PING",)]
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None

    def send(self, commands: Sequence[Command], settled: Replied) -> None:
        """Execute the commands as one MULTI and call `settled` once, later."""
        packet, count = packed([("MULTI",), *commands, ("EXEC",)]), len(commands) + 2

        def replied(replies: Sequence[Any], problem: str | None) -> None:
            settled(*_transaction(replies, problem))

        if self._connection and self._connection.is_open:
            self._connection.ask(packet, count, replied)
        else:
            self._connecting = asyncio.create_task(self._connect(packet, count, replied))

    def abandon(self) -> None:
        """Give up what is under way, and the connection, on which its late replies would be taken for others'."""
        if self._connecting:
            self._connecting.cancel()
        if self._connection:
            self._connection.drop()
        self._connecting = self._connection = None

    async def _connect(self, packet: bytes, count: int, replied: Replied) -> None:
        loop = asyncio.get_running_loop()
        try:
            if isinstance(self._place, str):
                _, connection = await loop.create_unix_connection(_Connection, self._place)
            else:
                _, connection = await loop.create_connection(_Connection, *self._place, ssl=self._has_tls or None)
        except OSError as problem:
            replied((), str(problem) or type(problem).__name__)
            return
        self._connection = connection

        def greeted(replies: Sequence[Any], problem: str | None) -> None:
            if problem or (problem := _first_error(replies)):
                replied((), problem)
                self.abandon()
            else:
                connection.ask(packet, count, replied)

        # A frozen server would carry out later what lies in its socket, though the client was told to come again: so
        # it has to answer before it is given anything.
        connection.ask(packed(self._hello), len(self._hello), greeted)


def packed(commands: Sequence[Command]) -> bytes:
    """Return commands as RESP 2 (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
    return b"".join(map(_pack, commands))


def _transaction(replies: Sequence[Any], problem: str | None) -> tuple[Sequence[Any], str | None]:
    """Return the replies of EXEC, or the first error of all."""
    if problem or (problem := _first_error(replies)):
        return (), problem
    results = replies[-1]
    return (results, None) if isinstance(results, list) else ((), f"the transaction was not carried out: {results!r}")


def _first_error(replies: Sequence[Any]) -> str | None:
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            return str(reply)
        if isinstance(reply, list) and (problem := _first_error(reply)):
            return problem
    return None


class _Connection(asyncio.Protocol):
    """Asks one thing at a time."""

    def __init__(self) -> None:
        self._reader: Any = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._count = 0  # replies to come
        self._replies: list[Any] = []
        self._replied: Replied | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def ask(self, packet: bytes, count: int, replied: Replied) -> None:
        self._replied, self._count, self._replies = replied, count, []
        if self._transport is None:  # lost between connecting and writing
            self._fail("the connection was lost")
        else:
            self._transport.write(packet)

    def drop(self) -> None:
        self._replied = None
        if self._transport:
            self._transport.abort()
        self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(f"the connection was lost: {exc}" if exc else "the connection was closed")

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.ProtocolError as problem:
            self._fail(f"what answers is no Redis: {problem}")
            self.drop()

    def _take(self, reply: Any) -> None:
        self._replies.append(reply)
        if len(self._replies) == self._count and self._replied:
            replied, self._replied = self._replied, None
            replied(self._replies, None)

    def _fail(self, problem: str) -> None:
        replied, self._replied = self._replied, None
        if replied:
            replied((), problem)
