"""Which properties events have."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from glimpse.filters.expression import with_property_keys
from glimpse.store.questions.scope import Scope

Top = Annotated[int, Meta(ge=1, le=1000)]


def properties(scope: Scope, *, top: Top = 100) -> ir.Table:
    """List the properties that events have, property by property; `breakdown` of `properties.<key>` has their values.

    Parameters
    ----------
    top
        How many.

    Returns
    -------
    name
        The event's name.
    key
        The property's, of the outermost ones.
    events
        Events with it.
    sessions
        Sessions with such an event.
    """
    keyed = with_property_keys(scope.events(), "key")
    apart = keyed.group_by(["name", "key", *scope.session_key]).aggregate(events=keyed.count())
    counts = apart.group_by(["name", "key"]).aggregate(events=apart.events.sum(), sessions=apart.count())
    return counts.order_by([ibis.desc("events"), "name", "key"]).limit(top)
