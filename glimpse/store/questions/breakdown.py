"""What there is of each value of a field."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Any, Literal

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.events import PAGE_VIEW
from glimpse.filters import read_field
from glimpse.filters.expression import with_value
from glimpse.filters.fields import Field, Home
from glimpse.store.questions.scope import Scope, counted

Measure = Literal["events", "page_views", "sessions"]
Top = Annotated[int, Meta(ge=1, le=1000)]
_MOST_BITS = 30  # values that are counted by a bit each


def breakdown(scope: Scope, *, field: str, top: Top = 10, by: Measure = "events") -> ir.Table:
    """Count by the values of any field: the most frequent ones, and all others together.

    Parameters
    ----------
    field
        As filters name it: `page`, `country`, `session.entry_page`, `properties.plan`.
    top
        How many values have a row of their own.
    by
        What decides their order, and what `share` is a share of.

    Returns
    -------
    value
        The value; null where it is not known, and in the row of all others. Values of JSON are text.
    is_other
        True in the last row, that of all values without a row of their own. It is left out when there are none.
    events, page_views
        How many.
    sessions
        Sessions with an event that has the value. A session may have several, so these may sum up to more than all.
    share
        From 0 to 1: of `by`, this row's part of all in the span.
    """
    read = read_field(field)
    is_of_sessions = read.home is Home.SESSION
    if is_of_sessions:
        apart = _with_its_value(scope, read)
    else:
        events = with_value(scope.events(), read, "value")
        if by != "sessions" and top <= _MOST_BITS:
            return _with_share(_by_bits(scope, events, top, by), by)
        apart = scope.per_session(events, "value")
    ranked = counted(apart, "value").order_by([ibis.desc(by), ibis.asc("value", nulls_first=True)]).limit(top)
    labelled = _with_others(apart, ranked)
    if is_of_sessions:
        return _with_share(counted(labelled, "value", "is_other"), by)
    # Of the others together a session counts once, so sessions are told apart again.
    again = labelled.group_by(["value", "is_other", *scope.session_key]).aggregate(
        events=labelled.events.sum(), page_views=labelled.page_views.sum()
    )
    whole = labelled.select(scope.session_key).distinct().count().as_scalar() if by == "sessions" else None
    return _with_share(counted(again, "value", "is_other"), by, whole)


def _with_its_value(scope: Scope, field: Field) -> ir.Table:
    """Return each session's counts with its value of a field of sessions: it has one, so it is looked up once."""
    beside = [] if "project" in scope.session_key else ["project"]
    return with_value(scope.per_session(scope.events(), *beside), field, "value", scope.tables.sessions)


def _by_bits(scope: Scope, events: ir.Table, top: int, by: Measure) -> ir.Table:
    """Return the rows without their share, for the price of one row a session.

    The values that have a row of their own are known by their events. Each session has a mask with a bit for each row
    that it counts in, the last one being that of the others.
    """
    views = (events.name == PAGE_VIEW).cast("int64").sum()
    values = events.group_by("value").aggregate(events=events.count(), page_views=views)
    order = [ibis.desc(by), ibis.asc("value", nulls_first=True)]
    ranked = values.order_by(order).limit(top)
    ranked = ranked.mutate(bit=ibis.row_number().over(ibis.window(order_by=[*order])).cast("int64"))
    values = _labelled(values, ranked, top)
    rows = values.group_by("bit").aggregate(
        value=values.value.max(),
        events=values.events.sum().fill_null(0),
        page_views=values.page_views.sum().fill_null(0),
    )
    labelled = _labelled(events.select("value", *scope.session_key), ranked, top)
    one = ibis.literal(1).cast("int64")  # a plain 1 is one byte to ClickHouse, with room for eight rows
    masks = labelled.group_by(scope.session_key).aggregate(mask=(one << labelled.bit).bit_or())
    sums = {f"with_{bit}": ((masks.mask >> bit) & 1).sum().fill_null(0) for bit in range(top + 1)}
    beside = rows.cross_join(masks.aggregate(**sums))
    sessions = ibis.cases(
        *[(beside.bit == bit, beside[f"with_{bit}"]) for bit in range(top)], else_=beside[f"with_{top}"]
    )
    is_other = beside.bit == top
    value = ibis.ifelse(is_other, ibis.null(events.value.type()(nullable=True)), beside.value)
    return beside.select("events", "page_views", value=value, is_other=is_other, sessions=sessions.cast("int64"))


def _labelled(table: ir.Table, ranked: ir.Table, top: int) -> ir.Table:
    """Return a table with each value's bit: its rank from 0, or that after the last."""
    empty = _empty(table.value)
    chosen = ranked.select(chosen=ranked.value.fill_null(empty), is_null=ranked.value.isnull(), rank_bit=ranked.bit)
    joined = table.left_join(
        chosen, [table.value.fill_null(empty) == chosen.chosen, table.value.isnull() == chosen.is_null]
    )
    return joined.mutate(bit=joined.rank_bit.fill_null(top)).drop("chosen", "is_null", "rank_bit")


def _with_others(apart: ir.Table, ranked: ir.Table) -> ir.Table:
    """Return each session's counts with the value taken away where it is none of the ranked ones."""
    marked = _labelled(apart, ranked.mutate(bit=ibis.literal(0, "int64")), 1)
    is_other = marked.bit == 1
    value = ibis.ifelse(is_other, ibis.null(apart.value.type()(nullable=True)), marked.value)
    return marked.mutate(value=value, is_other=is_other)


def _with_share(rows: ir.Table, by: Measure, whole: Any = None) -> ir.Table:
    total = rows[by].sum().as_scalar() if whole is None else whole
    share = ibis.ifelse(rows[by] > 0, rows[by].cast("float64") / total, 0.0)
    ordered = rows.mutate(share=share)[["value", "is_other", "events", "page_views", "sessions", "share"]]
    return ordered.order_by([ibis.asc("is_other"), ibis.desc(by), ibis.asc("value", nulls_first=True)])


def _empty(column: ir.Column) -> Any:
    if column.type().is_string():
        return ""
    return ibis.literal(False) if column.type().is_boolean() else ibis.literal(0).cast(column.type())  # noqa: FBT003
