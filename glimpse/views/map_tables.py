"""The map's numbers as a table, for whoever reads them or goes through them with the keyboard."""

from __future__ import annotations

import msgspec

from glimpse.live import PlaceNow
from glimpse.views.board import Board

TABLE_ROWS = 200
_encode = msgspec.json.Encoder().encode


def places_table(board: Board) -> str:
    """Return a row for each place: field and value to filter by, name, country, open sessions, active ones, events."""
    most = sorted(board.numbers.places, key=lambda place: (-place.count, -place.events))[:TABLE_ROWS]
    rows = [
        [*picked_by(place), place.city or place.region, place.country, place.count, place.active, place.events]
        for place in most
    ]
    return _encode(rows).decode()


def countries_table(board: Board) -> str:
    """Return the same rows for each country, without a name of their own."""
    summed: dict[str | None, list[int]] = {}
    for place in board.numbers.places:
        one = summed.setdefault(place.country, [0, 0, 0])
        for n, more in enumerate((place.count, place.active, place.events)):
            one[n] += more
    most = sorted(summed.items(), key=lambda item: (-item[1][0], -item[1][2]))
    return _encode([["country", country, None, country, *counts] for country, counts in most]).decode()


TABLES = {"places": places_table, "countries": countries_table}


def picked_by(place: PlaceNow) -> tuple[str, str | None]:
    """Return the field and value that a place is filtered by: the closest that is known of it."""
    named = (("city", place.city), ("region", place.region), ("country", place.country))
    return next(((field, value) for field, value in named if value), ("city", None))
