"""Arcs over the map."""

from __future__ import annotations

import numpy as np
import pytest
from live_events import Clock, make_event, make_window

from glimpse.geo.mercator import to_mercator
from glimpse.views.board import board_of
from glimpse.views.map_arcs import POINTS, WIDTHS_PX, arcs
from glimpse.views.place_rows import PlaceRows

HOME = (52.37, 4.9)
Town = tuple[str, float, float, int]  # country, latitude and longitude, open sessions
VIENNA, GRAZ, LIMA = ("AT", 48.2, 16.4, 3), ("AT", 47.1, 15.4, 9), ("PE", -12.0, -77.0, 1)


def rows(*towns: Town) -> PlaceRows:
    clock = Clock()
    window = make_window(clock)
    for country, lat, lon, sessions in towns:
        for n in range(sessions):
            session = f"{country} {lat} {n}"
            window.append([make_event(clock.now, session=session, country=country, lat=lat, lon=lon)])
    return board_of(window, "shop").places


def lines(drawn: dict[str, list[np.ndarray]]) -> list[tuple[float, np.ndarray]]:
    """Return width and points, shape (2, points), of each arc."""
    found = []
    for xs, ys, width in zip(drawn["xs"], drawn["ys"], drawn["width"], strict=True):
        assert np.isnan(xs).sum() == np.isnan(ys).sum() == len(xs) // (POINTS + 1)
        found += [(width, line[:, :-1]) for line in np.split(np.stack([xs, ys]), len(xs) // (POINTS + 1) or 1, axis=1)]
    return [(width, line) for width, line in found if line.size]


def test_one_arc_leads_from_each_countrys_busiest_place_home():
    found = lines(arcs(rows(VIENNA, GRAZ, LIMA), HOME))
    begins = sorted(line[:, 0].tolist() for _, line in found)
    expected = sorted(np.concatenate(to_mercator([lat], [lon])).tolist() for _, lat, lon, _ in (GRAZ, LIMA))
    assert np.allclose(begins, expected, rtol=1e-6)
    for _, line in found:
        assert line[:, -1] == pytest.approx(np.concatenate(to_mercator([HOME[0]], [HOME[1]])), rel=1e-6)


def test_the_busiest_country_has_the_widest_arc_by_all_its_places():
    drawn = arcs(
        rows(("AT", 48.2, 16.4, 6), ("AT", 47.1, 15.4, 6), ("PE", -12.0, -77.0, 9), ("EC", -0.2, -78.5, 1)), HOME
    )
    assert sorted(width for width, _ in lines(drawn)) == [WIDTHS_PX[0], WIDTHS_PX[2], WIDTHS_PX[2]]


def test_there_is_none_from_a_country_that_is_not_drawn_and_none_without_a_home():
    assert lines(arcs(rows(("XX", 30.0, -30.0, 5)), HOME)) == []
    assert lines(arcs(rows(), HOME)) == []
    assert arcs(rows(VIENNA), None) == {"xs": [], "ys": [], "width": []}
