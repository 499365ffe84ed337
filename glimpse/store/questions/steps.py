"""The steps of sessions from one page view to the next.

Rule of this module: a window over all page views is what costs, so only sessions whose order is not plain from times
alone are put through one. The others' views are sorted as numbers, a list for each session.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from glimpse.events import PAGE_VIEW
from glimpse.filters.expression import epoch_ms_of, in_order, neighbours
from glimpse.store.questions.scope import Scope

_PAGE_BITS = 21  # below a time's 42, which are enough until 2109
_LAST_PAGE = 2**_PAGE_BITS - 1  # the last number, which all further pages share
_LAST_MS = 2**42 - 1
_STEP_BITS = 31  # of a page's number in a step's


def page_steps(scope: Scope) -> tuple[ir.Table, ir.Table]:
    """Return the steps of a scope's sessions, and the pages by their numbers. Loading a page again is no step.

    Returns
    -------
    steps
        A row for each: the columns of `scope.session_key`, and `step`, which `step_of` makes of both pages' numbers.
    pages
        `page`, `number` from 1.
    """
    views = _views(scope.events()).select(*scope.session_key, "time", "page")
    pages = views.select("page").distinct()
    pages = pages.select("page", number=ibis.row_number().over(ibis.window(order_by="page")).cast("int64") + 1)
    moves = _moves(views.join(pages, "page"), scope.session_key)
    unsure = moves.filter(moves.is_unsure).select(scope.session_key).distinct()
    plain = moves.anti_join(unsure, scope.session_key).select(*scope.session_key, "step")
    return plain.union(_steps_by_id(scope, unsure, pages)), pages


def step_of(earlier: Any, later: Any) -> Any:
    """Return a step as one number."""
    return earlier * 2**_STEP_BITS + later


def with_pages(steps: ir.Table, pages: ir.Table) -> ir.Table:
    """Return a table with a column `step` with both pages beside it: `from_page`, `to_page`."""
    earlier = pages.select(from_page=pages.page, from_number=pages.number)
    later = pages.select(to_page=pages.page, to_number=pages.number)
    named = steps.join(earlier, (steps.step >> _STEP_BITS) == earlier.from_number)
    named = named.join(later, (named.step & (2**_STEP_BITS - 1)) == later.to_number)
    return named.drop("from_number", "to_number")


def _views(events: ir.Table) -> ir.Table:
    return events.filter(events.name == PAGE_VIEW, events.page.notnull())


def _moves(views: ir.Table, key: list[str]) -> ir.Table:
    """Return each two views of a session that follow one another: `step`, and whether their order `is_unsure`."""
    at_ms = ibis.least(epoch_ms_of(views), ibis.literal(_LAST_MS, "int64"))
    numbered = views.select(*key, place=at_ms * 2**_PAGE_BITS + ibis.least(views.number, _LAST_PAGE))
    visits = numbered.group_by(key).aggregate(views=numbered.place.collect())
    pairs = neighbours(visits.select(*key, views=visits.views.sort()), "views")
    is_at_once = (pairs.earlier >> _PAGE_BITS) == (pairs.later >> _PAGE_BITS)
    pages = {name: pairs[name] & _LAST_PAGE for name in ("earlier", "later")}
    pairs = pairs.select(*key, **pages, is_at_once=is_at_once)
    is_unsure = pairs.is_at_once | (pairs.earlier == _LAST_PAGE) | (pairs.later == _LAST_PAGE)
    pairs = pairs.select(*key, "earlier", "later", is_unsure=is_unsure)
    kept = pairs.filter((pairs.earlier != pairs.later) | (pairs.earlier == _LAST_PAGE))
    return kept.select(*key, "is_unsure", step=step_of(kept.earlier, kept.later))


def _steps_by_id(scope: Scope, sessions: ir.Table, pages: ir.Table) -> ir.Table:
    """Return the steps of some sessions, in which events of one time are in the order of their ids."""
    key = scope.session_key
    views = _views(scope.events().semi_join(sessions, key))
    views = views.select(*key, "time", "page", id=in_order(views)).join(pages, "page")
    visit = ibis.window(group_by=key, order_by=["time", "id"])
    views = views.mutate(earlier=views.number.lag().over(visit))
    steps = views.filter(views.earlier.notnull(), views.earlier != views.number)
    return steps.select(*key, step=step_of(steps.earlier, steps.number))
