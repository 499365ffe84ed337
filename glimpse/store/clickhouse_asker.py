"""How one thread reads ClickHouse: a client of its own, with which it can do nothing else.

Rule of this module: values are bound, never pasted; what takes too long or nobody waits for, the server itself ends.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import msgspec

from glimpse.store.clickhouse_client import Place, failures
from glimpse.store.clickhouse_killing import Killing
from glimpse.store.questions import ALL_PROJECTS, Question, Scope
from glimpse.store.segments import Segment

TIME_LIMIT_S = 30
_BOOKS = (
    "SELECT project, outcome, shard, any(entry_id), sum(events) FROM ledger WHERE outcome != 'lot'"
    " GROUP BY project, outcome, shard"
)
_SEGMENTS = (
    "SELECT name, filter FROM segments WHERE project IN ({project:String}, {all:String})"
    " ORDER BY project = {project:String}, name"
)
_EVERY_SEGMENT = "SELECT project, name, filter FROM segments ORDER BY project, name"


class ClickHouseAsker:
    """Asks with a client of its own."""

    engine = "clickhouse"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client = place.connect_to_read(max_execution_time=TIME_LIMIT_S)
        self._killing = Killing(place)

    def answer(self, question: Question, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        asked = question.expression(scope, arguments)
        flags = [name for name, kind in asked.schema().items() if kind.is_boolean()]  # ClickHouse's are 0 and 1
        rows = self.table(self.compiled(asked), ()).to_pylist()
        return [row | {name: None if row[name] is None else bool(row[name]) for name in flags} for row in rows]

    def compile_ahead(self) -> bool:
        """Do nothing: each question is compiled as it is asked."""
        return False

    def accounts(self) -> tuple[dict[int, str], dict[tuple[str, str], int]]:
        """Return how far each shard is stored, and the drain's counts by project and outcome; both of one moment."""
        with failures("the store can't be read"):
            found = self._client.query(_BOOKS).result_rows
        positions = {shard: entry_id for _, outcome, shard, entry_id, _ in found if outcome == "position"}
        return positions, {(name, outcome): events for name, outcome, _, _, events in found if outcome != "position"}

    def positions(self) -> dict[int, str]:
        """Return the last stream entry of each shard whose events are all stored."""
        return self.accounts()[0]

    def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters of a project and those of all, by name; of one name the project's own."""
        with failures("the store can't be read"):
            found = self._client.query(_SEGMENTS, {"project": project, "all": ALL_PROJECTS}).result_rows
        return {name: msgspec.json.decode(filter_) for name, filter_ in found}

    def every_segment(self) -> list[Segment]:
        """Return the saved filters of all projects, by project and name."""
        with failures("the store can't be read"):
            found = self._client.query(_EVERY_SEGMENT).result_rows
        return [Segment(project, name, msgspec.json.decode(filter_)) for project, name, filter_ in found]

    def put_segment(self, project: str, name: str, where: dict[str, Any] | None) -> None:
        """Save a filter under a name, or forget the name."""
        text = "" if where is None else msgspec.json.encode(where).decode()
        names = ["project", "name", "filter", "version", "is_gone"]
        writer = self._place.connect()
        try:
            with failures("the segment can't be saved"):
                writer.insert("segments", [[project, name, text, time.time_ns(), int(where is None)]], names)
        finally:
            writer.close()

    def compiled(self, rows: ir.Table) -> str:
        """Return an expression as SQL."""
        return ibis.to_sql(rows, dialect="clickhouse")

    def begin(self) -> None:
        """See the store as it goes on: ClickHouse has no view of one moment over several questions."""

    def fetch(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query of ours; its values are `p0`, `p1` and so on."""
        with failures("the store can't give out rows"), self._killing.under_way(sql) as asked:
            found = self._client.query(asked, parameters=_named(values))
            return [tuple(row) for row in found.result_rows]

    def table(self, sql: str, values: Sequence[Any]) -> Any:
        """Return the answer to a query of ours as an Arrow table."""
        with failures("the store can't give out rows"), self._killing.under_way(sql) as asked:
            return self._client.query_arrow(asked, parameters=_named(values), use_strings=True)

    def interrupt(self) -> None:
        """Have the server end what is under way; should it not hear, its time limit does."""
        self._killing.end()

    def close(self) -> None:
        """Let go of the client."""
        self._client.close()


def _named(values: Sequence[Any]) -> dict[str, Any] | None:
    return {f"p{number}": value for number, value in enumerate(values)} or None
