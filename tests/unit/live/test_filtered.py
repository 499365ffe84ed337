from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_events import START, Clock, make_event, make_window

from glimpse.errors import QueryError, TooManyFilters
from glimpse.events import SIGNS_OF_LIFE, Event, Merge, Session, by_pair
from glimpse.filters import Filter, field, parse, to_json
from glimpse.filters.predicate import predicate_of
from glimpse.live import Window, filtered
from glimpse.live.open_filters import MOST_FILTERS
from glimpse.sessions.account import count_in

GERMAN = parse('country = "DE"')


def test_only_what_the_filter_keeps_is_counted_whether_it_came_before_or_after_the_first_look():
    clock = Clock()
    window = make_window(clock)
    for session, country in (("a", "DE"), ("b", "FR")):
        window.append([make_event(clock.now, session=session, country=country)])
    assert window.numbers("shop", GERMAN).events == 1
    window.append([make_event(clock.now, session="c", country="DE"), make_event(clock.now, session="d")])
    numbers = window.numbers("shop", GERMAN)
    assert (numbers.events, numbers.sessions, numbers.active, numbers.events_last_minute) == (2, 2, 2, 2)
    assert [line.name for line in numbers.top_countries] == ["DE"]
    assert [event.session_id for event in window.events("shop", GERMAN)] == ["a", "c"]


def test_a_full_window_is_counted_in_parts_from_the_newest_back_while_more_comes_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(filtered, "COUNTED_AT_ONCE", 10)
    clock = Clock()
    window = make_window(clock)
    for minute in range(5):
        events = [make_event(clock.now, session=f"{minute}-{n}", country="DE") for n in range(7)]
        window.append(events)
        clock.now += 60_000
    first = window.numbers("shop", GERMAN)
    assert (first.events, first.covers_since) == (10, clock.now - 60_000)
    window.append([make_event(clock.now, session="new", country="DE")])
    seen = window.look("shop", GERMAN)
    assert window.look("shop", GERMAN) != seen
    while not window.fill("shop", GERMAN):
        pass
    numbers = window.numbers("shop", GERMAN)
    assert (numbers.events, numbers.sessions) == (36, 36)
    assert numbers.covers_since == window.numbers("shop").covers_since
    assert [line.event for line in numbers.recent] == [line.event for line in window.numbers("shop").recent]


@pytest.mark.parametrize("form", ['country = "DE"', GERMAN, to_json(GERMAN), field("country") == "DE"])
def test_every_form_of_a_filter_is_the_same_window(form: object):
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, country="DE")])
    assert window.numbers("shop", form) is window.numbers("shop", GERMAN)
    assert len(window._filtered) == 1


def test_a_blank_filter_is_none():
    window = make_window(Clock())
    window.append([make_event(START)])
    assert window.numbers("shop", " ") is window.numbers("shop")


def test_a_mistake_in_a_filter_is_told():
    with pytest.raises(QueryError, match="no field 'contry'"):
        make_window(Clock()).look("shop", 'contry = "DE"')


def test_the_version_changes_only_with_what_is_seen_through_the_filter():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, country="DE")])
    before = window.look("shop", GERMAN)
    window.append([make_event(clock.now, session="b", country="FR")])
    window.append([make_event(clock.now, "heartbeat", session="b")])
    assert window.look("shop", GERMAN) == before
    assert window.numbers("shop", GERMAN) is window.numbers("shop", GERMAN)
    window.append([make_event(clock.now, "page_leave")])
    assert window.look("shop", GERMAN) > before


def test_a_session_is_there_for_as_long_as_all_it_does_says_so_not_only_what_is_kept():
    clock = Clock()
    window = make_window(clock)
    views = parse('name = "page_view"')
    window.append([make_event(clock.now)])
    for _ in range(40):  # ten minutes: heartbeats are no events, and yet it is there
        clock.go(15)
        window.append([make_event(clock.now, "heartbeat")])
    assert window.numbers("shop", views).active == 1
    clock.go(40)
    assert (window.numbers("shop", views).active, window.numbers("shop", views).idle) == (0, 1)
    window.append([make_event(clock.now, "page_leave")])
    assert window.numbers("shop", views).open_sessions == 0
    assert window.numbers("shop", views).sessions == 1


def test_a_bounce_is_one_whatever_part_of_the_session_is_kept():
    clock = Clock()
    window = make_window(clock)
    views = parse('name = "page_view"')
    window.append([make_event(clock.now, session="a"), make_event(clock.now, session="b")])
    assert window.numbers("shop", views).bounces == 2
    window.append([make_event(clock.now, "click", session="a")])
    assert window.numbers("shop", views).bounces == 1
    assert window.numbers("shop", views).per_minute[-1].bounces == 1


def test_what_is_known_of_a_session_later_lets_its_events_in_and_out():
    clock = Clock()
    window = make_window(clock)
    short, long = parse("session.pages < 2"), parse('session.pages >= 2 and session.entry_page = "/in"')
    session = Session(project="shop", id="s1", started_at=clock.now, last_seen_at=clock.now)
    seen = []
    for page in ("/in", "/next", "/last"):
        event = make_event(clock.now, page=page)
        count_in(session, event)
        window.learn(by_pair([session]))
        window.append([event])
        seen.append((window.numbers("shop", short).events, window.numbers("shop", long).events))
        clock.go(1)
    assert seen == [(1, 0), (0, 2), (0, 3)]
    assert [line.name for line in window.numbers("shop", long).top_pages] == ["/in", "/last", "/next"]


def test_two_sessions_that_turn_out_to_be_one_are_one_through_a_filter():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, session="a", country="DE"), make_event(clock.now, session="b", country="DE")])
    assert window.numbers("shop", GERMAN).sessions == 2
    of_a = parse('session_id = "a"')
    assert window.numbers("shop", of_a).events == 1
    window.merge([Merge("shop", "b", "a", clock.now)])
    numbers = window.numbers("shop", GERMAN)
    assert (numbers.events, numbers.sessions, numbers.per_minute[-1].sessions) == (2, 1, 1)
    assert window.numbers("shop", of_a).events == 2


def test_a_filter_that_nobody_looks_through_for_a_minute_is_let_go_of():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, country="DE")])
    before = window.look("shop", GERMAN)
    clock.go(75)
    window.append([make_event(clock.now, country="DE")])
    assert len(window._filtered) == 0
    assert window.look("shop", GERMAN) > before


def test_one_filter_too_many_is_refused_until_another_is_looked_through_no_more():
    clock = Clock()
    window = make_window(clock)
    for number in range(MOST_FILTERS):
        window.look("shop", field("page") == f"/{number}")
    with pytest.raises(TooManyFilters, match="64 filters"):
        window.look("shop", GERMAN)
    assert window.look("shop", field("page") == "/0") == 0
    clock.go(6)
    window.look("shop", GERMAN)
    assert len(window._filtered) == MOST_FILTERS


def test_past_the_cap_on_events_a_filter_covers_less_and_says_so():
    clock = Clock()
    window = make_window(clock, max_events=10)
    for _ in range(3):
        window.look("shop", GERMAN)
        window.append([make_event(clock.now, country="DE") for _ in range(4)])
        clock.go(50)
    fed, made = window.numbers("shop", GERMAN), window.numbers("shop", "name exists")
    assert fed.covers_since == made.covers_since == START + 60_000
    assert fed.events == made.events == sum(minute.events for minute in made.per_minute) == 4


def test_events_come_in_with_numbers_that_grow():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, country="DE")])
    assert [line.number for line in window.numbers("shop", GERMAN).recent] == [0]
    again = make_event(clock.now, country="DE")
    window.append([make_event(clock.now), again])
    window.append([again, make_event(clock.now, country="DE")])
    assert [line.number for line in window.numbers("shop", GERMAN).recent] == [0, 2, 3]


_names = st.sampled_from(["page_view", "page_leave", "heartbeat", "page_hidden", "click"])
_steps = st.lists(
    st.tuples(
        _names,
        st.integers(0, 4),  # session
        st.sampled_from(["DE", "FR", None]),
        st.integers(-200, 5),  # seconds late, or ahead
        st.sampled_from([0, 0, 3, 40, 200, 700]),  # seconds until the next
        st.booleans(),  # does somebody look
    ),
    max_size=30,
)
_wheres = st.sampled_from(
    [
        'country = "DE"',
        'country != "DE"',
        'name = "page_view"',
        'name = "click" or page = "/1"',
        "session.pages > 1",
        'session.is_bounce = true and country = "DE"',
        'not "click"',
    ]
).map(parse)


@settings(max_examples=150)
@given(_steps, _wheres, st.integers(0, 2000), st.integers(0, 30))
def test_numbers_through_a_filter_equal_a_slow_count(steps: list, where: Filter, wait: int, merge_after: int):
    clock = Clock()
    window, sessions, events = make_window(clock), {}, []
    for step, (name, number, country, late, pause, is_seen) in enumerate(steps):
        session = sessions.setdefault(f"s{number}", new_session(f"s{number}", clock.now))
        facts = {"country": country, "page": f"/{number % 2}", "lat": 1.0 if country else None, "lon": 2.0}
        event = make_event(
            clock.now + late * 1000, name, session.id, id=f"e{step}", received_at=clock.now, **facts,
            properties={"engagedMs": 4000} if name == "page_leave" else {},
        )  # fmt: skip
        count_in(session, event)
        events.append(event)
        window.learn(by_pair([session]))
        window.append([event])
        if is_seen:
            window.look("shop", where)
        if step == merge_after and "s0" in sessions and "s1" in sessions:
            sessions["s1"].pages += sessions.pop("s0").pages
            window.learn(by_pair([sessions["s1"]]))
            window.merge([Merge("shop", "s0", "s1", clock.now)])
        clock.go(pause)
    clock.go(wait)
    assert_equal_slow_count(window, where, events, sessions, clock.now)
    assert_equal_all_that_is_seen_anew(window, where)


def new_session(name: str, now: int) -> Session:
    return Session(project="shop", id=name, started_at=now, last_seen_at=now)


def assert_equal_slow_count(window: Window, where: Filter, events: list[Event], sessions: dict, now: int) -> None:
    numbers = window.numbers("shop", where)
    since, keeps = now - now % 60_000 - 29 * 60_000, predicate_of(where)
    held = [(t, e) for t, e in of_span(events, since) if keeps(e, sessions.get(e.session_id))]
    views = [e for _, e in held if e.name == "page_view"]
    assert numbers.events == len(held) == sum(m.events for m in numbers.per_minute)
    assert numbers.page_views == len(views) == sum(m.page_views for m in numbers.per_minute)
    assert numbers.sessions == len({e.session_id for _, e in held})
    assert {line.name: line.count for line in numbers.top_pages} == Counter(e.page for e in views)
    assert {line.name: line.count for line in numbers.top_names} == Counter(e.name for _, e in held)
    assert sum(place.events for place in numbers.places) == sum(e.lat is not None for _, e in held)
    assert numbers.bounces <= numbers.sessions
    for minute in numbers.per_minute:
        inside = [e for t, e in held if minute.t <= t < minute.t + 60_000]
        assert minute.by_name == Counter(e.name for e in inside)
        assert minute.sessions == len({e.session_id for e in inside})
    everything = window.numbers("shop")
    assert numbers.active <= everything.active
    for shown, kept in ((numbers, keeps), (everything, None)):
        here = {line.session_id for line in window.here("shop", where if kept else None, most=100)}
        counted = {
            e.session_id for t, e in of_span(events, since) if kept is None or kept(e, sessions.get(e.session_id))
        }
        assert shown.gone == len(counted - here)
    assert {event.id for event in window.events("shop", where)} >= {e.id for _, e in held}


def of_span(events: list[Event], since: int) -> list[tuple[int, Event]]:
    held = [(min(e.time, e.received_at), e) for e in events if e.name not in SIGNS_OF_LIFE]
    return [(t, e) for t, e in held if t >= since]


def assert_equal_all_that_is_seen_anew(window: Window, where: Filter) -> None:
    """Fed or made from what is held: what is seen is the same, but for what nobody was there to watch."""
    fed = window.numbers("shop", where).as_json()
    window._filtered._open.clear()
    made = window.numbers("shop", where).as_json()
    for answer in (fed, made):
        del answer["as_of"]  # when it was counted
        answer["places"].sort(key=str)
    assert fed == made


def test_who_is_here_are_the_sessions_that_are_open_the_one_heard_last_first_and_of_a_filter_its_own():
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now, session="first", page="/a")])
    clock.now += 1_000
    window.append([make_event(clock.now, session="second", page="/b")])
    window.append([make_event(clock.now, session="gone"), make_event(clock.now + 1, "page_leave", "gone")])
    assert [line.session_id for line in window.here("shop")] == ["second", "first"]
    assert [line.session_id for line in window.here("shop", 'page = "/a"')] == ["first"]
    assert [line.session_id for line in window.here("shop", most=1)] == ["second"]
    assert [line.is_active for line in window.here("*")] == [True, True]


def test_all_filters_together_hold_no_more_than_their_room_and_cover_less_for_it():
    clock = Clock()
    window = make_window(clock, max_events=100)
    wheres = [parse("name exists"), parse("page exists"), parse("session.pages >= 0"), GERMAN]
    room = window._filtered.room
    for _ in range(30):
        window.append([make_event(clock.now, session=f"s{n}", country="DE") for n in range(10)])
        for where in wheres:
            with contextlib.suppress(TooManyFilters):
                window.look("shop", where)
        window.look("shop", wheres[0])  # what the look before took too much is given back with the next
        assert room.taken <= room.most == 200
        clock.go(61)
    numbers = window.numbers("shop", wheres[0])
    held = [event for event in window.events("shop") if event.time >= numbers.covers_since]
    assert numbers.covers_since > window.numbers("shop").covers_since
    assert numbers.events == len(held) == sum(minute.events for minute in numbers.per_minute) > 0


def test_with_no_room_one_more_filter_is_refused_until_others_are_looked_through_no_more():
    clock = Clock()
    window = make_window(clock, max_events=100)
    window.append([make_event(clock.now, session=f"s{n}", country="DE") for n in range(100)])
    for where in ("name exists", "page exists"):
        assert window.numbers("shop", where).events == 100
    with pytest.raises(TooManyFilters, match="2 filters are being looked through live already, and hold 200 events"):
        window.look("shop", GERMAN)
    clock.go(6)
    assert window.numbers("shop", GERMAN).events == 100
    clock.go(70)
    window.look("shop", parse('name = "buy"'))
    assert (len(window._filtered), window._filtered.room.taken) == (1, 0)


def test_a_filter_that_keeps_more_of_one_minute_than_there_is_room_is_refused_in_place_of_the_memory():
    clock = Clock()
    window = make_window(clock, max_events=100)
    where = parse("session.pages >= 0 or name exists")  # each row is held twice: counted, and to be judged again
    for _ in range(4):
        window.look("shop", where)
        window.append([make_event(clock.now, session=f"s{n}") for n in range(80)])
        assert window._filtered.room.taken <= window._filtered.room.most
        if not len(window._filtered):
            break
    with pytest.raises(TooManyFilters, match="keeps more of one minute"):
        window.look("shop", where)
    clock.go(61)
    window.append([make_event(clock.now)])
    window.look("shop", where)


def test_what_a_filter_about_sessions_may_judge_again_leaves_with_the_span():
    clock = Clock()
    window = make_window(clock)
    where = parse("session.pages > 100")
    for _ in range(90):
        window.append([make_event(clock.now)])  # one session that goes on for longer than the span
        window.look("shop", where)
        clock.go(60)
    assert window._filtered.room.taken <= 31


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.sampled_from([0, 3, 61, 400])), max_size=25))
def test_the_room_is_what_is_held_whatever_comes_and_goes(steps: list[tuple[int, int, int]]):
    clock = Clock()
    window = make_window(clock, max_events=30)
    wheres = ['country = "DE"', "session.pages >= 0", "name exists", "session.is_bounce = true"]
    for count, number, pause in steps:
        window.append([make_event(clock.now, session=f"s{n % 3}", country="DE") for n in range(count)])
        if number < len(wheres):
            with contextlib.suppress(TooManyFilters):
                window.look("shop", wheres[number])
        elif count:
            window.merge([Merge("shop", "s1", "s0", clock.now)])
        clock.go(pause)
        assert window._filtered.room.taken == sum(one.rows for one in window._filtered._open.values())
