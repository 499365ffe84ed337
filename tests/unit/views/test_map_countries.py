from __future__ import annotations

import numpy as np
from live_events import Clock, make_event, make_window

from glimpse.geo.borders import load_borders
from glimpse.views.board import board_of
from glimpse.views.map_countries import SHADES, bounds, by_country, painted, shaded, shapes


def test_each_country_has_what_its_places_have_and_what_is_in_none_comes_last():
    clock = Clock()
    window = make_window(clock)
    facts = {"a": ("DE", 52.5), "b": ("DE", 48.1), "c": ("FR", 48.8), "d": ("XX", 1.0), "e": (None, 2.0)}
    for session, (country, lat) in facts.items():
        window.append([make_event(clock.now, session=session, country=country, lat=lat, lon=9.0)])
    window.append([make_event(clock.now, session="c", country="FR", lat=48.8, lon=9.0)])
    places = board_of(window, "shop").places
    codes = [load_borders().countries[n].code for n in painted()]
    numbers = by_country(places)
    assert numbers[:, codes.index("DE")].tolist() == [2, 2, 2]
    assert numbers[:, codes.index("FR")].tolist() == [1, 1, 2]
    assert numbers[:, -1].tolist() == [2, 2, 2]
    columns, steps, elsewhere = shaded(places, "events")
    assert (steps, elsewhere) == ([1, 2], 2)
    assert columns["shade"][codes.index("DE")] == 1
    assert columns["shade"][codes.index("US")] == -1


def test_shades_have_round_bounds_and_begin_at_one():
    assert bounds(0) == []
    assert bounds(1) == [1]
    assert bounds(7) == [1, 2, 5]
    assert bounds(340) == [1, 20, 50, 100, 200]
    assert all(len(bounds(10**power)) <= SHADES for power in range(9))


def test_every_country_is_cut_out_of_the_land_and_what_lies_within_another_is_painted_later():
    surface, starts, codes, names = shapes()
    assert len(starts) == len(names) + 1
    assert codes[names.index("Lesotho")] == "LS"
    assert starts[-1] == len(surface["xs"][0])
    assert names.index("Lesotho") > names.index("South Africa")
    first = surface["xs"][0][starts[5] : starts[6] - 1]
    assert set(first[~np.isnan(first)].tolist()) <= {
        x for ring in load_borders().countries[painted()[5]].polygons for x in ring[0][:, 0].astype("float32").tolist()
    }
