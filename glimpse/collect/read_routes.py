"""What can be read over HTTP: live numbers, stored events, the books. Columns and keys are snake_case."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from glimpse.collect.core import wall_clock_ms
from glimpse.collect.metrics import CONTENT_TYPE
from glimpse.collect.parts import JSON, ReadHandler
from glimpse.collect.spans import cursor_asked, format_asked, limit_asked, project_asked, span_asked

_json = msgspec.json.Encoder()


class LiveHandler(ReadHandler):
    """`GET /api/v1/live`: what is happening now."""

    def get(self) -> None:
        """Answer with the numbers that all viewers of the project share."""
        project = project_asked(lambda name: self.get_query_argument(name, None))
        self.answer(self.parts.window.numbers(project).as_json())


class LedgerHandler(ReadHandler):
    """`GET /api/v1/ledger`: what became of every event received."""

    async def get(self) -> None:
        """Answer with the account of one project or of all."""
        project = project_asked(lambda name: self.get_query_argument(name, None))
        self.answer(await self.parts.queries.ledger(project))


class StoredEventsHandler(ReadHandler):
    """`GET /api/v1/events`: stored events, newest first, a page at a time."""

    async def get(self) -> None:
        """Answer with one page, and in `Link` the address of the next."""

        def ask(name: str) -> str | None:
            return self.get_query_argument(name, None)

        project, (since, until) = project_asked(ask), span_asked(ask, wall_clock_ms())
        limit, form, after = limit_asked(ask), format_asked(ask), cursor_asked(ask)
        rows = await self.parts.queries.events(project, since, until, limit + 1, after)
        if len(rows) > limit:
            rows = rows[:limit]
            asked = {"project": project, "since": since, "until": until, "limit": limit, "format": form}
            self.set_header("Link", self._next_link(asked, rows[-1]))
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", JSON if form == "json" else "application/x-ndjson; charset=utf-8")
        self.finish(_json.encode(rows) if form == "json" else _json.encode_lines(rows))

    def _next_link(self, asked: dict[str, Any], last: dict[str, Any]) -> str:
        query = urlencode(asked | {"after": f"{last['time']}:{last['id']}"})
        return f'<{self.parts.root}/api/v1/events?{query}>; rel="next"'


class MetricsHandler(ReadHandler):
    """`GET /metrics`: counts for Prometheus."""

    def get(self) -> None:
        """Answer in Prometheus' text format."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.parts.metrics.text())
