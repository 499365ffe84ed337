from __future__ import annotations

import random

import numpy as np
import pytest
from live_events import Clock, make_event, make_window

from glimpse.events import Event
from glimpse.live import Window
from glimpse.views.board import Board, board_of
from glimpse.views.map_cells import ACTIVE, CHANGING, GONE, IDLE, WHOLE, Cells, Frame, dots_px, read_frame

CLOSE = Frame(16, 1023, 1364, 1025, 1369)  # around London


def event(clock: Clock, n: int, lat: float, lon: float, **facts: object) -> Event:
    return make_event(clock.now, session=f"s{n}", tab=f"t{n}", lat=lat, lon=lon, city=f"C{n}", **facts)


def column(cells: Cells, name: str) -> list[float]:
    return cells.columns(slice(None))[name].tolist()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(clock: Clock) -> Window:
    return make_window(clock)


def test_places_that_lie_close_together_are_one_dot_from_afar_and_several_from_near(window, clock):
    window.append([event(clock, n, 51.5 + n / 50, -0.12) for n in range(3)])
    board = board_of(window, "shop")
    assert column(board.cells(WHOLE), "count") == [3]
    assert column(board.cells(WHOLE), "places") == [3]
    assert column(board.cells(CLOSE), "count") == [1, 1, 1]


def test_every_dot_of_the_whole_world_together_is_what_the_window_counts_whatever_comes_and_goes(window, clock):
    r = random.Random(5)
    kept: dict[Frame, Cells] = {}
    for _ in range(40):
        spots = [(n, (n * 37) % 120 - 55.0, (n * 91) % 340 - 170.0) for n in r.sample(range(300), 30)]
        window.append([event(clock, *spot, country="GB") for spot in spots])
        clock.go(r.choice([1, 20, 200]))
        board = board_of(window, "shop")
        numbers = board.numbers
        for level in (3, 5, 9):
            tiles = max(1, 2**level // 32)
            kept[frame] = cells = board.cells(frame := Frame(level, 0, 0, tiles - 1, tiles - 1))
            for name in ("count", "active", "events"):
                assert sum(column(cells, name)) == sum(getattr(place, name) for place in numbers.places)
            assert sum(column(cells, "places")) == len(numbers.places)


def test_what_a_browser_is_sent_makes_of_the_old_dots_the_new_ones(window, clock):
    r = random.Random(6)
    window.append([event(clock, n, n - 50.0, n * 2.0) for n in range(100)])
    board = board_of(window, "shop")
    cells = board.cells(WHOLE)
    drawn, version = cells.columns(slice(None)), cells.version
    for _ in range(12):
        clock.go(r.choice([0.1, 1, 31]))
        window.append([event(clock, 200 + n, n - 50.0, n * 2.0 + r.choice([0, 0.1])) for n in r.sample(range(100), 5)])
        board = board_of(window, "shop")
        cells = board.cells(WHOLE)
        rows = [row for row in cells.changed_since(version) if row < len(drawn["x"])]
        moves, changes = cells.moves(cells.moved(rows, version)), cells.changes(rows)
        for name in drawn:
            for row, value in zip(moves["row"], moves[name], strict=True):
                drawn[name][int(row)] = value
        for name, values in zip(CHANGING, changes[1:], strict=True):
            for row, value in zip(changes[0], values, strict=True):
                drawn[name][int(row)] = value
        added = cells.columns(slice(len(drawn["x"]), None))
        drawn = {name: [*drawn[name], *added[name]] for name in drawn}
        version = cells.version
        whole = cells.columns(slice(None))
        assert all(list(drawn[name]) == list(whole[name]) for name in whole)


def test_a_dot_that_nothing_happened_at_is_not_sent_again(window, clock):
    window.append([event(clock, 1, 10.0, 10.0), event(clock, 2, 40.0, 100.0)])
    cells = board_of(window, "shop").cells(WHOLE)
    version = cells.version
    clock.go(0.1)
    window.append([event(clock, 2, 40.0, 100.0)])
    assert board_of(window, "shop").cells(WHOLE).changed_since(version) == [1]


def test_a_dot_is_active_while_somebody_is_then_idle_and_gone_when_all_have_left(window, clock):
    window.append([event(clock, 1, 10.0, 10.0)])
    seen = []
    board: Board | None = None
    for seconds in (1, 60, 300):
        clock.go(seconds)
        board = board_of(window, "shop")
        seen += column(board.cells(WHOLE), "status")
    assert seen == [ACTIVE, IDLE, GONE]


def test_a_dot_is_named_by_the_place_most_of_its_events_come_from(window, clock):
    window.append([event(clock, 1, 51.5, 0.0), event(clock, 2, 51.6, 0.1)])
    window.append([event(clock, 2, 51.6, 0.1) for _ in range(5)])
    cells = board_of(window, "shop").cells(WHOLE)
    assert cells.columns(slice(None))["place"] == ["C2"]
    assert cells.places_in(0) == [0, 1]


def test_a_part_of_the_world_has_no_dots_of_the_rest(window, clock):
    window.append([event(clock, 1, 51.5, -0.12), event(clock, 2, -33.9, 151.2)])
    assert board_of(window, "shop").cells(CLOSE).columns(slice(None))["place"] == ["C1"]


def test_tens_of_thousands_of_places_are_no_more_dots_than_the_screen_has_squares(clock):
    window = make_window(clock, max_events=40_000)
    r = random.Random(4)
    window.append([event(clock, n, r.uniform(-55, 70), r.uniform(-179, 179)) for n in range(20_000)])
    cells = board_of(window, "shop").cells(WHOLE)
    assert sum(column(cells, "places")) > 19_000
    assert len(cells) <= 64 * 64


def test_only_a_frame_that_can_be_is_taken_from_a_browser():
    assert read_frame("[6,0,0,1,1]") == WHOLE
    for said in ("[6,0,0,9,1]", "[99,0,0,1,1]", "[16,0,0,1000,1000]", "[6,1,1,0,0]", "[6,-1,0,1,1]", "{", '["a"]', ""):
        assert read_frame(said) is None


def test_a_dots_area_grows_with_its_sessions_and_a_place_without_any_is_an_ember():
    sizes = dots_px(np.array([0.0, 1, 2, 20, 1e6, 1e7])).tolist()
    assert sizes == sorted(sizes)
    assert sizes[-1] == sizes[-2]
    assert dots_px(np.array([5.0]), 0.5) < dots_px(np.array([5.0]), 1.4)
    assert CHANGING[0] == "size"
