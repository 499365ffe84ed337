"""How counts go over time."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

import ibis.expr.types as ir

from glimpse.store.questions.calendar import Unit
from glimpse.store.questions.intervals import intervals_of
from glimpse.store.questions.scope import Scope, counted


def series(scope: Scope, *, unit: Unit = "day", tz: str = "UTC") -> ir.Table:
    """Count by minute, hour, day, week (from Monday) or month of a time zone; intervals with nothing are there too.

    Parameters
    ----------
    unit
        How long an interval is.
    tz
        The IANA zone whose days and hours are meant. The hour that its clock shows twice is two rows.

    Returns
    -------
    time
        When the interval begins, epoch milliseconds UTC, ascending. The first may begin before `since`; only what
        lies in the span is counted.
    events, page_views
        How many.
    sessions
        Sessions with an event in the interval.
    """
    calendar, starts = intervals_of(scope, unit, tz)
    events = scope.events()
    events = events.mutate(bucket=calendar.key_of(events.time))
    counts = counted(scope.per_session(events, "bucket"), "bucket")
    joined = starts.left_join(counts, starts.bucket == counts.bucket)
    return joined.select(
        time=joined.time,
        events=joined.events.fill_null(0),
        page_views=joined.page_views.fill_null(0),
        sessions=joined.sessions.fill_null(0),
    ).order_by("time")
