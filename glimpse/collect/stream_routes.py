"""`/api/v1/stream`: what happens as it happens, as server-sent events or over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from glimpse.collect.parts import PROBLEM, ReadHandler, problem_of
from glimpse.collect.segment_watch import Named
from glimpse.collect.spans import filter_asked, project_asked, segment_asked, where_asked
from glimpse.collect.stream import Dropped, Feed, Message, Reader, Send, farewell, follow
from glimpse.errors import QueryError
from glimpse.filters import Filter

_ID = re.compile(r"[0-9a-fA-F-]{36}")
_LONGEST_REASON = 120  # bytes, of a close frame
_GOODBYE_S = 5.0  # for a slow reader to take the word why it is dropped


class StreamHandler(ReadHandler, WebSocketHandler):
    """Tells events and numbers until the client leaves. Pages of other sites can't open it: Tornado looks at Origin."""

    takes = ("project", "where", "segment", "last_id")
    _feed: Feed
    _reader: Reader
    _last_id: str | None
    _named: Named | None
    _kept: Filter | None
    _following: asyncio.Task[None] | None = None

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Answer in the way that the client asks for."""
        await self._begin()
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get(*args, **kwargs)  # goes on in `open`
            if self.get_status() == HTTPStatus.UPGRADE_REQUIRED:
                self.refuse(HTTPStatus.UPGRADE_REQUIRED, "a WebSocket is spoken here in version 13 only")
        else:
            await self._tell_by_http()

    def finish(self, chunk: Any = None) -> asyncio.Future[None]:
        """End the answer; Tornado's own words, of a WebSocket that can't be, as a problem document."""
        if isinstance(chunk, str):
            self.set_header("Content-Type", PROBLEM)
            chunk = msgspec.json.encode(problem_of(self.get_status(), chunk))
        return super().finish(chunk)

    async def _begin(self) -> None:
        project, segment = project_asked(self._ask), segment_asked(self._ask)
        last_id = self.request.headers.get("Last-Event-ID") or self.get_query_argument("last_id", None)
        if last_id and not _ID.fullmatch(last_id):
            raise QueryError("last_id must be the id of an event, as the stream gave it")
        self._kept = await filter_asked(self._ask, self.parts.queries)
        self._last_id, self._reader = last_id, Reader()
        self._feed = self.parts.streams.feed(project, self._kept)
        self._named = Named(project, where_asked(self._ask), segment) if segment else None

    async def _follow(self, send: Send) -> None:
        with self.parts.segment_watch.watched(self._named, self._kept, self._reader):
            await follow(self._feed, self._reader, self._last_id, send)

    def _ask(self, name: str) -> str | None:
        return self.get_query_argument(name, None)

    # -- server-sent events --------------------------------------------------------------------------------------

    async def _tell_by_http(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # nginx would hold back what is small
        self.set_header("Connection", "close")
        try:
            await self._follow(self._send_by_http)
        except StreamClosedError:
            return
        except Dropped as problem:
            stream: IOStream = getattr(self.request.connection, "stream")  # noqa: B009 - HTTP/1 has one
            asyncio.get_running_loop().call_later(_GOODBYE_S, stream.close)
            self.write(_by_http(farewell(problem)))
        with contextlib.suppress(StreamClosedError):
            await self.finish()

    async def _send_by_http(self, messages: Sequence[Message]) -> None:
        self.write(b"".join(map(_by_http, messages)))
        await asyncio.shield(self.flush())

    def on_connection_close(self) -> None:
        """Stop telling."""
        super().on_connection_close()
        self._stop()

    # -- WebSocket -----------------------------------------------------------------------------------------------

    @property
    def max_message_size(self) -> int:
        """A reader has nothing to say."""
        return 4096

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Begin."""
        self._following = asyncio.get_running_loop().create_task(self._tell_by_socket())

    async def _tell_by_socket(self) -> None:
        with contextlib.suppress(WebSocketClosedError, StreamClosedError):
            try:
                await self._follow(self._send_by_socket)
            except Dropped as problem:
                self.write_message(_by_socket(farewell(problem)))
                self.close(problem.close_code, str(problem).encode()[:_LONGEST_REASON].decode(errors="ignore"))

    async def _send_by_socket(self, messages: Sequence[Message]) -> None:
        written = [self.write_message(_by_socket(message)) for message in messages]
        for result in await asyncio.shield(asyncio.gather(*written, return_exceptions=True)):
            if isinstance(result, Exception):
                raise result

    def on_message(self, message: str | bytes) -> None:
        """Listen to nothing."""

    def on_close(self) -> None:
        """Stop telling."""
        self._stop()

    def _stop(self) -> None:
        if hasattr(self, "_reader"):
            self._reader.leave()


def _by_http(message: Message) -> bytes:
    if message.kind == "heartbeat":
        return b": heartbeat\n\n"
    head = f"id: {message.id}\n" if message.id else ""
    return f"{head}event: {message.kind}\ndata: ".encode() + message.data + b"\n\n"


def _by_socket(message: Message) -> str:
    head = f'"id":"{message.id}",' if message.id else ""
    return f'{{"type":"{message.kind}",{head}"data":{message.data.decode()}}}'
