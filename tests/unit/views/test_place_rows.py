from __future__ import annotations

import numpy as np
from live_events import Clock, make_event, make_window

from glimpse.views.place_rows import NOWHERE, PlaceRows, country_numbers


class Site:
    def __init__(self) -> None:
        self.clock = Clock()
        self.window = make_window(self.clock)
        self.rows = PlaceRows()

    def hears(self, lat: float, session: str = "s", **facts) -> None:
        self.window.append([make_event(self.clock.now, session=session, lat=lat, lon=1.0, **facts)])

    def look(self, project: str = "shop") -> PlaceRows:
        self.rows.take(self.window.numbers(project))
        return self.rows


def cities(rows: PlaceRows) -> list[str | None]:
    return [place.city if (place := rows.at(row)) else None for row in range(len(rows))]


def test_a_place_keeps_its_row_and_a_new_one_comes_last():
    site = Site()
    site.hears(10.0, city="A")
    site.hears(20.0, "t", city="B")
    assert cities(site.look()) == ["A", "B"]
    site.hears(10.0)
    site.hears(30.0, "u", city="C")
    assert cities(site.look()) == ["A", "B", "C"]
    assert site.rows.summed.tolist() == [[1, 1, 1], [1, 1, 1], [2, 1, 1]]


def test_a_place_that_is_over_leaves_a_row_of_nothing():
    site = Site()
    site.hears(10.0)
    site.clock.go(20 * 60)
    site.hears(20.0, "t")
    site.look()
    site.clock.go(10 * 60)
    rows = site.look()
    assert rows.there.tolist() == [False, True]
    assert rows.summed[:, 0].tolist() == [0, 0, 0]


def test_rows_are_written_anew_when_many_are_empty():
    site = Site()
    for place in range(80):
        site.hears(place / 2, f"s{place}")
    generation = site.look().generation
    site.clock.go(31 * 60)
    site.hears(50.0, "last")
    rows = site.look()
    assert rows.generation > generation
    assert len(rows) == 1


def test_places_turn_into_metres_of_web_mercator_and_into_countries():
    site = Site()
    site.window.append([make_event(site.clock.now, lat=51.5, lon=-0.12, city="London", country="GB")])
    site.hears(10.0, "t", country="XX")
    rows = site.look()
    assert np.abs(rows.metres[:, 0] - [-13358.3, 6_710_219]).max() < 1
    assert rows.countries.tolist() == [country_numbers()["GB"], NOWHERE]


def test_a_place_that_two_projects_are_visited_from_counts_for_both_where_all_are_shown():
    site = Site()
    site.hears(10.0, "a")
    site.hears(10.0, "b", project="blog")
    assert site.look("*").summed.tolist() == [[2], [2], [2]]
