"""The intervals of a question's span as a table, so that one in which nothing happened has its row too."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

import ibis.expr.types as ir

from glimpse.store.questions.calendar import Calendar, Unit
from glimpse.store.questions.scope import Scope


def intervals_of(scope: Scope, unit: Unit, tz: str) -> tuple[Calendar, ir.Table]:
    """Return a span's calendar, and its intervals.

    Returns
    -------
    time
        When the interval begins, epoch milliseconds UTC.
    bucket
        Its key in the calendar.
    """

    def calendar_of(asked: Scope) -> Calendar:
        return Calendar(unit, tz, asked.since, asked.until)

    calendar = calendar_of(scope)
    scope.fact(lambda asked: calendar_of(asked).pieces)
    starts = scope.value("starts", lambda asked: calendar_of(asked).starts(), "array<int64>")
    starts = starts.unnest().name("time").as_table()
    return calendar, starts.mutate(bucket=calendar.key((starts.time / 1000).cast("int64")))
