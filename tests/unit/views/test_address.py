from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from glimpse.live import Window
from glimpse.views.address import CHOICES as NAMES
from glimpse.views.address import DEFAULTS, read_address, read_choices, search_of
from glimpse.views.asked_page import AskedPage
from glimpse.views.explore_page import ExplorePage
from glimpse.views.feed import Feed
from glimpse.views.history_page import HistoryPage
from glimpse.views.live_map import LiveMap
from glimpse.views.performance_page import PerformancePage
from glimpse.views.scope import DAY_MS, Scope, span_of
from glimpse.views.sessions_page import SessionsPage

NOW = 1_790_000_000_000
CHOICES = {
    "project": st.sampled_from(["*", "shop", "a.b:bots"]),
    "view": st.sampled_from(["live", "history"]),
    "since": st.sampled_from(["24h", "7d", "2026-11-01T00:00"]),
    "until": st.sampled_from(["2026-11-02", "1790000000000"]),
    "tz": st.sampled_from(["UTC", "Europe/Vienna"]),
    "where": st.text(max_size=60).filter(lambda text: text.encode("utf-8", "ignore").decode() == text),
    "theme": st.sampled_from(["dark", "light"]),
    "compare": st.just("before"),
    "segment": st.sampled_from(["German visitors", "<b>&=?"]),
    "goal": st.sampled_from(["buy", "/thanks"]),
}
# What can be chosen in the parts of the pages.
TYPED = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).map(str.strip).filter(bool)
IN_PARTS: dict[str, st.SearchStrategy[tuple[str, ...]]] = {
    "map": st.sampled_from([("48.2,16.37,5",), ("-33.87,151.2,4.5",)]),
    "feed": st.tuples(TYPED),
    "feed_find": st.tuples(TYPED),
    "line": st.just(("events",)),
    "pages": st.sampled_from([("Entry",), ("Exit",)]),
    "sources": st.just(("UTM source",)),
    "places": st.just(("City",)),
    "technology": st.just(("Screen",)),
    "events": st.tuples(TYPED.filter(lambda text: text != "Name")),
    "session": st.just(("shop/0190c0de-0000-7000-8000-000000000000",)),
    "event": st.lists(TYPED, min_size=1, max_size=10, unique=True).map(tuple),
    "by": st.sampled_from([("country",), ("properties.plan",), ('properties."a b"',)]),
    "beside": st.lists(st.just("") | TYPED, min_size=2, max_size=4).map(tuple),
    "step": st.lists(TYPED, min_size=1, max_size=8).map(tuple),
    "within": st.sampled_from([("60",), ("3600",)]),
    "retention": st.just(("Country",)),
    "path": st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)),
    "vital": st.just(("INP",)),
    "vitals": st.just(("Device",)),
    "errors": st.just(("Browser",)),
}
PAGES: tuple[Callable[..., AskedPage], ...] = (HistoryPage, SessionsPage, ExplorePage, PerformancePage)


async def never_asked(question: str, scope: Scope, **arguments: Any) -> Any:
    raise AssertionError(question)


WINDOW = Window(minutes=30, max_events=100, now_ms=lambda: NOW)
LIVE = [Feed(WINDOW), LiveMap(WINDOW)]
PARTS: list[Any] = [*LIVE, *(part for page in PAGES for part in page(never_asked, theme="dark").parts)]


def arguments_of(search: str) -> dict[str, list[bytes]]:
    """Return an address's part from the question mark on, as a server reads it."""
    arguments: dict[str, list[bytes]] = {}
    for name, value in parse_qsl(urlsplit(search).query, keep_blank_values=True):
        arguments.setdefault(name, []).append(value.encode())
    return arguments


@given(st.fixed_dictionaries({}, optional=CHOICES), st.fixed_dictionaries({}, optional=IN_PARTS))
def test_a_copied_address_opens_the_same_view(chosen: dict[str, str], in_parts: dict[str, tuple[str, ...]]):
    arguments = arguments_of(search_of(chosen, in_parts))
    assert DEFAULTS | read_address(arguments) == DEFAULTS | chosen
    heard = read_choices(arguments)
    shown: dict[str, tuple[str, ...]] = {}
    for part in PARTS:
        part.choose(heard)
        shown |= part.choices
    open_before = {"session": shown["session"]} if "session" in shown else {}  # nothing closes a session
    assert shown == open_before | in_parts


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.binary(max_size=80), max_size=14)))
def test_what_can_not_be_chosen_in_a_part_is_as_if_it_were_not_there(nonsense: dict[str, list[bytes]]):
    heard = read_choices(nonsense)
    for part in PARTS:
        part.choose(heard)
        chosen = part.choices
        part.choose(chosen)
        assert part.choices == chosen  # what an address would say of it is heard again
        assert set(chosen) <= {*part.says}


def test_each_name_that_an_address_may_say_belongs_to_one_part():
    assert sorted(name for part in PARTS for name in part.says) == sorted(NAMES)
    assert not {*NAMES} & {*DEFAULTS}


def test_what_can_not_be_is_as_if_it_were_not_there():
    wrong = {"project": "<b>", "view": "admin", "since": "ever", "tz": "Moon/Base", "theme": "pink", "kiosk": "yes"}
    assert read_address({name: [value.encode()] for name, value in wrong.items()}) == {}


def test_a_span_back_from_now_and_one_in_a_zone():
    assert span_of("7d", "", "UTC", NOW) == (NOW - 7 * DAY_MS, NOW)
    summer = span_of("2026-07-01T00:00", "2026-07-02T00:00", "Europe/Vienna", NOW)
    assert summer == span_of("2026-06-30T22:00Z", "2026-07-01T22:00Z", "UTC", NOW)


def test_a_span_that_is_none_is_the_last_day():
    for since, until in [("", ""), ("nonsense", ""), ("2026-07-02", "2026-07-01"), ("0", "9999999999999")]:
        assert span_of(since, until, "UTC", NOW) == (NOW - DAY_MS, NOW)


def test_the_time_before_is_as_long_and_ends_where_this_begins():
    scope = Scope(since=NOW - DAY_MS, until=NOW)
    assert (scope.before.since, scope.before.until) == (NOW - 2 * DAY_MS, NOW - DAY_MS)
    assert [Scope(since=0, until=days * DAY_MS).unit for days in (0, 1, 30, 365, 3000)] == [
        "minute", "hour", "day", "week", "month",
    ]  # fmt: skip
