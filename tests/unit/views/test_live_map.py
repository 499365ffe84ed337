from __future__ import annotations

from live_events import Clock, make_event, make_window

from glimpse.views.board import Board, board_of
from glimpse.views.live_map import _packed
from glimpse.views.map_cells import CHANGING, WHOLE

PLACES = {"Vienna": (48.2, 16.4), "Tokyo": (35.7, 139.7)}


def event_in(clock: Clock, city: str):
    lat, lon = PLACES[city]
    return make_event(clock.now, session=city, city=city, lat=lat, lon=lon)


def unpacked(board: Board, after: int, rows: list[int]) -> tuple[float, list[list[float]], list[list[float]]]:
    """Return the server's clock, the arrivals and the changes, as the browser's script reads them."""
    now, arrived, changed, *rest = _packed(board, board.cells(WHOLE), after, rows).tolist()
    n, m = int(arrived), int(changed)
    arrivals, changes = rest[: 3 * n], rest[3 * n :]
    assert len(changes) == m * (1 + len(CHANGING))
    return now, [arrivals[i::n] for i in range(n)], [changes[i::m] for i in range(m)]


def test_a_pulse_has_the_clock_the_dots_that_were_heard_from_and_the_numbers_that_changed():
    clock = Clock()
    window = make_window(clock)
    window.append([event_in(clock, "Vienna"), event_in(clock, "Tokyo")])
    before = board_of(window, "shop").numbers.recent[-1].number
    clock.go(1)
    window.append([event_in(clock, "Tokyo") for _ in range(3)])
    board = board_of(window, "shop")
    now, arrivals, changes = unpacked(board, before, [1])
    x, y, px = arrivals[0]
    columns = board.cells(WHOLE).columns([1])
    assert now == clock.now
    assert len(arrivals) == 1
    assert (x, y, px) == (columns["x"][0], columns["y"][0], columns["size"][0])
    assert changes == [[1.0, *(columns[name][0] for name in CHANGING)]]


def test_a_pulse_without_news_has_the_clock_alone():
    clock = Clock()
    board = board_of(make_window(clock), "shop")
    assert unpacked(board, 0, []) == (clock.now, [], [])
