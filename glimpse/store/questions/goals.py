"""Whether sessions do what a site is there for."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Any

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.filters import read_field, to_text
from glimpse.filters.expression import with_flags, with_value
from glimpse.store.questions.scope import Scope
from glimpse.store.questions.sent import SentFilter, needed_filter, needed_filters

Goals = Annotated[list[SentFilter], Meta(min_length=1, max_length=20)]
Top = Annotated[int, Meta(ge=1, le=1000)]


def goals(scope: Scope, *, goals: Goals) -> ir.Table:
    """Count events that reach goals, and the sessions with one.

    Parameters
    ----------
    goals
        Filters, such as `name = "signup"`.

    Returns
    -------
    goal
        Its number, from 1.
    filter
        Its filter as text.
    events
        Events that meet it.
    sessions
        Sessions with such an event.
    conversion
        From 0 to 1: of all sessions with an event in the span that the question's own filter keeps.
    """
    filters = needed_filters(goals, "goals")
    flags = {f"goal_{number}": said for number, said in enumerate(filters, 1)}
    events = with_flags(scope.events(), flags, scope.tables.sessions)
    per_session = events.group_by(scope.session_key).aggregate(
        **{flag: events[flag].cast("int64").sum() for flag in flags}
    )
    sums = {flag: per_session[flag].sum().fill_null(0) for flag in flags}
    reached = {f"with_{flag}": (per_session[flag] > 0).cast("int64").sum().fill_null(0) for flag in flags}
    counts = per_session.aggregate(everyone=per_session.count(), **sums, **reached)
    rows = [
        counts.select(
            goal=ibis.literal(number, "int64"),
            filter=ibis.literal(to_text(said)),
            events=counts[flag].cast("int64"),
            sessions=counts[f"with_{flag}"].cast("int64"),
            conversion=_share(counts[f"with_{flag}"], counts.everyone),
        )
        for number, (flag, said) in enumerate(flags.items(), 1)
    ]
    return (ibis.union(*rows) if len(rows) > 1 else rows[0]).order_by("goal")


def conversion(scope: Scope, *, goal: SentFilter, field: str, top: Top = 10) -> ir.Table:
    """Compare how many sessions reach a goal by the values of a field, those with the most sessions first.

    Parameters
    ----------
    goal
        A filter, such as `name = "signup"`.
    field
        What to tell apart: `source`, `country`, `session.entry_page`. A session counts at each value that one of its
        events has, and its goal, wherever it was reached, at each of them.
    top
        How many values.

    Returns
    -------
    value
        The field's; null where it is not known.
    sessions
        Sessions with an event that has the value.
    reached
        How many of them reached the goal.
    conversion
        From 0 to 1: `reached` of `sessions`.
    """
    flagged = with_flags(scope.events(), {"is_goal": needed_filter(goal, "goal")}, scope.tables.sessions)
    events = with_value(flagged, read_field(field), "value", scope.tables.sessions)
    apart = events.group_by(["value", *scope.session_key]).aggregate(goals=events.is_goal.cast("int64").sum())
    window = ibis.window(group_by=scope.session_key)
    apart = apart.mutate(has_goal=apart.goals.sum().over(window) > 0)
    counts = apart.group_by("value").aggregate(sessions=apart.count(), reached=apart.has_goal.cast("int64").sum())
    rows = counts.mutate(conversion=_share(counts.reached, counts.sessions))
    return rows.order_by([ibis.desc("sessions"), ibis.asc("value", nulls_first=True)]).limit(top)


def _share(part: Any, whole: Any) -> Any:
    return ibis.ifelse(whole > 0, part.cast("float64") / whole, 0.0)
