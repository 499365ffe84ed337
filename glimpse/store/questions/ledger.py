"""What the drain did with the events it took."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

import ibis.expr.types as ir


def ledger_counts(ledger: ir.Table) -> ir.Table:
    """Return the drain's counts by project and outcome, as stored and duplicate. Layers have their accounts too."""
    return ledger.group_by("project", "outcome").aggregate(events=lambda t: t.events.sum())
