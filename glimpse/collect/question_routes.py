"""Every question to the store over HTTP, by its name: `GET /api/v1/<question>`.

Rule of this module: `QUESTIONS` is the one table; a question that is added there is answered and described here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from glimpse.clock import steady_now_ms
from glimpse.collect.parts import ReadHandler
from glimpse.collect.spans import project_asked, segment_asked, span_asked, where_asked
from glimpse.errors import QueryError
from glimpse.store.questions import QUESTIONS

# These have routes of their own, which stream.
_ROWS = frozenset({"events", "sessions", "journey"})
ASKED_BY_NAME = tuple(name for name in QUESTIONS if name not in _ROWS)
OF_ALL = ("project", "since", "until", "where", "segment")


class QuestionHandler(ReadHandler):
    """One question, and its answer as an array of rows."""

    async def get(self, name: str) -> None:
        """Answer with the rows."""
        await self.while_asked(self._answer(name))

    async def _answer(self, name: str) -> None:
        since, until = span_asked(self._ask, steady_now_ms())
        given = {
            word: _value(values[-1]) for word, values in self.request.query_arguments.items() if word not in OF_ALL
        }
        read = QUESTIONS[name].read(given, from_text=True)
        rows = await self.parts.queries.ask(
            name,
            project=project_asked(self._ask),
            since=since,
            until=until,
            where=where_asked(self._ask),
            segment=segment_asked(self._ask),
            **msgspec.to_builtins(read),
        )
        self.answer(rows)

    def _ask(self, name: str) -> str | None:
        return self.get_query_argument(name, None)


def _value(data: bytes) -> Any:
    """Return an argument of an address: lists, objects and null are JSON, anything else a text."""
    if data == b"null":
        return None
    try:
        return msgspec.json.decode(data) if data[:1] in (b"[", b"{") else data.decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise QueryError(f"an argument that begins with [ or {{ is JSON, and this is none: {problem}") from None
