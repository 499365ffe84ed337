"""How far sessions come along steps in their order."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Any

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.filters import to_text
from glimpse.filters.expression import in_order, with_flags
from glimpse.store.questions.scope import Scope
from glimpse.store.questions.sent import SentFilter, needed_filter

Steps = Annotated[list[SentFilter], Meta(min_length=1, max_length=20)]
Seconds = Annotated[float, Meta(gt=0)]


def funnel(scope: Scope, *, steps: Steps, within_s: Seconds | None = None) -> ir.Table:
    """Count the sessions that came to each of some steps, one after the other, with anything in between.

    A session is at a step when one of its events meets the step's filter, after an event for the step before. One event
    is one step. With `within_s`, from the first step to this one no more time may have passed; a session that began
    more than once counts with its best try.

    Parameters
    ----------
    steps
        Filters, in order.
    within_s
        Seconds that it may take from the first step on; by default as long as the session.

    Returns
    -------
    step
        Its number, from 1.
    filter
        Its filter as text.
    sessions
        Sessions that came to it.
    share
        From 0 to 1: of the sessions at the first step.
    of_previous
        From 0 to 1: of the sessions at the step before; 1 at the first.
    """
    filters = [needed_filter(step, "a step") for step in steps]
    flags = [f"is_step_{number}" for number in range(1, len(filters) + 1)]
    events = with_flags(scope.events(), dict(zip(flags, filters, strict=True)), scope.tables.sessions)
    events = events.filter(ibis.or_(*[events[flag] for flag in flags]))
    key = scope.session_key
    taken = events.select(*key, "time", *flags, id=in_order(events))
    counts = _counts(taken, key, flags, within_s)
    rows = [
        counts.select(
            step=ibis.literal(number, "int64"),
            filter=ibis.literal(to_text(said)),
            sessions=counts[flag].cast("int64"),
            share=_share(counts[flag], counts[flags[0]]),
            of_previous=_share(counts[flag], counts[flags[max(0, number - 2)]]),
        )
        for number, (flag, said) in enumerate(zip(flags, filters, strict=True), 1)
    ]
    return (ibis.union(*rows) if len(rows) > 1 else rows[0]).order_by("step")


def _counts(events: ir.Table, key: list[str], flags: list[str], within_s: float | None) -> ir.Table:
    """Return one row with a column for each step: how many sessions came to it.

    Putting events in order is what costs, so it is done for sessions alone that have events for the first two steps.
    """
    of_session = events.group_by(key).aggregate(**{flag: events[flag].any() for flag in flags[:2]})
    begun = of_session.filter(of_session[flags[0]])
    counts = begun.aggregate(**{flags[0]: begun.count()})
    if len(flags) == 1:
        return counts
    reached = _reached(events.semi_join(begun.filter(begun[flags[1]]), key), key, flags, within_s)
    sums = {flag: reached[flag].cast("int64").sum().fill_null(0) for flag in flags[1:]}
    both = counts.cross_join(reached.aggregate(**sums))
    # An aggregate is computed once for all rows of the answer; a join would be for each of them.
    return both.aggregate(**{flag: both[flag].max() for flag in flags})


def _reached(events: ir.Table, key: list[str], flags: list[str], within_s: float | None) -> ir.Table:
    """Return a row for each session that may have come on, with a flag for each step after the first that it came to.

    Each event carries the latest start from which the steps so far were taken, in milliseconds: of all tries that has
    the most time left. Those that no later step needs are left behind.
    """
    before = ibis.window(group_by=key, order_by=["time", "id"], preceding=(None, 1))
    at_ms = (events.time.epoch_seconds() * 1000 + events.time.millisecond()).cast("int64")
    events = events.mutate(at_ms=at_ms)
    events = events.mutate(start=ibis.ifelse(events[flags[0]], events.at_ms, ibis.null("int64")))
    for number, flag in enumerate(flags[1:], 1):
        events = events.mutate(earlier=events.start.max().over(before))
        counts = events[flag] & events.earlier.notnull()
        if within_s is not None:
            counts &= events.at_ms - events.earlier <= round(within_s * 1000)
        events = events.mutate(start=ibis.ifelse(counts, events.earlier, ibis.null("int64")))
        events = events.mutate(**{f"came_{flag}": events.start})
        came = [events[f"came_{taken}"].notnull() for taken in flags[1 : number + 1]]
        events = events.filter(ibis.or_(*came, *[events[later] for later in flags[number + 1 :]]))
    return events.group_by(key).aggregate(**{flag: events[f"came_{flag}"].max().notnull() for flag in flags[1:]})


def _share(part: Any, whole: Any) -> Any:
    return ibis.ifelse(whole > 0, part.cast("float64") / whole, 0.0)
