"""The properties that events have, as fields that can be asked about."""

from __future__ import annotations

from glimpse.errors import QueryError
from glimpse.filters import Field
from glimpse.views.ask import Rows


def property_fields(properties: Rows) -> list[tuple[str, str]]:
    """Return key and field of each property, the most frequent first, of the answer to `properties`."""
    events: dict[tuple[str, str], int] = {}
    for row in properties:
        try:
            found = (row["key"], str(Field("properties", (row["key"],))))
        except QueryError:  # a key that can't be asked for
            continue
        events[found] = events.get(found, 0) + row["events"]
    return sorted(events, key=lambda found: (-events[found], found))
