from __future__ import annotations

import gc
import json
import weakref

from live_events import Clock, make_event, make_window

from glimpse.views.board import board_of
from glimpse.views.feed import row
from glimpse.views.kpis import _state as kpis_state
from glimpse.views.tokens import OTHER_SLOT


def test_all_viewers_of_a_project_share_one_board_and_what_it_made():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now)])
    first, second = board_of(window, "shop"), board_of(window, "shop")
    assert first is second
    assert first.json("kpis", kpis_state) is second.json("kpis", kpis_state)


def test_a_new_version_is_worked_out_anew():
    clock = Clock()
    window = make_window(clock)
    before = board_of(window, "shop").json("kpis", kpis_state)
    window.append([make_event(clock.now)])
    after = board_of(window, "shop").json("kpis", kpis_state)
    assert [tile["value"] for tile in json.loads(before)] == [0, 0, 0, 0, None]
    assert [tile["value"] for tile in json.loads(after)] == [1, 1, 1, 1, 1.0]


def test_a_window_that_nobody_has_any_more_takes_its_boards_along():
    window = make_window(Clock())
    board = weakref.ref(board_of(window, "shop"))
    del window
    gc.collect()
    assert board() is None


def test_event_types_keep_their_colour_while_they_are_among_the_frequent():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, name) for name in ("page_view", "a", "a", "b")])
    slots = dict(board_of(window, "shop").slots)
    assert slots["page_view"] == 0
    window.append([make_event(clock.now, name) for name in "bbbbbcccccccccdddddeeeeefffff"])
    later = board_of(window, "shop")
    assert later.slot("b") == slots["b"]
    assert later.slot("a") == OTHER_SLOT
    assert len({later.slot(name) for name in ("page_view", *"bcdef")}) == 6


def test_a_row_of_the_feed_cuts_what_would_fill_the_page():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, page="/" + "x" * 4000)])
    assert len(row(board_of(window, "shop").numbers.recent[0])["page"]) < 210
