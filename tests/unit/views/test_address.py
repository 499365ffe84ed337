from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from glimpse.views.address import DEFAULTS, read_address, search_of
from glimpse.views.scope import DAY_MS, Scope, span_of

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


@given(st.fixed_dictionaries({}, optional=CHOICES))
def test_a_copied_address_opens_the_same_view(chosen: dict[str, str]):
    written = urlsplit(search_of(chosen)).query
    arguments = {name: [value.encode()] for name, value in parse_qsl(written, keep_blank_values=True)}
    assert DEFAULTS | read_address(arguments) == DEFAULTS | chosen


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
