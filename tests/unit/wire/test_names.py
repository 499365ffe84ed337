from __future__ import annotations

import json
from typing import Any

import pytest

from glimpse.events import PASSIVE_NAMES, REMARKS, SIGNS_OF_LIFE
from glimpse.settings import Settings
from glimpse.wire import Clock, Reading, WireEvent, read_events, take_wire_event
from glimpse.wire.names import ALIASES, WORDS, canonical_name

NOW = 1_790_000_000_000


def event(**changes: Any) -> bytes:
    return json.dumps({"projectId": "shop", "event": "x", "timestamp": NOW} | changes).encode()


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        *((spelling, "page_view") for spelling in ("Page View", "pageview", "PageView", "pageView", "page view")),
        *((spelling, "page_view") for spelling in ("$pageview", "Viewed Page", "page-view", "Page view", "PAGE_VIEW")),
        ("$pageleave", "page_leave"),
        ("Session Started", "session_start"),
        ("Click", "click"),
        ("Outbound Link: Click", "outbound_click"),
        ("File Download", "file_download"),
        ("formSubmit", "form_submit"),
        ("JS Error", "js_error"),
    ],
)
def test_a_usual_spelling_means_the_standard_name(name: str, canonical: str):
    assert canonical_name(name) == canonical


@pytest.mark.parametrize(
    "name",
    ["signup", "Signup", "Page Viewer", "page_view ", "Pricing Page View", "Heartbeat", "Page Hidden", "ПРОСМОТР"],
)
def test_a_sites_own_name_stays_as_it_is(name: str):
    assert canonical_name(name) == name


def test_a_standard_name_stands_for_itself_and_no_spelling_for_two():
    assert all(canonical_name(name) == name for name in WORDS)
    assert all(canonical_name(name) == name for name in ALIASES.values())
    spelled = [words for many in WORDS.values() for words in many]
    assert len(spelled) == len(set(spelled))


def test_no_spelling_makes_an_event_vanish_as_a_sign_of_life():
    assert not SIGNS_OF_LIFE & set(ALIASES.values())
    assert set(WORDS) >= PASSIVE_NAMES - SIGNS_OF_LIFE - REMARKS


def test_names_are_told_apart_again_where_that_is_asked_for():
    body = event(event="Page View")
    ((_, claimed),) = read_events(body, None, NOW, Settings()).events
    ((_, as_sent),) = read_events(body, None, NOW, Settings(name_aliases=False)).events
    assert (claimed.name, as_sent.name) == ("page_view", "Page View")


def test_other_trackers_names_are_the_same_ones():
    reading = Reading()
    translated = WireEvent(projectId="shop", event="$pageview", timestamp=NOW)
    take_wire_event(reading, 0, translated, Clock(NOW), Settings())
    assert [claimed.name for _, claimed in reading.events] == ["page_view"]
