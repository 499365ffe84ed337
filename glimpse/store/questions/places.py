"""Where what happened came from, place by place."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Any

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.store.questions.scope import Scope

Most = Annotated[int, Meta(ge=1, le=100_000)]
DIGITS = 2  # of degrees, within which positions are one place: about a kilometre, as on the live map


def places(scope: Scope, *, top: Most = 1000) -> ir.Table:
    """Count by place, the most frequent first; what is of no known place is one row, without coordinates.

    Parameters
    ----------
    top
        How many places at most.

    Returns
    -------
    lat, lon
        In degrees, rounded to two digits: what lies within about a kilometre is one place.
    city, region, country
        Of one of its events; null where it is not known.
    events
        How many.
    sessions
        Sessions with an event there. A session may have been in several places.
    last
        When its last event happened, epoch milliseconds UTC.
    """
    events = scope.events()
    is_known = events.lat.notnull() & events.lon.notnull()
    rounded = {name: ibis.ifelse(is_known, _rounded(events[name]), None) for name in ("lat", "lon")}
    events = events.mutate(**rounded)
    by_session = events.group_by(["lat", "lon", *scope.session_key]).aggregate(
        events=events.count(), last=events.time.max(), **{name: events[name].max() for name in _NAMES}
    )
    rows = by_session.group_by(["lat", "lon"]).aggregate(
        **{name: by_session[name].max() for name in _NAMES},
        events=by_session.events.sum().cast("int64"),
        sessions=by_session.count(),
        last=by_session["last"].max(),
    )
    order = [ibis.desc("events"), ibis.asc("lat", nulls_first=True), ibis.asc("lon", nulls_first=True)]
    return rows[["lat", "lon", *_NAMES, "events", "sessions", "last"]].order_by(order).limit(top)


def _rounded(degrees: Any) -> Any:
    """Return degrees rounded, a half up: of halves, each engine's own rounding makes something else."""
    return (degrees * 10**DIGITS + 0.5).floor() / 10**DIGITS


_NAMES = ("city", "region", "country")
