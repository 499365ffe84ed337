"""What became of every event received: the edge's counters, the drain's, and what is on its way between them.

Rule of this module: the account of all is the sum of the projects'.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from glimpse.store.questions import ALL_PROJECTS

_REASONED = ("rejected", "dropped")
_SETTLED = ("stored", "duplicate", "dead_lettered")


class Account:
    """One project's counts of events."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: dict[str, Counter[str]] = {outcome: Counter() for outcome in _REASONED}

    def add(self, outcome: str, reason: str, events: int) -> None:
        """Count some events."""
        if outcome in self.reasons:
            self.reasons[outcome][reason] += events
        else:
            self.counts[outcome] += events

    def told(self) -> dict[str, Any]:
        """Return it as the API gives it; `difference` is 0 when it balances."""
        counts = self.counts
        settled = {outcome: counts[outcome] for outcome in _SETTLED}
        return {
            "received": counts["accepted"] + sum(reasons.total() for reasons in self.reasons.values()),
            "accepted": counts["accepted"],
            **settled,
            "in_buffer": counts["waiting"],
            **{outcome: dict(reasons) for outcome, reasons in self.reasons.items()},
            # Beside the way of what was received: rows from elsewhere, and rows that were kept for long enough.
            "imported": counts["imported"],
            "expired": counts["expired"],
            "difference": counts["accepted"] - sum(settled.values()) - counts["waiting"],
        }


def accounts_of(
    books: Mapping[tuple[str, str, str], int], settled: Mapping[tuple[str, str], int]
) -> dict[str, dict[str, Any]]:
    """Return each project's account, and that of all as `*`.

    Parameters
    ----------
    books
        Of the buffer: events by project, outcome and reason.
    settled
        Of the store: events by project and outcome.
    """
    accounts: defaultdict[str, Account] = defaultdict(Account, {ALL_PROJECTS: Account()})
    entries = [*books.items(), *(((project, outcome, ""), n) for (project, outcome), n in settled.items())]
    for (project, outcome, reason), events in entries:
        for name in (ALL_PROJECTS, project):
            accounts[name].add(outcome, reason, events)
    return {name: account.told() for name, account in accounts.items()}
