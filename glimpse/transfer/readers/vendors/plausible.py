"""Plausible's export: a zip of `imported_*.csv`, each with the totals of days by something.

Rule of this module: they stay totals, and what they are counted by keeps the name that Plausible gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glimpse.events import ImportedTotal
from glimpse.transfer.readers.vendors.facts import Row, count_of, day_of, id_of, text_of

NEEDS = frozenset({"date", "visitors"})
# A table is known by the first of these columns that it has; without any it is that of whole days.
_DIMENSIONS = {
    "entry_page": "entry_page",
    "exit_page": "exit_page",
    "page": "page",
    "source": "source",
    "country": "country",
    "device": "device",
    "browser": "browser",
    "operating_system": "os",
    "name": "event",
}
_TAGS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_BESIDE = {"source": ("referrer", *_TAGS), "country": ("region", "city")}  # what else a table is counted by
_VISITS = ("visits", "entrances", "exits")
_NOWHERE = "0"  # a city that is not known
# What tells the rows of a day apart, beside the dimension; a page's host is any of those that it has.
_ALSO = ("browser_version", "operating_system_version", "link_url", "path")


class Plausible:
    """Reads the rows of one table."""

    def __init__(self, project: str) -> None:
        self._project = project

    def read(self, row: Row) -> Sequence[ImportedTotal]:
        """Return a row's totals: of its dimension, and of those that stand beside it."""
        day = day_of(row, "date")
        column = next((one for one in _DIMENSIONS if one in row), None)
        counts = {
            "visitors": count_of(row, "visitors"),
            "visits": count_of(row, next((one for one in _VISITS if one in row), "visits")),
            "page_views": count_of(row, "pageviews"),
            "events": count_of(row, "events"),
            "bounces": count_of(row, "bounces"),
            "visit_duration_s": count_of(row, "visit_duration"),
        }
        told = (
            row["date"],
            *(row.get(one, "") for one in (*_DIMENSIONS, *_TAGS, "referrer", "region", "city", *_ALSO)),
        )
        return [
            ImportedTotal(
                id=id_of("plausible", self._project, dimension, *told),
                project=self._project,
                origin="plausible",
                day=day,
                dimension=dimension,
                value=value,
                **counts,
            )
            for dimension, value in _values_of(row, column)
        ]


def _values_of(row: Row, column: str | None) -> Iterator[tuple[str, str | None]]:
    if column is None:
        yield "day", row["date"]
        return
    yield _DIMENSIONS[column], text_of(row, column)
    for beside in _BESIDE.get(column, ()):
        if (value := text_of(row, beside)) and value != _NOWHERE:
            yield beside, value
