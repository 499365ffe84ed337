"""Rows as they are stored: events, sessions, one session's journey, and which projects there are."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.errors import QueryError
from glimpse.store.questions.scope import Scope, moment

Limit = Annotated[int, Meta(ge=1, le=1_000_000)]


def events(scope: Scope, *, limit: Limit = 1000, after: str | None = None) -> ir.Table:
    """List events, newest first, ties by id.

    Parameters
    ----------
    limit
        How many at most.
    after
        `<epoch ms>:<id>` of the last row of the page before.

    Returns
    -------
    The columns of `glimpse.events.Event`: times as epoch milliseconds UTC, `properties` and `context` as objects.
    """
    page = scope.every_event()
    if after:
        at, event_id = _cursor(after)
        page = page.filter((page.time < at) | ((page.time == at) & (page.id.cast("string") < event_id)))
    page = scope.kept(page)
    return page.order_by([ibis.desc("time"), ibis.desc(page.id.cast("string"))]).limit(limit)


def sessions(scope: Scope, *, limit: Limit = 1000, after: str | None = None) -> ir.Table:
    """List the sessions that started in the span and have an event that the filter keeps, newest first, ties by id.

    Parameters
    ----------
    limit
        How many at most.
    after
        `<epoch ms>:<id>` of the last row of the page before, by `started_at`.

    Returns
    -------
    The columns of `glimpse.events.Session` that are stored: times as epoch milliseconds UTC, `duration_s` in seconds,
    `engaged_ms` in milliseconds.
    """
    page = scope.sessions()
    if after:
        at, session_id = _cursor(after)
        page = page.filter((page.started_at < at) | ((page.started_at == at) & (page.id.cast("string") < session_id)))
    return page.order_by([ibis.desc("started_at"), ibis.desc(page.id.cast("string"))]).limit(limit)


def journey(scope: Scope, *, session: str, limit: Limit = 10_000) -> ir.Table:
    """List one session's events in the order in which they happened.

    Parameters
    ----------
    session
        The session's id.
    limit
        How many at most, from its start.

    Returns
    -------
    The columns of `events`. Signs of life are left out, and what the filter does not keep.
    """
    theirs = scope.tables.events.filter(scope.tables.events.session_id.cast("string") == session.lower())
    found = replace(scope, tables=replace(scope.tables, events=theirs)).events()
    return found.order_by(["time", found.id.cast("string")]).limit(limit)


def projects(scope: Scope) -> ir.Table:
    """List every project with events, the most recently active first; layers are among them.

    Returns
    -------
    project
        Its id.
    last
        When its last event was received, epoch milliseconds UTC.
    """
    stored = scope.tables.events
    return stored.group_by("project").aggregate(last=stored.received_at.max()).order_by(ibis.desc("last"))


def _cursor(after: str) -> tuple[ir.TimestampScalar, str]:
    at, colon, row_id = after.partition(":")
    if not colon or not at.isdigit():
        raise QueryError(f"after is <epoch ms>:<id> of the last row, not {after[:60]!r}")
    return moment(int(at)), row_id
