"""`/api/v1/live`: the numbers that viewers see, through any filter."""

from __future__ import annotations

import asyncio

from glimpse.collect.parts import ReadHandler
from glimpse.collect.spans import filter_asked, project_asked


class LiveHandler(ReadHandler):
    """`GET /api/v1/live`: what is happening now."""

    takes = ("project", "where", "segment")

    async def get(self) -> None:
        """Answer with the numbers that all viewers share who look through the same filter."""
        project = project_asked(self._ask)
        where = await filter_asked(self._ask, self.parts.queries)
        while not self.parts.window.fill(project, where):  # noqa: ASYNC110 - nobody else counts on
            await asyncio.sleep(0)  # others get their turn in between
        self.answer(self.parts.window.numbers(project, where).as_json())

    def _ask(self, name: str) -> str | None:
        return self.get_query_argument(name, None)
