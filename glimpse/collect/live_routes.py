"""`/api/v1/live`: the numbers that viewers see, through any filter."""

from __future__ import annotations

import asyncio

from glimpse.collect.parts import ReadHandler
from glimpse.collect.spans import project_asked, where_asked


class LiveHandler(ReadHandler):
    """`GET /api/v1/live`: what is happening now."""

    async def get(self) -> None:
        """Answer with the numbers that all viewers share who look through the same filter."""
        project = project_asked(lambda name: self.get_query_argument(name, None))
        where = where_asked(lambda name: self.get_query_argument(name, None))
        while not self.parts.window.fill(project, where):  # noqa: ASYNC110 - nobody else counts on
            await asyncio.sleep(0)  # others get their turn in between
        self.answer(self.parts.window.numbers(project, where).as_json())
