"""How the sessions of each interval turned out: whether they bounced, how long they stayed, who reached a goal."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir

from glimpse.store.questions.calendar import Calendar, Unit
from glimpse.store.questions.intervals import intervals_of
from glimpse.store.questions.scope import Scope
from glimpse.store.questions.sent import SentFilter, needed_filter


def outcomes(scope: Scope, *, unit: Unit = "day", tz: str = "UTC", goal: SentFilter | None = None) -> ir.Table:
    """Tell how sessions turned out, by the interval in which they started; intervals without any are there too.

    Parameters
    ----------
    unit
        How long an interval is: minute, hour, day, week (from Monday) or month.
    tz
        The IANA zone whose days and hours are meant.
    goal
        A filter, such as `name = "signup"`; without it nothing is reached.

    Returns
    -------
    time
        When the interval begins, epoch milliseconds UTC, ascending.
    sessions
        Sessions that started in it, with an event that the question's own filter keeps.
    bounces
        How many of them bounced.
    duration_s
        How long they lasted in the mean, seconds; null without any.
    reached
        How many of them have an event that reaches the goal, and that the question's own filter keeps.
    """
    calendar, starts = intervals_of(scope, unit, tz)
    started = _by_start(scope, calendar)
    counts = started.group_by("bucket").aggregate(
        sessions=started.count().cast("int64"),
        bounces=started.is_bounce.cast("int64").sum().cast("int64"),
        duration_s=started.duration_s.cast("float64").mean(),
    )
    if goal is None:
        counts = counts.mutate(reached=ibis.literal(0, "int64"))
    else:
        reached = _reached(scope, calendar, goal)
        both = counts.left_join(reached, counts.bucket == reached.goal_bucket)
        counts = both.drop("goal_bucket")
    joined = starts.left_join(counts, starts.bucket == counts.bucket)
    return joined.select(
        time=joined.time,
        sessions=joined.sessions.fill_null(0),
        bounces=joined.bounces.fill_null(0),
        duration_s=ibis.ifelse(joined.sessions.fill_null(0) > 0, joined.duration_s, ibis.null("float64")),
        reached=joined.reached.fill_null(0),
    ).order_by("time")


def _by_start(scope: Scope, calendar: Calendar) -> ir.Table:
    sessions = scope.sessions()
    return sessions.mutate(bucket=calendar.key_of(sessions.started_at))


def _reached(scope: Scope, calendar: Calendar, goal: SentFilter) -> Any:
    said = needed_filter(goal, "goal")

    def narrowed(asked: Scope) -> Scope:
        return replace(asked, where=said if asked.where is None else asked.where & said)

    with_goal = _by_start(scope.derived("goal", narrowed), calendar)
    return with_goal.group_by(goal_bucket="bucket").aggregate(reached=with_goal.count().cast("int64"))
