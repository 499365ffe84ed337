"""How one thread reads DuckDB: a cursor of its own.

Rule of this module: values are bound, never pasted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import msgspec

from glimpse.errors import StoreUnavailable
from glimpse.store.compiled import CompiledQuestions
from glimpse.store.questions import ALL_PROJECTS, Question, Scope
from glimpse.store.questions.ledger import ledger_counts
from glimpse.store.segments import Segment


class DuckAsker:
    """Asks with a cursor. Those of one store share the questions that were compiled."""

    engine = "duckdb"

    def __init__(self, cursor: duckdb.DuckDBPyConnection, ledger: ir.Table, questions: CompiledQuestions) -> None:
        self._cursor = cursor
        self._ledger = ledger
        self._questions = questions

    def answer(self, question: Question, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        return self._questions.rows(self._cursor, question, scope, arguments)

    def compile_ahead(self) -> bool:
        """Compile one form in which a question is likely to be asked next; false when there is none."""
        return self._questions.compile_ahead()

    def accounts(self) -> tuple[dict[int, str], dict[tuple[str, str], int]]:
        """Return how far each shard is stored, and the drain's counts by project and outcome; both of one moment."""
        self._cursor.begin()
        try:
            positions = positions_of(self._cursor)
            rows = rows_of(self._cursor, ledger_counts(self._ledger))
            return positions, {(row["project"], row["outcome"]): int(row["events"]) for row in rows}
        finally:
            self._cursor.rollback()

    def positions(self) -> dict[int, str]:
        """Return the last stream entry of each shard whose events are all stored."""
        return positions_of(self._cursor)

    def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters of a project and those of all, by name; of one name the project's own."""
        found = self._cursor.execute(
            "SELECT name, filter FROM segments WHERE project IN (?, ?) ORDER BY project = ?, name",
            [project, ALL_PROJECTS, project],
        ).fetchall()
        return {name: msgspec.json.decode(filter_) for name, filter_ in found}

    def every_segment(self) -> list[Segment]:
        """Return the saved filters of all projects, by project and name."""
        found = self._cursor.execute("SELECT project, name, filter FROM segments ORDER BY ALL").fetchall()
        return [Segment(project, name, msgspec.json.decode(filter_)) for project, name, filter_ in found]

    def put_segment(self, project: str, name: str, where: dict[str, Any] | None) -> None:
        """Save a filter under a name, or forget the name."""
        if where is None:
            self._cursor.execute("DELETE FROM segments WHERE project = ? AND name = ?", [project, name])
        else:
            given = [project, name, msgspec.json.encode(where).decode()]
            self._cursor.execute("INSERT OR REPLACE INTO segments VALUES (?, ?, ?)", given)

    def compiled(self, rows: ir.Table) -> str:
        """Return an expression as SQL."""
        return ibis.to_sql(rows, dialect="duckdb")

    def begin(self) -> None:
        """See the store as it is now, until `close`."""
        try:
            self._cursor.begin()
        except duckdb.Error as problem:
            raise _unavailable(problem) from problem

    def fetch(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query of ours."""
        try:
            return self._cursor.execute(sql, list(values)).fetchall()
        except duckdb.Error as problem:
            raise _unavailable(problem) from problem

    def table(self, sql: str, values: Sequence[Any]) -> Any:
        """Return the answer to a query of ours as an Arrow table."""
        try:
            return self._cursor.sql(sql, params=list(values)).to_arrow_table()
        except duckdb.Error as problem:
            raise _unavailable(problem) from problem

    def interrupt(self) -> None:
        """Have what is under way end soon; where the store has been closed, nothing is."""
        with contextlib.suppress(duckdb.Error):
            self._cursor.interrupt()

    def close(self) -> None:
        """Let go of the cursor."""
        self._cursor.close()


def _unavailable(problem: duckdb.Error) -> StoreUnavailable:
    return StoreUnavailable(f"the store can't give out rows: {problem}")


def positions_of(cursor: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return the last stream entry of each shard whose events are all stored, as the cursor's transaction sees it."""
    found = cursor.execute("SELECT stream, entry_id FROM positions").fetchall()
    return {int(stream.partition(":")[2] or 0): entry_id for stream, entry_id in found}


def rows_of(cursor: duckdb.DuckDBPyConnection, question: ir.Table) -> list[dict[str, Any]]:
    """Return the rows that answer a question, asked with a cursor."""
    return cursor.sql(ibis.to_sql(question, dialect="duckdb")).to_arrow_table().to_pylist()
