from __future__ import annotations

import gc
import json
import weakref
from itertools import pairwise

from live_events import Clock, make_event, make_window

from glimpse.views.board import board_of
from glimpse.views.feed import row
from glimpse.views.kpis import _state as kpis_state
from glimpse.views.tokens import DARK, LIGHT, OTHER_SLOT


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


def lightness(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2


def contrast(one: str, other: str) -> float:
    light, dark = sorted((lightness(one), lightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_presence_and_countries_stand_out_from_land_and_sea_and_from_each_other_by_lightness():
    for theme in (DARK, LIGHT):
        gone, idle, active = theme.presence
        for colour in theme.presence:
            assert min(contrast(colour, theme.land), contrast(colour, theme.ocean)) > 3
        assert min(contrast(gone, idle), contrast(idle, active)) > 1.2
        assert all(contrast(colour, theme.land) > 3 for colour in theme.shades)
        assert all(contrast(one, other) > 1.25 for one, other in pairwise(theme.shades))


def test_text_can_be_read_on_every_ground_in_both_themes():
    for theme in (DARK, LIGHT):
        for ground in (theme.ground, theme.surface, theme.raised, theme.ocean):
            assert contrast(theme.text, ground) > 7
            assert contrast(theme.muted, ground) > 4.5
            assert contrast(theme.faint, ground) > 4.2
