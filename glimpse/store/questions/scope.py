"""What every question is about: a project, a span, a filter, and the tables they are asked of.

Rule of this module: `[since, until)` in epoch milliseconds UTC; signs of life are no events; a layer of a project is
seen only where it is asked for by name.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir

from glimpse.errors import QueryError
from glimpse.events import LAYER_OF_BOTS, PAGE_VIEW, SIGNS_OF_LIFE
from glimpse.filters import Filter
from glimpse.filters.expression import condition_on, is_of_sessions_alone, kept_by, session_columns, sessions_of
from glimpse.store.questions.form import Form

T = TypeVar("T")

ALL_PROJECTS = "*"
LAST_MS = 253_402_300_799_999  # the end of year 9999


@dataclass(frozen=True)
class Tables:
    """The store's tables, of whichever engine. Columns: `glimpse.events.Event` and `Session`."""

    events: ir.Table
    sessions: ir.Table
    imported: ir.Table | None = None  # `glimpse.events.ImportedTotal`


@dataclass(frozen=True)
class Scope:
    """Whose data, of when, and which of it.

    With a `form`, the question is compiled to be asked of other scopes too. What it takes from project, span and filter
    it then takes by `value`, `fact` or `kept`, never straight.
    """

    tables: Tables
    project: str = ALL_PROJECTS
    since: int = 0
    until: int = LAST_MS
    where: Filter | None = None
    form: Form | None = field(default=None, compare=False)
    _prefix: str = field(default="", compare=False)
    _from: Callable[[Scope], Scope] = field(default=lambda asked: asked, compare=False)

    def value(self, name: str, of: Callable[[Scope], Any], kind: str) -> ir.Value:
        """Return what follows from project and span as a scalar of an Ibis type: a literal, or a blank of the form."""
        if self.form is None:
            return ibis.literal(of(self), kind)
        return self.form.blank(self._prefix + name, lambda asked: of(self._from(asked)), kind)

    def fact(self, of: Callable[[Scope], T]) -> T:
        """Return what follows from project and span, and decides the form of the question."""
        found = of(self)
        if self.form is not None:
            self.form.rely(lambda asked: of(self._from(asked)), found)
        return found

    def derived(self, name: str, change: Callable[[Scope], Scope]) -> Scope:
        """Return another scope that follows from this one; its values have names of their own."""
        return replace(change(self), _prefix=f"{self._prefix}{name}_", _from=lambda asked: change(self._from(asked)))

    def events(self) -> ir.Table:
        """Return the span's events that the filter keeps, without signs of life; order is not defined."""
        return self.kept(self.every_event())

    def kept(self, events: ir.Table, sessions: ir.Table | None = None) -> ir.Table:
        """Return those of some events that the filter keeps; of sessions it may ask about some alone."""
        if self.form is None and self.where is None:
            return events
        asks_of_sessions = self.fact(lambda scope: scope.where is not None and bool(session_columns(scope.where)))
        columns = self.tables.sessions.columns if asks_of_sessions else ()
        return kept_by(self._condition, columns, events, self.tables.sessions if sessions is None else sessions)

    def every_event(self) -> ir.Table:
        """Return the span's events whatever the filter, without signs of life."""
        span = self._in_project(self.tables.events)
        if self.fact(lambda scope: scope.since > 0):
            span = span.filter(span.time >= self._since)
        if self.fact(lambda scope: scope.until < LAST_MS):
            span = span.filter(span.time < self._until)
        return span.filter(span.name.notin(sorted(SIGNS_OF_LIFE)))

    def sessions(self) -> ir.Table:
        """Return the sessions that started in the span, with an event that the filter keeps."""
        span = self._in_project(self.tables.sessions)
        span = span.filter((span.started_at >= self._since) & (span.started_at < self._until))
        if self.fact(lambda scope: scope.where is None):
            return span
        if self.fact(lambda scope: is_of_sessions_alone(scope.where)):
            return span.filter(self._condition(span, "", "where_alone"))
        # A session's events can come after the span's end, not before its start.
        onwards = self.derived("onwards", lambda scope: replace(scope, until=LAST_MS))
        return sessions_of(onwards.kept(onwards.every_event(), span), span)

    def imported(self) -> ir.Table:
        """Return what other trackers counted of the days that begin in the span."""
        if self.fact(lambda scope: scope.where is not None):
            raise QueryError("imported totals can't be filtered: there are no events behind them")
        if self.tables.imported is None:
            raise QueryError("this store holds no imported totals")
        span = self._in_project(self.tables.imported)
        return span.filter((span.day >= self._since) & (span.day < self._until))

    @property
    def session_key(self) -> list[str]:
        """The event columns that tell sessions apart: an id means something within its project only."""
        return ["project", "session_id"] if self._is_of_all else ["session_id"]

    def per_session(self, events: ir.Table, *by: str) -> ir.Table:
        """Return one row for each session and group: the key, `events`, `page_views`.

        `counted` makes counts of it. In two steps the count of sessions is exact on every engine.
        """
        views = (events.name == PAGE_VIEW).cast("int64").sum()
        return events.group_by([*by, *self.session_key]).aggregate(events=events.count(), page_views=views)

    def _condition(self, table: ir.Table, session_prefix: str, name: str = "where") -> ir.BooleanValue:
        """Return the filter as a condition on a table, or a blank of the form."""
        if self.form is None:
            return condition_on(self.where, table, session_prefix)
        return self.form.condition(self._prefix + name, lambda asked: self._from(asked).where, table, session_prefix)

    @property
    def _is_of_all(self) -> bool:
        return self.fact(lambda scope: scope.project == ALL_PROJECTS)

    @property
    def _since(self) -> ir.Value:
        return self.value("since", lambda scope: _moment(scope.since), "timestamp")

    @property
    def _until(self) -> ir.Value:
        return self.value("until", lambda scope: _moment(scope.until), "timestamp")

    def _in_project(self, table: ir.Table) -> ir.Table:
        if self._is_of_all:
            return in_project(table, ALL_PROJECTS)
        return table.filter(table.project == self.value("project", lambda scope: scope.project, "string"))


def counted(per_session: ir.Table, *by: str) -> ir.Table:
    """Return one row for each group: `events`, `page_views`, `sessions`, of `Scope.per_session`."""
    sums = {
        "events": per_session.events.sum().fill_null(0).cast("int64"),
        "page_views": per_session.page_views.sum().fill_null(0).cast("int64"),
        "sessions": per_session.count(),
    }
    return per_session.group_by(list(by)).aggregate(**sums) if by else per_session.aggregate(**sums)


def in_project(table: ir.Table, project: str) -> ir.Table:
    """Return one project's rows; those of all are without layers, which are seen only where they are asked for."""
    return table.filter(~table.project.endswith(LAYER_OF_BOTS) if project == ALL_PROJECTS else table.project == project)


def moment(epoch_ms: int) -> ir.TimestampScalar:
    """Return a time as the tables hold it: UTC, without a zone."""
    return ibis.literal(_moment(epoch_ms))


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).replace(tzinfo=None)
