"""How long sessions stay, by when and whence they came."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.errors import QueryError
from glimpse.filters import read_field
from glimpse.filters.fields import Home
from glimpse.store.questions.intervals import intervals_of
from glimpse.store.questions.scope import Scope

Offsets = Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1, max_length=20)]
_AFTER_S = (10, 30, 60, 180, 600, 1800)


def retention(
    scope: Scope, *, field: str | None = "session.source", after_s: Offsets = _AFTER_S, tz: str = "UTC"
) -> ir.Table:
    """Count the sessions that were still there some time after they came, by the day they came and by where from.

    Nothing links a visitor's sessions, so this is not about coming back: it is about staying.

    Parameters
    ----------
    field
        A field of sessions that makes cohorts: `session.source`, `session.country`; null for days alone.
    after_s
        Seconds after the arrival at which sessions are counted.
    tz
        The IANA zone whose days are meant.

    Returns
    -------
    day
        When the day begins, epoch milliseconds UTC.
    value
        The field's; null where it is not known, or without a field.
    after_s
        Seconds after the arrival.
    sessions
        Sessions that arrived on that day.
    still_there
        How many of them gave a sign of life so long after their first, or later.
    share
        From 0 to 1: `still_there` of `sessions`.
    """
    calendar, days = intervals_of(scope, "day", tz)
    sessions = scope.sessions()
    sessions = sessions.mutate(
        bucket=calendar.key_of(sessions.started_at),
        value=ibis.null("string") if field is None else sessions[_column(field)],
    )
    still = {f"after_{number}": (sessions.duration_s >= after).sum() for number, after in enumerate(after_s)}
    cohorts = sessions.group_by(["bucket", "value"]).aggregate(sessions=sessions.count(), **still)
    days = days.rename(day="time", day_bucket="bucket")
    joined = cohorts.join(days, cohorts.bucket == days.day_bucket)
    # A row for each offset out of the one that was counted: a union would count it all again for each.
    numbered = joined.mutate(number=ibis.range(0, len(after_s)).unnest())
    picked = [(numbered.number == number, numbered[f"after_{number}"]) for number in range(len(after_s))]
    afters = [(numbered.number == number, ibis.literal(after, "int64")) for number, after in enumerate(after_s)]
    still_there = ibis.cases(*picked, else_=0).cast("int64")
    rows = numbered.select(
        "day",
        "value",
        after_s=ibis.cases(*afters, else_=ibis.literal(0, "int64")),
        sessions=numbered.sessions.cast("int64"),
        still_there=still_there,
        share=still_there.cast("float64") / numbered.sessions,
    )
    return rows.order_by(["day", ibis.asc("value", nulls_first=True), "after_s"])


def _column(field: str) -> str:
    read = read_field(field)
    if read.home is not Home.SESSION:
        raise QueryError(f"{field} is no field of sessions; use session.…")
    return read.column
