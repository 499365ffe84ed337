"""The owner's questions for other processes on this machine.

A unix socket that speaks length-prefixed MessagePack, one question a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import msgspec

from glimpse.errors import GlimpseError, StoreUnavailable
from glimpse.store.queries import Queries

log = logging.getLogger("glimpse.store")

SOCKET_NAME = "query.sock"
QUESTIONS = ("events", "sessions", "totals", "projects", "ledger")


class _Question(msgspec.Struct):
    name: str
    arguments: list[Any]


class _Reply(msgspec.Struct):
    result: Any = None
    problem: str | None = None


class QuerySocket:
    """Serves `Queries` on a socket that only this user can open."""

    def __init__(self, queries: Queries, path: Path) -> None:
        self._queries = queries
        self._path = path
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take the socket's place, also from an owner that died."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._converse, self._path)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Close the socket and take it away."""
        if self._server:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            question = msgspec.msgpack.decode(await _receive(reader), type=_Question)
            await _send(writer, await self._answer(question))

    async def _answer(self, question: _Question) -> _Reply:
        if question.name not in QUESTIONS:
            return _Reply(problem=f"no question {question.name!r}; there are {', '.join(QUESTIONS)}")
        try:
            return _Reply(result=await getattr(self._queries, question.name)(*question.arguments))
        except GlimpseError as problem:
            return _Reply(problem=str(problem))
        except Exception as problem:
            log.exception("a question from another process failed: %s", question.name)
            return _Reply(problem=f"{question.name} failed: {type(problem).__name__}")


class RemoteQueries:
    """Asks the process that owns the store. Raises `StoreUnavailable` while there is none."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    async def events(
        self, project: str, since: int, until: int, limit: int = 1000, after: str | None = None
    ) -> list[dict[str, Any]]:
        """Return one page of events, newest first."""
        return await self._ask("events", project, since, until, limit, after)

    async def sessions(self, project: str, since: int, until: int, limit: int = 1000) -> list[dict[str, Any]]:
        """Return sessions that started in the span."""
        return await self._ask("sessions", project, since, until, limit)

    async def totals(self, project: str, since: int, until: int) -> dict[str, int]:
        """Return counts over a span."""
        return await self._ask("totals", project, since, until)

    async def projects(self) -> list[str]:
        """Return every project with events."""
        return await self._ask("projects")

    async def ledger(self, project: str) -> dict[str, Any]:
        """Return the account of every event received."""
        return await self._ask("ledger", project)

    async def _ask(self, name: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_unix_connection(self._path)
                with contextlib.closing(writer):
                    await _send(writer, _Question(name, list(arguments)))
                    reply = msgspec.msgpack.decode(await _receive(reader), type=_Reply)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as problem:
            raise StoreUnavailable(f"the process that owns the store does not answer: {problem!r}") from problem
        if reply.problem:
            raise StoreUnavailable(reply.problem)
        return reply.result


async def _receive(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


async def _send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    payload = msgspec.msgpack.encode(message)
    writer.write(len(payload).to_bytes(4, "big") + payload)
    await writer.drain()
