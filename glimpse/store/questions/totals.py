"""The most important counts of a span, alone and beside those of the span before."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from glimpse.errors import QueryError
from glimpse.store.questions.calendar import span_before
from glimpse.store.questions.scope import LAST_MS, Scope, counted


def totals(scope: Scope) -> ir.Table:
    """Count what is in a span, in one row.

    Returns
    -------
    events, page_views
        How many.
    sessions
        Sessions with an event in the span.
    bounces
        Sessions that started in the span and bounced.
    """
    counts = counted(scope.per_session(scope.events()))
    started = scope.sessions()
    bounced = started.aggregate(bounces=started.is_bounce.cast("int64").sum().fill_null(0).cast("int64"))
    return counts.cross_join(bounced)


def comparison(scope: Scope, *, tz: str = "UTC") -> ir.Table:
    """Count what is in a span and what was in the span before it.

    Parameters
    ----------
    tz
        The IANA zone whose days are meant: a span of whole days is compared with as many days before it, also when one
        of them had 23 or 25 hours; any other span with as much time before it.

    Returns
    -------
    period
        `now`, then `before`.
    since, until
        Its span, epoch milliseconds UTC.
    events, page_views, sessions, bounces
        As in `totals`.
    """
    if scope.fact(lambda asked: asked.since <= 0 or asked.until >= LAST_MS):
        raise QueryError("a comparison needs both since and until")

    def before(asked: Scope) -> Scope:
        since, until = span_before(asked.since, asked.until, tz)
        return replace(asked, since=since, until=until)

    periods = {"now": scope, "before": scope.derived("before", before)}
    rows = [
        totals(span).mutate(
            order=ibis.literal(number, "int64"),
            period=ibis.literal(name),
            since=span.value("since_ms", lambda asked: asked.since, "int64"),
            until=span.value("until_ms", lambda asked: asked.until, "int64"),
        )
        for number, (name, span) in enumerate(periods.items())
    ]
    ordered = ibis.union(*rows).order_by("order")
    return ordered[["period", "since", "until", "events", "page_views", "sessions", "bounces"]]
