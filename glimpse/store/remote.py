"""The owner's questions for other processes on this machine.

A unix socket that speaks length-prefixed MessagePack, one question a connection. Who closes it before the answer has
the question ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import msgspec

from glimpse.errors import GlimpseError, QueryError, QueryTooLarge, QueryTooSlow, StoreUnavailable
from glimpse.filters import Where, as_filter
from glimpse.patience import unless_gone
from glimpse.store.local import TIME_LIMIT_S
from glimpse.store.queries import Queries
from glimpse.store.questions import ALL_PROJECTS, LAST_MS, plain
from glimpse.store.segments import Segment

log = logging.getLogger("glimpse.store")

SOCKET_NAME = "query.sock"
_METHODS = ("ask", "ledger", "ledgers", "segments", "every_segment", "save_segment")  # of `Queries`
_MISTAKES = {kind.__name__: kind for kind in (QueryError, QueryTooSlow, QueryTooLarge)}


class _Question(msgspec.Struct):
    name: str
    arguments: dict[str, Any]


class _Reply(msgspec.Struct):
    result: Any = None
    problem: str | None = None
    mistake: str | None = None  # which error of `_MISTAKES`, if it is the asker's


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
            await _send(writer, await unless_gone(reader, self._answer(question)))

    async def _answer(self, question: _Question) -> _Reply:
        if question.name not in _METHODS:
            return _Reply(problem=f"there is no {question.name!r}; there are {', '.join(_METHODS)}")
        try:
            return _Reply(result=await getattr(self._queries, question.name)(**question.arguments))
        except QueryError as problem:
            return _Reply(problem=str(problem), mistake=type(problem).__name__)
        except GlimpseError as problem:
            return _Reply(problem=str(problem))
        except Exception as problem:
            log.exception("a question from another process failed: %s", question.name)
            return _Reply(problem=f"{question.name} failed: {type(problem).__name__}")


class RemoteQueries(Queries):
    """Asks the process that owns the store. Raises `StoreUnavailable` while there is none."""

    def __init__(self, path: Path, timeout_s: float = TIME_LIMIT_S + 5) -> None:
        self._path = path
        self._timeout_s = timeout_s

    async def ask(
        self,
        question: str,
        *,
        project: str = ALL_PROJECTS,
        since: int = 0,
        until: int = LAST_MS,
        where: Where | None = None,
        segment: str | None = None,
        **arguments: Any,
    ) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        span = {"project": project, "since": since, "until": until, "where": as_filter(where), "segment": segment}
        return await self._ask("ask", plain({"question": question} | span | arguments))

    async def compile_ahead(self) -> None:
        """Do nothing: the owner prepares for what is asked of it."""

    async def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters that can be used for a project."""
        return await self._ask("segments", {"project": project})

    async def every_segment(self) -> list[Segment]:
        """Return the saved filters of all projects."""
        return msgspec.convert(await self._ask("every_segment", {}), list[Segment])

    async def save_segment(self, project: str, name: str, where: Where | None) -> None:
        """Give a filter a name in a project, or take the name away."""
        await self._ask("save_segment", plain({"project": project, "name": name, "where": as_filter(where)}))
        self.segment_changes += 1

    async def ledgers(self) -> dict[str, dict[str, Any]]:
        """Return each project's account, and that of all as `*`."""
        return await self._ask("ledgers", {})

    async def ledger(self, project: str) -> dict[str, Any]:
        """Return the account of every event received."""
        return await self._ask("ledger", {"project": project})

    async def _ask(self, name: str, arguments: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_unix_connection(self._path)
                with contextlib.closing(writer):
                    await _send(writer, _Question(name, arguments))
                    reply = msgspec.msgpack.decode(await _receive(reader), type=_Reply)
        except (ConnectionRefusedError, FileNotFoundError) as problem:
            raise StoreUnavailable(
                "No process keeps the store at the moment, so nothing can be asked of it."
            ) from problem
        except TimeoutError as problem:
            raise StoreUnavailable(
                f"The process that keeps the store did not answer in {self._timeout_s:g} s."
            ) from problem
        except (OSError, asyncio.IncompleteReadError) as problem:
            raise StoreUnavailable("The process that keeps the store ended before it had answered.") from problem
        if reply.problem:
            raise _MISTAKES.get(reply.mistake or "", StoreUnavailable)(reply.problem)
        return reply.result


async def _receive(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


async def _send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    payload = msgspec.msgpack.encode(message)
    writer.write(len(payload).to_bytes(4, "big") + payload)
    await writer.drain()
