"""Stored rows over HTTP, a page at a time or all of a span, as a stream in any of the formats.

Rule of this module: a piece is sent when the one before has gone, so a slow reader costs one table; an answer that
can't be ended as it should is cut off, so that nobody takes it for whole.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from glimpse.clock import steady_now_ms
from glimpse.collect.parts import ReadHandler
from glimpse.collect.spans import (
    ALL,
    cursor_asked,
    filter_asked,
    format_asked,
    limit_asked,
    project_asked,
    span_asked,
)
from glimpse.errors import GlimpseError, QueryError
from glimpse.filters import from_json, to_json, to_text
from glimpse.transfer import FORMATS, Flow, Place, Wanted

log = logging.getLogger("glimpse.collect")

PIECE_BYTES = 256 * 1024
PATIENCE_S = 60.0  # for one piece
_ENCODING = ThreadPoolExecutor(1, thread_name_prefix="glimpse-encoder")  # each further one would keep memory of its own
_UNFIT_FOR_FILES = re.compile(r"[^A-Za-z0-9._-]+")


class RowsHandler(ReadHandler):
    """Rows of one table."""

    takes = ("project", "since", "until", "where", "segment", "limit", "after", "format")
    path: str

    async def _answer(self, **more: Any) -> None:
        await self._stream(*await self._wanted(**more))

    async def _stream(self, wanted: Wanted, form: str) -> None:
        """Answer with the rows; of a page, with the address of the next in `Link`."""
        flow_wanted = wanted if wanted.limit is None else _one_more(wanted)
        async with self.parts.outlet.flow([flow_wanted]) as flow:
            try:
                await self._send(flow, wanted, form)
            except StreamClosedError:
                return  # whoever asked has gone
            except (GlimpseError, TimeoutError) as problem:
                if not self._headers_written:
                    raise
                log.warning("%s was cut off: %s", self.request.path, str(problem) or "nobody took it")
                self._cut_off()

    async def _send(self, flow: Flow, wanted: Wanted, form: str) -> None:
        chosen = FORMATS[form]
        encoder, loop = chosen.encoder(), asyncio.get_running_loop()
        async for _, table in flow.tables:
            shown = table if wanted.limit is None else table.slice(0, wanted.limit)
            if not self._headers_written:
                self._set_headers(wanted, form)
                if shown.num_rows < table.num_rows:
                    self.set_header("Link", self._next_link(wanted, form, Place.of_row(shown, shown.num_rows - 1)))
            for part in _parts(shown, chosen.rows_at_once):
                await self._send_pieces(await loop.run_in_executor(_ENCODING, encoder.add, part))
        await self._send_pieces(encoder.end())

    def _set_headers(self, wanted: Wanted, form: str) -> None:
        chosen = FORMATS[form]
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", chosen.media_type)
        if not chosen.is_json:
            name = _UNFIT_FOR_FILES.sub("-", wanted.project) if wanted.project != "*" else "all"
            self.set_header("Content-Disposition", f'attachment; filename="{name}-{wanted.table}{chosen.suffix}"')

    async def _send_pieces(self, data: bytes) -> None:
        for first in range(0, len(data), PIECE_BYTES):
            self.write(data[first : first + PIECE_BYTES])
            async with asyncio.timeout(PATIENCE_S):
                await self.flush()

    def _next_link(self, wanted: Wanted, form: str, last: Place) -> str:
        asked: dict[str, Any] = {"project": wanted.project, "since": wanted.since, "until": wanted.until}
        asked |= {"limit": wanted.limit or ALL, "format": form}
        asked |= {} if wanted.where is None else {"where": to_text(from_json(wanted.where))}
        return f'<{self.parts.root}{self.path}?{urlencode(asked | {"after": str(last)})}>; rel="next"'

    def _cut_off(self) -> None:
        connection: Any = self.request.connection
        connection.stream.close()

    def _ask(self, name: str) -> str | None:
        return self.get_query_argument(name, None)

    async def _wanted(self, **more: Any) -> tuple[Wanted, str]:
        """Return what the query asks for, and in which format."""
        since, until = span_asked(self._ask, steady_now_ms())
        form, where = format_asked(self._ask), await filter_asked(self._ask, self.parts.queries)
        facts: dict[str, Any] = {
            "project": project_asked(self._ask),
            "since": since,
            "until": until,
            "where": None if where is None else to_json(where),
            "limit": limit_asked(self._ask),
            "after": cursor_asked(self._ask),
            "is_newest_first": True,
            "has_signs_of_life": False,
            "as_json": FORMATS[form].is_json,
        }
        return Wanted(**facts | more), form


class StoredEventsHandler(RowsHandler):
    """`GET /api/v1/events`: stored events, newest first."""

    path = "/api/v1/events"

    async def get(self) -> None:
        """Answer with a page, or with all."""
        await self.while_asked(self._answer())


class SessionsHandler(RowsHandler):
    """`GET /api/v1/sessions`: sessions that started in a span, newest first."""

    path = "/api/v1/sessions"

    async def get(self) -> None:
        """Answer with a page, or with all."""
        await self.while_asked(self._answer(table="sessions"))


class JourneyHandler(RowsHandler):
    """`GET /api/v1/sessions/<id>`: one session's events, in order."""

    takes = ("project", "format")

    async def get(self, session: str) -> None:
        """Answer with all of them; 404 when there is none."""
        await self.while_asked(self._tell(session))

    async def _tell(self, session: str) -> None:
        project, form = project_asked(self._ask), format_asked(self._ask)
        if project == "*":
            raise QueryError("project must be named: a session is one project's")
        wanted = Wanted(
            project=project,
            session=_uuid(session),
            has_signs_of_life=False,
            as_json=FORMATS[form].is_json,
        )
        async with self.parts.outlet.flow([wanted]) as flow:
            if not flow.totals[0]:
                raise HTTPError(404, "there is no session %s in %s", wanted.session, project)
            await self._send(flow, wanted, form)


def _parts(table: Any, rows: int | None) -> Iterator[Any]:
    """Return a table in parts of so many rows; one at least, as its columns are wanted too."""
    if rows is None or table.num_rows <= rows:
        yield table
        return
    for first in range(0, table.num_rows, rows):
        yield table.slice(first, rows)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise QueryError(f"a session's id is a UUID; it is {text[:80]!r}") from None


def _one_more(wanted: Wanted) -> Wanted:
    """Return a page with one row more, which tells whether there is another page."""
    return msgspec.structs.replace(wanted, limit=(wanted.limit or 0) + 1)
