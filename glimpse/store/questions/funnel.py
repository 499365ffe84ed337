"""How far sessions come along steps in their order."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated, Any

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.filters import Filter, to_text
from glimpse.filters.expression import epoch_ms_of, in_order, with_flags
from glimpse.store.questions.scope import Scope
from glimpse.store.questions.sent import SentFilter, needed_filters

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
    filters = needed_filters(steps, "steps")
    flags = [f"is_step_{number}" for number in range(1, len(filters) + 1)]
    flagged = dict(zip(flags, filters, strict=True))
    counts = _counts(scope, flagged, within_s)
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


def _counts(scope: Scope, flagged: dict[str, Filter], within_s: float | None) -> ir.Table:
    """Return one row with a column for each step: how many sessions came to it.

    Putting events in order is what costs, so it is done for those sessions alone of which their first and last event
    for each step don't tell.
    """
    flags, key = list(flagged), scope.session_key
    events = _of_any_step(scope, scope.events(), flagged)
    ends = {f"first_{flag}": events.at_ms.min(where=events[flag]) for flag in flags}
    ends |= {f"last_{flag}": events.at_ms.max(where=events[flag]) for flag in flags}
    seen = _seen(events.group_by(key).aggregate(**ends), flags, within_s)
    sums = {flag: seen[f"came_{flag}"].cast("int64").sum(where=~seen.is_unsure).fill_null(0) for flag in flags[1:]}
    sure = seen.aggregate(**{flags[0]: seen[f"came_{flags[0]}"].cast("int64").sum().fill_null(0)}, **sums)
    if len(flags) == 1:
        return sure
    theirs = _of_any_step(scope, scope.events().semi_join(seen.filter(seen.is_unsure), key), flagged)
    reached = _reached(theirs, key, flags, within_s)
    more = {f"more_{flag}": reached[flag].cast("int64").sum().fill_null(0) for flag in flags[1:]}
    both = sure.cross_join(reached.aggregate(**more))
    # An aggregate is computed once for all rows of the answer; a join would be for each of them.
    added = {flag: (both[flag] + both[f"more_{flag}"]).max() for flag in flags[1:]}
    return both.aggregate(**{flags[0]: both[flags[0]].max()}, **added)


def _of_any_step(scope: Scope, events: ir.Table, flagged: dict[str, Filter]) -> ir.Table:
    """Return the events that meet a step's filter: the session's key, a flag for each step, `at_ms`, `id`."""
    events = with_flags(events, flagged, scope.tables.sessions)
    events = events.filter(ibis.or_(*[events[flag] for flag in flagged]))
    return events.select(*scope.session_key, *flagged, at_ms=epoch_ms_of(events), id=in_order(events))


def _seen(sessions: ir.Table, flags: list[str], within_s: float | None) -> ir.Table:
    """Return what each session's first and last event for each step tell: whether it came there; if that `is_unsure`.

    It surely came to a step if one of the two is later than such an event for the step before. It surely did not if
    the last one is earlier than the first for any step before.
    """
    begin, end = f"first_{flags[0]}", f"last_{flags[0]}"
    sessions = sessions.mutate(at=sessions[begin], least=sessions[begin], is_unsure=ibis.literal(False))  # noqa: FBT003
    sessions = sessions.mutate(**{f"came_{flags[0]}": sessions[begin].notnull()})
    for flag in flags[1:]:
        first, last = sessions[f"first_{flag}"], sessions[f"last_{flag}"]
        sessions = sessions.mutate(
            at=ibis.cases((first > sessions.at, first), (last > sessions.at, last)),
            least=ibis.ifelse(last >= sessions.least, ibis.greatest(first, sessions.least), ibis.null("int64")),
        )
        came, may = sessions.at.notnull(), sessions.least.notnull()
        if within_s is not None:
            came &= (sessions.at - sessions[begin] <= round(within_s * 1000)).fill_null(False)  # noqa: FBT003
            may &= (sessions.least - sessions[end] <= round(within_s * 1000)).fill_null(False)  # noqa: FBT003
        sessions = sessions.mutate(**{f"came_{flag}": came}, is_unsure=sessions.is_unsure | (may & ~came))
    return sessions


def _reached(events: ir.Table, key: list[str], flags: list[str], within_s: float | None) -> ir.Table:
    """Return a row for each session that may have come on, with a flag for each step after the first that it came to.

    Each event carries the latest start from which the steps so far were taken, in milliseconds: of all tries that has
    the most time left. Those that no later step needs are left behind.
    """
    before = ibis.window(group_by=key, order_by=["at_ms", "id"], preceding=(None, 1))
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
