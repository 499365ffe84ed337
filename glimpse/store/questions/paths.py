"""The ways that sessions take: where they come in, where they leave, and from which page to which."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.store.questions.scope import Scope
from glimpse.store.questions.steps import page_steps, with_pages

Top = Annotated[int, Meta(ge=1, le=1000)]


def entries(scope: Scope, *, top: Top = 10) -> ir.Table:
    """List the pages that sessions began with, the most frequent first.

    Parameters
    ----------
    top
        How many pages.

    Returns
    -------
    page
        The path of a session's first page view; null for sessions without one.
    sessions
        Sessions that started in the span.
    bounces
        How many of them bounced.
    mean_duration_s
        The mean of their durations, in seconds.
    """
    return _by_page(scope.sessions(), "entry_page", top)


def exits(scope: Scope, *, top: Top = 10) -> ir.Table:
    """List the pages that sessions ended with, the most frequent first.

    Parameters
    ----------
    top
        How many pages.

    Returns
    -------
    page
        The path of a session's last page view; null for sessions without one.
    sessions
        Sessions that started in the span.
    bounces
        How many of them bounced.
    mean_duration_s
        The mean of their durations, in seconds.
    """
    return _by_page(scope.sessions(), "exit_page", top)


def paths(scope: Scope, *, page: str | None = None, top: Top = 20) -> ir.Table:
    """List the steps from one page view to the next of the same session, the most frequent first.

    Page views that the filter does not keep are passed over. Loading a page again is no step.

    Parameters
    ----------
    page
        Only steps to or from this page.
    top
        How many steps.

    Returns
    -------
    from_page, to_page
        The paths of both pages.
    steps
        How often.
    sessions
        How many sessions did it.
    """
    steps, pages = page_steps(scope)
    counts = with_pages(steps.group_by("step").aggregate(steps=steps.count()), pages)
    if page is not None:
        counts = counts.filter((counts.from_page == page) | (counts.to_page == page))
    order = [ibis.desc("steps"), "from_page", "to_page"]
    ranked = counts.order_by(order).limit(top)
    theirs = steps.semi_join(ranked, "step")  # sessions are counted of those alone
    by_session = theirs.select(*scope.session_key, "step").distinct()
    sessions = by_session.group_by("step").aggregate(sessions=by_session.count())
    rows = ranked.join(sessions, "step")
    return rows[["from_page", "to_page", "steps", "sessions"]].order_by(order)


def _by_page(sessions: ir.Table, column: str, top: int) -> ir.Table:
    named = sessions.mutate(at_page=sessions[column])
    counts = named.group_by("at_page").aggregate(
        sessions=named.count(),
        bounces=named.is_bounce.cast("int64").sum(),
        mean_duration_s=named.duration_s.mean(),
    )
    ranked = counts.select(counts.sessions, counts.bounces, counts.mean_duration_s, page=counts.at_page)
    columns = ["page", "sessions", "bounces", "mean_duration_s"]
    return ranked[columns].order_by([ibis.desc("sessions"), ibis.asc("page", nulls_first=True)]).limit(top)
