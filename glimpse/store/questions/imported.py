"""What other trackers counted of whole days, before Glimpse did.

Rule of this module: these numbers stand alone. They were counted by another's rules, and are in no other answer.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Literal

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.store.questions.scope import Scope
from glimpse.store.rows import COUNT_COLUMNS

Dimension = Literal[
    "day",
    "page",
    "entry_page",
    "exit_page",
    "source",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "country",
    "region",
    "city",
    "device",
    "browser",
    "os",
    "event",
]
Top = Annotated[int, Meta(ge=1, le=100_000)]


def imported(scope: Scope, *, dimension: Dimension = "day", top: Top = 1000) -> ir.Table:
    """Show the daily totals that were imported from another tracker. They are in no other answer.

    Parameters
    ----------
    dimension
        What they are counted by. `day` is everything, a row a day.
    top
        How many values at most: of days the first, of others those with the most visitors.

    Returns
    -------
    origin
        Who counted: `plausible`.
    value
        The day, as `2026-03-01`, or the value as the other tracker calls it; null where it was not known.
    visitors
        Each day's, summed up: who came on two days is two of them. Null where it was not counted, as all of these.
    visits, page_views, events, bounces
        How many.
    visit_duration_s
        Of all visits together, seconds.

    Notes
    -----
    Of a span, those days whose beginning is in it, as if the other tracker's zone were UTC. There are no events behind
    these numbers, so they can't be filtered.
    """
    found = scope.imported()
    found = found.filter(found.dimension == dimension)
    sums = {name: found[name].sum().cast("int64") for name in COUNT_COLUMNS}
    counted = found.group_by(["origin", "value"]).aggregate(**sums)
    by_size = [] if dimension == "day" else [ibis.desc("visitors", nulls_first=False)]
    return counted.order_by([*by_size, ibis.asc("value", nulls_first=True), "origin"]).limit(top)
