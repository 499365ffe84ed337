"""The owner's store for other processes on this machine: rows out of it, and rows into it.

A unix socket beside the one for questions. Messages are length-prefixed MessagePack, tables in them Arrow's IPC stream.
Rule of this module: a table is sent when the one before has been read, and who reads nothing for a minute is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
import pyarrow as pa

from glimpse.errors import GlimpseError, QueryError, StoreUnavailable
from glimpse.events import Event, ImportedTotal, Session
from glimpse.patience import unless_gone
from glimpse.store.upkeep import Taken
from glimpse.transfer.inlet import Inlet
from glimpse.transfer.outlet import Flow, Outlet
from glimpse.transfer.wanted import Wanted

log = logging.getLogger("glimpse.transfer")

SOCKET_NAME = "transfer.sock"
PATIENCE_S = 60.0
_LONGEST_QUESTION_S = 300.0


class _Ask(msgspec.Struct, tag="ask"):
    wanted: list[Wanted]
    of_one_moment: bool


class _Bring(msgspec.Struct, tag="bring"):
    events: bytes = b""  # JSON: numbers of any size are events' own
    sessions: bytes = b""
    totals: bytes = b""


class _Reply(msgspec.Struct):
    totals: list[int] = []
    problem: str | None = None
    is_mistake: bool = False  # of who asked, not of the store


class _Part(msgspec.Struct):
    """A table of a flow; without one it is the end, with a problem an early one."""

    number: int = 0
    table: bytes = b""
    problem: str | None = None
    is_mistake: bool = False


class _Told(msgspec.Struct):
    taken: Taken = Taken()
    problem: str | None = None


class OwnerSocket:
    """Serves the owner's outlet and inlet on a socket that only this user can open."""

    def __init__(self, outlet: Outlet, path: Path, inlet: Inlet | None = None) -> None:
        self._outlet = outlet
        self._inlet = inlet
        self._path = path
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take the socket's place, also from an owner that died."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._converse, self._path)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Close the socket, end what goes through it, and take it away."""
        if self._server:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for talk in list(self._talks):
            talk.cancel()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        gone = (asyncio.IncompleteReadError, ConnectionError, TimeoutError, asyncio.CancelledError)
        with contextlib.suppress(*gone), contextlib.closing(writer):
            first = msgspec.msgpack.decode(await _receive(reader), type=_Ask | _Bring)
            if isinstance(first, _Ask):
                await unless_gone(reader, self._give(first, writer))
            else:
                await self._take(first, reader, writer)

    async def _take(self, bring: _Bring, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                await _send(writer, _Told(await self._taken(bring)))
            except GlimpseError as problem:
                await _send(writer, _Told(problem=str(problem)))
            bring = msgspec.msgpack.decode(await _receive(reader), type=_Bring)

    async def _taken(self, bring: _Bring) -> Taken:
        if self._inlet is None:
            raise StoreUnavailable("rows can't be taken in here")
        if bring.sessions:
            return await self._inlet.take_sessions(msgspec.json.decode(bring.sessions, type=list[Session]))
        if bring.totals:
            return await self._inlet.take_totals(msgspec.json.decode(bring.totals, type=list[ImportedTotal]))
        return await self._inlet.take_events(msgspec.json.decode(bring.events, type=list[Event]))

    async def _give(self, ask: _Ask, writer: asyncio.StreamWriter) -> None:
        is_open = False
        try:
            async with self._outlet.flow(ask.wanted, of_one_moment=ask.of_one_moment) as flow:
                await _send(writer, _Reply(flow.totals))
                is_open = True
                async for number, table in flow.tables:
                    await _send(writer, _Part(number, await asyncio.to_thread(_packed, table)))
            await _send(writer, _Part())
        except Exception as problem:
            if isinstance(problem, ConnectionError | TimeoutError):
                raise
            if not isinstance(problem, GlimpseError):
                log.exception("rows could not be given to another process")
            told = str(problem) or type(problem).__name__
            kind, is_mistake = _Part if is_open else _Reply, isinstance(problem, QueryError)
            await _send(writer, kind(problem=told, is_mistake=is_mistake))


class RemoteOutlet:
    """Gives out rows of the process that owns the store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def flow(self, wanted: Sequence[Wanted], *, of_one_moment: bool = False) -> AsyncIterator[Flow]:
        """Open a flow."""
        with _told_as_unavailable():
            reader, writer = await asyncio.open_unix_connection(self._path)
        with contextlib.closing(writer):
            with _told_as_unavailable():
                await _send(writer, _Ask(list(wanted), of_one_moment))
                reply = msgspec.msgpack.decode(await _receive(reader), type=_Reply)
            _raise_if_told(reply)
            yield Flow(reply.totals, _tables(reader))


class RemoteInlet:
    """Takes rows into the store of the process that owns it, over one connection. Use it as a context."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> Self:
        with _told_as_unavailable():
            self._reader, self._writer = await asyncio.open_unix_connection(self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def take_events(self, rows: Sequence[Event]) -> Taken:
        """Store events that are not there yet."""
        return await self._bring(_Bring(events=msgspec.json.encode(rows)))

    async def take_sessions(self, rows: Sequence[Session]) -> Taken:
        """Store sessions of which more is known than is there."""
        return await self._bring(_Bring(sessions=msgspec.json.encode(rows)))

    async def take_totals(self, rows: Sequence[ImportedTotal]) -> Taken:
        """Store another tracker's totals."""
        return await self._bring(_Bring(totals=msgspec.json.encode(rows)))

    async def _bring(self, bring: _Bring) -> Taken:
        with _told_as_unavailable():
            await _send(self._writer, bring)
            told = msgspec.msgpack.decode(await _receive(self._reader), type=_Told)
        if told.problem:
            raise StoreUnavailable(told.problem)
        return told.taken


async def _tables(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, Any]]:
    while True:
        with _told_as_unavailable():
            part = msgspec.msgpack.decode(await _receive(reader), type=_Part)
        _raise_if_told(part)
        if not part.table:
            return
        yield part.number, _unpacked(part.table)


def _raise_if_told(said: _Reply | _Part) -> None:
    if said.problem:
        raise (QueryError if said.is_mistake else StoreUnavailable)(said.problem)


@contextlib.contextmanager
def _told_as_unavailable() -> Any:
    try:
        yield
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as problem:
        raise StoreUnavailable(f"the process that owns the store does not answer: {problem!r}") from problem


def _packed(table: Any) -> bytes:
    sink: Any = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _unpacked(data: bytes) -> Any:
    return pa.ipc.open_stream(data).read_all()


async def _receive(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(_LONGEST_QUESTION_S):
        return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


async def _send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    payload = msgspec.msgpack.encode(message)
    writer.write(len(payload).to_bytes(4, "big") + payload)
    async with asyncio.timeout(PATIENCE_S):
        await writer.drain()
