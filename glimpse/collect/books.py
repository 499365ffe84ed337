"""Whose account the events are in that go no further: counts by (project, reason), as the buffer takes them."""

from __future__ import annotations

from collections import Counter

from glimpse.collect.answers import Dropped
from glimpse.projects import Projects
from glimpse.wire import Reading

Counts = dict[tuple[str, str], int]
MOST_OWED_KEYS = 1000


class Owed:
    """Refusals that were answered while the buffer could not count them; the next write brings them along."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, rejected: Counts) -> None:
        """Owe these counts; when there are too many projects, under nobody's name."""
        for (project, reason), count in rejected.items():
            self._counts[(project if len(self._counts) < MOST_OWED_KEYS else "", reason)] += count

    def taken(self) -> Counts:
        """Return all that is owed, which is owed no more."""
        counts, self._counts = self._counts, Counter()
        return dict(counts)


def together(some: Counts, others: Counts) -> Counts:
    """Return two counts as one."""
    return dict(Counter(some) + Counter(others))


def count_refused(reading: Reading, projects: Projects) -> Counts:
    """Count what has a mistake, by its first one."""
    if reading.problem:
        project = account(reading.problem_project, projects)
        return {(project, str(reading.problem.reason)): reading.problem_count}
    if len(reading.refused) < 2:
        return {(account(one.project, projects), str(one.errors[0].reason)): 1 for one in reading.refused}
    return Counter((account(one.project, projects), str(one.errors[0].reason)) for one in reading.refused)


def count_dropped(reading: Reading, dropped: Dropped, projects: Projects) -> Counts:
    """Count what is not wanted."""
    if not dropped:
        return {}
    events = dict(reading.events)
    return Counter((account(events[index].project, projects), str(reason)) for index, reason in dropped)


def count_tokens(reading: Reading, projects: Projects) -> dict[str, int]:
    """Return what a body costs of its projects' limits: a token for each event, good or bad, and one at least."""
    events = reading.events
    if len(events) == 1 and not reading.refused:
        return {account(events[0][1].project, projects): 1}
    if reading.problem:  # nothing of it was looked at closer
        return {account(reading.problem_project, projects): 1}
    if len(reading.refused) == 1 and not events:
        return {account(reading.refused[0].project, projects): 1}
    counts: Counter[str] = Counter()
    found = Counter([event.project for _, event in events] + [one.project for one in reading.refused])
    for project, count in found.items():
        counts[account(project, projects)] += count
    return counts or {"": 1}


def count_all(reading: Reading, projects: Projects) -> dict[str, int]:
    """Return how many events a body held, by project."""
    if reading.problem:
        return {account(reading.problem_project, projects): reading.problem_count}
    return count_tokens(reading, projects) if reading.events or reading.refused else {}


def account(project: str, projects: Projects) -> str:
    """Return whose account it is: nobody's for unknown projects, or made-up ids would fill Redis without end."""
    return project if projects.of(project) else ""
