from __future__ import annotations

from live_events import Clock, make_event, make_window

from glimpse.views.place_rows import EMBER_PX, PlaceRows, crowd_scale, dot_px


class Site:
    def __init__(self) -> None:
        self.clock = Clock()
        self.window = make_window(self.clock)
        self.rows = PlaceRows()

    def hears(self, lat: float, session: str = "s", **facts) -> None:
        self.window.append([make_event(self.clock.now, session=session, lat=lat, lon=1.0, **facts)])

    def look(self) -> PlaceRows:
        self.rows.take(self.window.numbers("shop"))
        return self.rows


def test_a_place_keeps_its_row_and_a_new_one_comes_last():
    site = Site()
    site.hears(10.0, city="A")
    site.hears(20.0, "t", city="B")
    assert site.look().columns(slice(None))["place"] == ["A", "B"]
    site.hears(10.0)
    site.hears(30.0, "u", city="C")
    assert site.look().columns(slice(None))["place"] == ["A", "B", "C"]


def test_only_rows_that_changed_are_named():
    site = Site()
    site.hears(10.0)
    site.hears(20.0, "t")
    version = site.look().version
    assert site.rows.changed_since(version) == []
    site.hears(20.0, "t")
    assert site.look().changed_since(version) == [1]
    changes = site.rows.changes([1])
    assert (changes["row"][0], changes["events"][0], changes["count"][0]) == (1, 2, 1)


def test_a_place_that_is_over_leaves_a_row_of_no_size():
    site = Site()
    site.hears(10.0)
    site.clock.go(20 * 60)
    site.hears(20.0, "t")
    site.look()
    site.clock.go(10 * 60)
    rows = site.look()
    assert next(iter(rows.columns(slice(None))["size"])) == 0.0
    assert len(rows) == 2


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


def test_a_dots_area_grows_with_its_sessions_and_a_place_without_any_is_an_ember():
    assert dot_px(0) == EMBER_PX < dot_px(1) < dot_px(2) < dot_px(20)
    assert dot_px(10**6) == dot_px(10**7)


def test_dots_shrink_when_there_are_many():
    assert crowd_scale(1) > crowd_scale(100) > crowd_scale(3000)


def test_places_turn_into_metres_of_web_mercator():
    site = Site()
    site.window.append([make_event(site.clock.now, lat=51.5, lon=-0.12, city="London", country="GB")])
    columns = site.look().columns(slice(None))
    assert abs(columns["x"][0] - -13358.3) < 1
    assert abs(columns["y"][0] - 6_710_219) < 1
    assert columns["country"] == ["United Kingdom"]
