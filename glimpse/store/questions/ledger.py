"""What the drain did with the events it took."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

import ibis.expr.types as ir

from glimpse.store.questions.scope import ALL_PROJECTS


def ledger_counts(ledger: ir.Table, project: str) -> ir.Table:
    """Return the drain's counts by outcome: stored, duplicate, dead_lettered. Layers have their accounts too."""
    counted = ledger if project == ALL_PROJECTS else ledger.filter(ledger.project == project)
    return counted.group_by("outcome").aggregate(events=lambda t: t.events.sum())
