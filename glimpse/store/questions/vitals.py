"""How fast pages are for those who look at them: Web Vitals as browsers measured them."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Any

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.filters import parse, read_field
from glimpse.filters.expression import kept_events, with_number, with_value
from glimpse.store.questions.calendar import Unit
from glimpse.store.questions.intervals import intervals_of
from glimpse.store.questions.scope import Scope

Top = Annotated[int, Meta(ge=1, le=1000)]
Percentile = Annotated[float, Meta(gt=0, le=1)]
# At most this is good: https://web.dev/articles/vitals. Milliseconds; CLS has no unit.
GOOD = {"LCP": 2500.0, "INP": 200.0, "CLS": 0.1, "FCP": 1800.0, "TTFB": 800.0}
_VITALS = parse('name = "web_vital" and properties.metric in ("LCP", "INP", "CLS", "FCP", "TTFB")')


def vitals(scope: Scope, *, field: str | None = None, top: Top = 10, percentile: Percentile = 0.75) -> ir.Table:
    """Tell how fast pages are, by any field: the 75th percentile of each Web Vital.

    Of events named `web_vital`, whose `properties.metric` is LCP, INP, CLS, FCP or TTFB and whose `properties.value` is
    a number. The percentile is the smallest value that is not below that share of all (nearest rank), so it is one that
    was measured, and exact.

    Parameters
    ----------
    field
        What to tell apart: `page`, `country`, `device`; null for all together.
    top
        How many values of the field: those with the most measurements.
    percentile
        Which, from 0 to 1.

    Returns
    -------
    value
        The field's; null where it is not known, or without a field.
    metric
        LCP, INP, CLS, FCP or TTFB.
    percentile
        The percentile's value: milliseconds, of CLS without unit.
    measurements
        How many there are.
    good
        From 0 to 1: how many of them are good, by https://web.dev/articles/vitals.
    """
    measured = _measured(scope)
    measured = (
        measured.mutate(value=ibis.null("string"))
        if field is None
        else with_value(measured, read_field(field), "value", scope.tables.sessions)
    )
    measured = measured.filter(measured.measured.notnull())[["value", "metric", "measured"]]
    if field is not None:
        measured = _of_the_most_frequent(measured, top)
    return _percentiles(measured, percentile)


def vitals_series(scope: Scope, *, unit: Unit = "day", tz: str = "UTC", percentile: Percentile = 0.75) -> ir.Table:
    """Tell how fast pages were over time: as `vitals`, by minute, hour, day, week (from Monday) or month.

    Parameters
    ----------
    unit
        How long an interval is.
    tz
        The IANA zone whose days and hours are meant.
    percentile
        Which, from 0 to 1.

    Returns
    -------
    time
        When the interval begins, epoch milliseconds UTC, ascending; one without measurements has no row.
    metric, percentile, measurements, good
        As in `vitals`.
    """
    calendar, starts = intervals_of(scope, unit, tz)
    measured = _measured(scope)
    measured = measured.filter(measured.measured.notnull())
    bucket = calendar.key_of(measured.time)
    ranked = _percentiles(measured.select("metric", "measured", value=bucket), percentile)
    joined = starts.join(ranked, starts.bucket == ranked.value)
    return joined[["time", "metric", "percentile", "measurements", "good"]].order_by(["time", "metric"])


def _measured(scope: Scope) -> ir.Table:
    """Return the events of measurements, with their `metric` and what was `measured`, null where that is no number."""
    measured = kept_events(_VITALS, scope.events())
    measured = with_value(measured, read_field("properties.metric"), "metric")
    return with_number(measured, read_field("properties.value"), "measured")


def _of_the_most_frequent(measured: ir.Table, top: int) -> ir.Table:
    counts = measured.group_by("value").aggregate(all_measurements=measured.count())
    chosen = counts.order_by([ibis.desc("all_measurements"), ibis.asc("value", nulls_first=True)]).limit(top)
    known = measured.filter(measured.value.notnull()).semi_join(chosen.filter(chosen.value.notnull()), "value")
    unknown = measured.filter(measured.value.isnull()).cross_join(
        chosen.filter(chosen.value.isnull()).select(only_if_chosen=1)
    )
    return known.union(unknown[measured.columns])


def _percentiles(measured: ir.Table, percentile: float) -> ir.Table:
    group = ["value", "metric"]
    within = ibis.window(group_by=group)
    ranked = measured.mutate(
        rank=ibis.row_number().over(ibis.window(group_by=group, order_by="measured")) + 1,
        measurements=measured.count().over(within),
        good=_is_good(measured).cast("float64").mean().over(within),
    )
    wanted = (ranked.measurements * percentile).ceil().cast("int64")
    at = ranked.filter(ranked["rank"] == wanted)
    return at.select(
        "value", "metric", percentile=at.measured, measurements=at.measurements.cast("int64"), good=at.good
    ).order_by([ibis.asc("value", nulls_first=True), "metric"])


def _is_good(measured: ir.Table) -> Any:
    limits = ibis.cases(*[(measured.metric == name, most) for name, most in GOOD.items()], else_=0.0)
    return measured.measured <= limits
