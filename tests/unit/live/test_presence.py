from __future__ import annotations

import pytest
from live_events import Clock, make_event, make_window

from glimpse.events import Merge
from glimpse.live.visit import MOST_LEFT


class Site:
    """One project with a clock: says what it hears, tells who is there."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.window = make_window(self.clock)

    def hears(self, name: str, **facts) -> None:
        self.window.append([make_event(self.clock.now, name, **facts)])

    @property
    def there(self) -> tuple[int, int]:
        numbers = self.window.numbers("shop")
        return numbers.active, numbers.idle


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_session_is_active_for_thirty_seconds_after_it_was_heard(site):
    site.hears("page_view")
    site.clock.go(29.9)
    assert site.there == (1, 0)
    site.clock.go(0.1)
    assert site.there == (0, 1)


def test_heartbeats_keep_a_session_active(site):
    site.hears("page_view")
    for _ in range(40):
        site.clock.go(15)
        site.hears("heartbeat")
        assert site.there == (1, 0)


def test_a_hidden_page_is_idle_at_once_and_active_when_it_shows_again(site):
    site.hears("page_view")
    site.hears("page_hidden")
    assert site.there == (0, 1)
    site.clock.go(10)
    site.hears("page_visible")
    assert site.there == (1, 0)


def test_an_event_of_a_hidden_page_does_not_make_it_visible(site):
    site.hears("page_view")
    site.hears("page_hidden")
    site.hears("song_ended")
    assert site.there == (0, 1)


def test_a_session_whose_only_page_left_is_gone_at_once(site):
    site.hears("page_view")
    site.hears("page_leave")
    assert site.there == (0, 0)


def test_a_session_with_two_tabs_is_there_until_both_have_left(site):
    site.hears("page_view", tab="a")
    site.hears("page_view", tab="b")
    site.hears("page_leave", tab="a")
    assert site.there == (1, 0)
    site.hears("page_leave", tab="b")
    assert site.there == (0, 0)


def test_a_session_is_idle_when_its_visible_tab_left_and_the_other_is_hidden(site):
    site.hears("page_view", tab="a")
    site.hears("page_hidden", tab="a")
    site.hears("page_view", tab="b")
    site.hears("page_leave", tab="b")
    assert site.there == (0, 1)


def test_silence_of_three_hundred_seconds_ends_a_session(site):
    site.hears("page_view")
    site.clock.go(299.9)
    assert site.there == (0, 1)
    site.clock.go(0.1)
    assert site.there == (0, 0)


def test_a_route_change_in_one_tab_leaves_the_session_active(site):
    site.hears("page_view", page="/")
    site.hears("page_leave", page="/")
    site.hears("page_view", page="/cart")
    assert site.there == (1, 0)


def test_a_farewell_that_comes_after_the_next_view_does_not_end_it(site):
    site.clock.go(5)
    site.hears("page_view", page="/cart")
    site.window.append([make_event(site.clock.now - 2000, "page_leave", received_at=site.clock.now)])
    assert site.there == (1, 0)


def test_an_event_that_comes_four_minutes_late_leaves_one_minute(site):
    site.window.append([make_event(site.clock.now - 240_000, received_at=site.clock.now)])
    assert site.there == (0, 1)
    site.clock.go(60)
    assert site.there == (0, 0)


def test_a_client_clock_that_is_half_a_minute_behind_is_still_active(site):
    site.window.append([make_event(site.clock.now - 45_000, received_at=site.clock.now)])
    assert site.there == (1, 0)


def test_an_idle_session_turns_active_when_it_is_heard_and_idle_again_later(site):
    site.hears("page_view")
    site.clock.go(100)
    assert site.there == (0, 1)
    site.hears("heartbeat")
    assert site.there == (1, 0)
    site.clock.go(30)
    assert site.there == (0, 1)


def test_sessions_of_two_projects_are_kept_apart_and_add_up_under_a_star(site):
    site.hears("page_view")
    site.hears("page_view", project="blog")
    assert site.there == (1, 0)
    assert site.window.numbers("*").active == 2


def test_a_place_counts_who_is_there_and_follows_a_session_that_moves(site):
    site.hears("page_view", lat=51.5, lon=-0.1, city="London")
    site.hears("page_view", session="s2", lat=51.5, lon=-0.1, city="London")
    site.hears("click", session="s2", lat=48.9, lon=2.4, city="Paris")
    london, paris = site.window.numbers("shop").places
    assert (london.city, london.count, london.active) == ("London", 1, 1)
    assert (paris.city, paris.count, paris.active) == ("Paris", 1, 1)
    site.clock.go(301)
    assert [place.count for place in site.window.numbers("shop").places] == [0, 0]


def test_a_place_stays_for_as_long_as_an_event_of_the_span_came_from_it(site):
    site.hears("page_view", lat=51.5, lon=-0.1)
    site.clock.go(29 * 60)
    assert len(site.window.numbers("shop").places) == 1
    site.clock.go(60)
    assert site.window.numbers("shop").places == []


def test_a_heartbeat_from_before_the_leave_that_comes_in_after_it_opens_nothing(site):
    site.hears("page_view")
    site.clock.go(10)
    site.hears("page_leave")
    site.window.append([make_event(site.clock.now - 5_000, "heartbeat", received_at=site.clock.now)])
    assert site.there == (0, 0)
    site.clock.go(1)
    site.hears("page_view")  # back from the browser's cache
    assert site.there == (1, 0)


def test_of_many_pages_that_were_left_only_the_last_few_are_remembered(site):
    site.hears("page_view", tab="stays")
    for number in range(50):
        site.hears("page_view", tab=f"t{number}")
        site.clock.go(1)
        site.hears("page_leave", tab=f"t{number}")
    (visit,) = site.window._projects["shop"].visits._visits.values()
    assert len(visit.left) == MOST_LEFT


def test_a_heartbeat_that_a_leave_has_overtaken_opens_nothing_though_a_corrected_clock_makes_it_younger(site):
    site.hears("page_view")
    site.clock.go(20)
    site.hears("page_leave")
    site.clock.go(7)
    site.hears("heartbeat")
    assert site.there == (0, 0)
    site.clock.go(4)  # no beat comes so much later of a page that has left
    site.hears("heartbeat")
    assert site.there == (1, 0)


def test_a_view_that_its_own_leave_has_overtaken_opens_nothing(site):
    site.hears("page_leave")
    site.clock.go(3)
    site.hears("page_view")
    assert site.there == (0, 0)


def test_a_heartbeat_that_a_hide_has_overtaken_does_not_show_the_page(site):
    site.hears("page_view")
    site.hears("page_hidden")
    site.clock.go(5)
    site.hears("heartbeat")
    assert site.there == (0, 1)
    site.clock.go(15)
    site.hears("heartbeat")  # what said that it shows again was lost
    assert site.there == (1, 0)


def test_what_is_stamped_by_a_clock_an_hour_ahead_keeps_nobody_here(site):
    ahead = site.clock.now + 3_600_000
    site.window.append([make_event(ahead, received_at=ahead)])
    assert site.there == (1, 0)
    site.clock.go(30)
    assert site.there == (0, 1)
    site.clock.go(270)
    assert site.there == (0, 0)


def test_of_two_sessions_that_turn_out_to_be_one_every_page_is_open_that_has_not_left(site):
    site.hears("page_view", session="earlier", tab="behind")
    site.hears("page_hidden", session="earlier", tab="behind")
    site.hears("page_view", session="earlier", tab="left")
    site.clock.go(320)
    site.hears("page_view", session="later", tab="front")
    site.hears("page_leave", session="later", tab="left")
    site.window.merge([Merge("shop", "later", "earlier", site.clock.now)])
    assert site.there == (1, 0)
    site.hears("page_leave", session="earlier", tab="front")
    assert site.there == (0, 1)
    site.hears("page_leave", session="earlier", tab="behind")
    assert site.there == (0, 0)


def test_what_younger_news_of_the_page_has_overtaken_keeps_nobody_longer(site):
    site.hears("page_view")
    site.clock.go(20)
    site.hears("page_hidden")
    site.clock.go(25)
    site.window.append([make_event(site.clock.now - 30_000, "heartbeat", received_at=site.clock.now)])
    site.clock.go(274)
    assert site.there == (0, 1)
    site.clock.go(1)
    assert site.there == (0, 0)
