from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from live_events import START, Clock, make_event, make_window

from glimpse.events import SIGNS_OF_LIFE, is_bounce
from glimpse.live.tally import Tally, ranked


def test_an_empty_window_has_thirty_empty_minutes_and_nobody():
    numbers = make_window(Clock()).numbers("shop")
    assert numbers.is_empty
    assert [minute.events for minute in numbers.per_minute] == [0] * 30
    assert numbers.bounce_rate is None


def test_the_version_stays_when_nothing_happens_and_grows_with_each_append():
    clock = Clock()
    window = make_window(clock)
    assert window.look("shop") == window.look("shop") == 0
    window.append([make_event(clock.now)])
    before = window.look("shop")
    assert before == window.look("shop") > 0
    window.append([make_event(clock.now)])
    assert window.look("shop") > before


def test_appending_nothing_or_what_is_known_changes_nothing():
    clock = Clock()
    window = make_window(clock)
    event = make_event(clock.now)
    window.append([event])
    window.look("shop")
    before = window.version
    window.append([])
    window.append([event])
    assert window.version == before
    assert window.numbers("shop").events == 1


def test_the_same_id_in_two_projects_is_two_events():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, id="a"), make_event(clock.now, id="a", project="blog")])
    assert window.numbers("*").events == 2


def test_events_of_another_project_leave_the_version_of_this_one():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now)])
    before = window.look("shop")
    window.append([make_event(clock.now, project="blog")])
    assert window.look("shop") == before
    assert window.look("*") > before


def test_numbers_are_made_once_for_a_version():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now)])
    assert window.numbers("shop") is window.numbers("shop")


def test_a_place_that_did_not_change_is_the_same_object():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, lat=1.0, lon=1.0), make_event(clock.now, session="b", lat=2.0, lon=2.0)])
    first, second = window.numbers("shop").places
    window.append([make_event(clock.now, session="b", lat=2.0, lon=2.0)])
    same, other = window.numbers("shop").places
    assert same is first
    assert other is not second


def test_heartbeats_are_in_no_count():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now), *[make_event(clock.now, name) for name in SIGNS_OF_LIFE]])
    numbers = window.numbers("shop")
    assert (numbers.events, numbers.sessions, len(numbers.recent), len(window.events("shop"))) == (1, 1, 1, 1)


def test_the_rate_is_of_the_last_sixty_seconds():
    clock = Clock()
    window = make_window(clock)
    for _ in range(5):
        window.append([make_event(clock.now)])
        clock.go(10)
    assert window.numbers("shop").events_last_minute == 5
    clock.go(10)
    assert window.numbers("shop").events_last_minute == 4
    clock.go(60)
    assert window.numbers("shop").events_last_minute == 0


def test_a_minute_leaves_the_span_as_a_whole_and_the_window_ends_empty():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, source="google", country="GB")])
    clock.go(29 * 60 + 59)
    assert window.numbers("shop").events == 1
    clock.go(1)
    numbers = window.numbers("shop")
    assert numbers.is_empty
    assert numbers.top_pages == numbers.top_sources == numbers.top_countries == []
    assert window.projects() == []


def test_an_event_older_than_the_span_is_not_counted():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now - 40 * 60_000, received_at=clock.now)])
    assert window.numbers("shop").events == 0


def test_restored_events_are_counted_but_have_not_just_come_in():
    clock = Clock()
    window = make_window(clock)
    window.restore([make_event(clock.now - 60_000), make_event(clock.now - 120_000)])
    numbers = window.numbers("shop")
    assert numbers.events == 2
    assert [recent.number for recent in numbers.recent] == [0, 0]
    assert [recent.event.time for recent in numbers.recent] == [clock.now - 120_000, clock.now - 60_000]


def test_counts_go_on_past_the_cap_on_events():
    clock = Clock()
    window = make_window(clock, max_events=10)
    window.append([make_event(clock.now) for _ in range(25)])
    assert window.numbers("shop").events == 25
    assert len(window.events("shop")) == 10


def test_past_the_cap_on_sessions_the_oldest_minute_goes_and_the_numbers_say_so():
    clock = Clock()
    window = make_window(clock, max_events=10)
    for minute in range(3):
        window.append([make_event(clock.now, session=f"{minute}-{n}") for n in range(5)])
        window.append([make_event(clock.now, "page_leave", session=f"{minute}-{n}") for n in range(5)])
        clock.go(60)
    numbers = window.numbers("shop")
    assert numbers.sessions == 10
    assert numbers.covers_since == START + 60_000


def test_the_json_has_the_shape_that_is_promised():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, lat=1.0, lon=2.0, city="X", source="google")])
    answer = window.numbers("shop").as_json()
    assert {"as_of", "project", "active", "idle", "per_minute", "top_pages", "top_sources", "places"} <= answer.keys()
    assert answer["per_minute"][-1] | {"t": 0} == {"t": 0, "events": 1, "page_views": 1, "sessions": 1}
    assert answer["top_pages"] == [{"page": "/", "page_views": 1}]
    assert (answer["places"][0]["city"], answer["places"][0]["count"]) == ("X", 1)


def test_equals_are_ranked_by_name_so_that_a_list_does_not_flicker():
    assert [line.name for line in ranked({"b": 1, "a": 1, "c": 2, None: 1}, 3)] == ["c", None, "a"]


_names = st.sampled_from(["page_view", "page_leave", "heartbeat", "page_hidden", "click", "element_viewed"])
_steps = st.lists(
    st.tuples(
        _names,
        st.integers(0, 4),  # session
        st.sampled_from([None, 1.0, 2.0]),  # latitude
        st.integers(-200, 5),  # seconds late, or ahead
        st.sampled_from([0, 0, 0, 3, 40, 200, 700]),  # seconds until the next
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(_steps, st.integers(0, 2000))
def test_numbers_equal_a_slow_count_of_all_events(steps, wait):
    clock = Clock()
    window = make_window(clock)
    events = []
    for name, session, lat, late, pause in steps:
        facts = {"source": f"src{session}", "country": "GB" if lat else None, "page": f"/{session % 2}"}
        taken = make_event(
            clock.now + late * 1000, name, f"s{session}", received_at=clock.now, lat=lat, lon=lat, **facts,
            properties={"engagedMs": 4000} if name == "page_leave" else {},
        )  # fmt: skip
        events.append((clock.now, taken))
        window.append([taken])
        clock.go(pause)
        window.look("shop")
    clock.go(wait)
    assert_equals_slow_count(window.numbers("shop"), events, clock.now)


def assert_equals_slow_count(numbers, taken, now):
    since = now - now % 60_000 - 29 * 60_000
    held = [(min(e.time, at), e) for at, e in taken if e.name not in SIGNS_OF_LIFE]
    held = [(t, e) for t, e in held if t >= since]
    views = [e for _, e in held if e.name == "page_view"]
    sessions = {e.session_id for _, e in held}
    assert numbers.events == len(held) == sum(m.events for m in numbers.per_minute)
    assert numbers.page_views == len(views) == sum(m.page_views for m in numbers.per_minute)
    assert numbers.sessions == len(sessions)
    assert Counter({line.name: line.count for line in numbers.top_pages}) == Counter(e.page for e in views)
    assert {line.name: line.count for line in numbers.top_names} == Counter(e.name for _, e in held)
    assert {line.name: line.count for line in numbers.top_sources} == Counter({f"src{s[1:]}": 1 for s in sessions})
    assert sum(line.count for line in numbers.top_countries) == len(sessions)
    by_place = Counter(e.lat for _, e in held if e.lat)
    assert {place.lat: place.events for place in numbers.places if place.events} == by_place
    for minute in numbers.per_minute:
        inside = [e for t, e in held if minute.t <= t < minute.t + 60_000]
        assert minute.by_name == Counter(e.name for e in inside)
        assert minute.sessions == len({e.session_id for e in inside})
        assert minute.bounces <= minute.sessions
    if now - START < 25 * 60_000:  # so that all that was ever counted is in the span
        assert numbers.bounces == sum(bounced([e for _, e in held if e.session_id == s]) for s in sessions)
    assert sum(place.count for place in numbers.places) <= numbers.open_sessions


def bounced(events):
    views = sum(e.name == "page_view" for e in events)
    engaged = sum(e.properties.get("engagedMs", 0) for e in events)
    return is_bounce(views, sum(e.name == "click" for e in events), engaged)


def test_a_layer_of_bots_is_seen_where_it_is_asked_for_and_is_no_part_of_all():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, id="a"), make_event(clock.now, id="b", project="shop:bots")])
    assert (window.numbers("*").events, window.numbers("shop:bots").events) == (1, 1)
    assert [event.id for event in window.events("*")] == ["a"]
    assert window.projects()[-1] == "shop:bots"


def test_an_event_stamped_by_a_clock_a_day_ahead_does_not_keep_those_behind_it():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, received_at=clock.now + 86_400_000)])
    for _ in range(40):
        clock.go(60)
        window.append([make_event(clock.now)])
    assert len(window.events("shop")) == 31


STEPS = st.tuples(st.sampled_from(["add", "take", "rank"]), st.integers(0, 30), st.integers(1, 3))


@given(st.lists(STEPS, max_size=80))
def test_a_tally_ranks_as_if_all_were_looked_through_each_time(steps: list[tuple[str, int, int]]):
    tally, plain = Tally(), Counter[str]()
    for what, key, n in steps:
        if what == "add":
            tally.add(str(key), n)
            plain[str(key)] += n
        elif what == "take" and (n := min(n, plain[str(key)])):
            tally.take(str(key), n)
            plain[str(key)] -= n
        else:
            assert tally.ranked() == ranked(dict(+plain))
    assert tally == +plain
