"""What can be read over HTTP beside rows and what is live: the books, saved filters, the server's own counts.

Keys are snake_case. Stored rows are in `rows_routes.py`, the live numbers in `live_routes.py`.
"""

from __future__ import annotations

from http import HTTPStatus

from glimpse.collect.metrics import CONTENT_TYPE
from glimpse.collect.parts import ReadHandler
from glimpse.collect.spans import project_asked
from glimpse.filters import from_json, to_text


class LedgerHandler(ReadHandler):
    """`GET /api/v1/ledger`: what became of every event received."""

    takes = ("project",)

    async def get(self) -> None:
        """Answer with the account of one project or of all."""
        project = project_asked(lambda name: self.get_query_argument(name, None))
        self.answer(await self.parts.queries.ledger(project))


class SegmentsHandler(ReadHandler):
    """`GET /api/v1/segments`: the saved filters that can be asked for by name."""

    takes = ("project",)

    async def get(self) -> None:
        """Answer with those of one project and of all: the filter as text and as JSON."""
        saved = await self.parts.queries.segments(project_asked(lambda name: self.get_query_argument(name, None)))
        rows = [{"name": name, "where": to_text(from_json(kept)), "filter": kept} for name, kept in saved.items()]
        self.answer(rows)


class NothingHandler(ReadHandler):
    """What is not there below `/api/v1/`, told as all mistakes are."""

    def get(self) -> None:
        """Say where to look."""
        self.refuse(HTTPStatus.NOT_FOUND, f"there is no {self.request.path[:80]}; /api/docs has what there is")

    head = post = put = patch = delete = options = get


class MetricsHandler(ReadHandler):
    """`GET /metrics`: counts for Prometheus."""

    def get(self) -> None:
        """Answer in Prometheus' text format."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.parts.metrics.text())
