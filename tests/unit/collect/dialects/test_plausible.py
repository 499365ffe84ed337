"""What Plausible's trackers send, as events of ours; and what they hear."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import NOW, ask

from glimpse.events import DropReason
from glimpse.settings import Settings

VIEW: dict[str, Any] = {"n": "pageview", "u": "https://shop.test/a?utm_source=news", "d": "shop.test"}
EVENT: dict[str, Any] = VIEW | {"n": "signup"}


def test_page_view_comes_with_page_referrer_and_time_of_receipt():
    event = ask("/api/event", VIEW | {"r": "https://www.google.com/", "v": 36}).event
    assert (event.project, event.name, event.timestamp) == ("shop.test", "page_view", NOW)
    assert event.context == {
        "url": "https://shop.test/a?utm_source=news",
        "referrer": "https://www.google.com/",
        "trackerVersion": 36,
    }


def test_long_names_of_the_events_api_mean_the_same():
    named = {
        "name": "pageview",
        "url": VIEW["u"],
        "domain": "shop.test",
        "referrer": "https://a.test/",
        "props": {"a": 1},
    }
    short = VIEW | {"r": "https://a.test/", "p": {"a": 1}}
    assert ask("/api/event", named).event == ask("/api/event", short).event


@pytest.mark.parametrize("key", ["p", "m", "props", "meta"])
def test_properties_may_be_an_object_or_its_json_text(key: str):
    assert ask("/api/event", EVENT | {key: {"plan": "pro"}}).event.properties == {"plan": "pro"}
    assert ask("/api/event", EVENT | {key: '{"plan":"pro"}'}).event.properties == {"plan": "pro"}


def test_revenue_becomes_properties_that_the_callers_own_outweigh():
    paid = EVENT | {"$": {"currency": "USD", "amount": 9.99}}
    assert ask("/api/event", paid).event.properties == {"revenue": 9.99, "currency": "USD"}
    assert ask("/api/event", paid | {"p": {"currency": "EUR"}}).event.properties["currency"] == "EUR"
    assert ask("/api/event", EVENT | {"$": {}}).event.properties == {}


def test_engagement_is_a_page_leave_with_its_time_and_depth():
    event = ask("/api/event", VIEW | {"n": "engagement", "sd": 23, "e": 3019, "p": {"plan": "pro"}}).event
    assert event.name == "page_leave"
    assert event.properties == {"engagedMs": 3019, "scrollDepth": 23, "plan": "pro"}


def test_depth_that_was_not_measured_is_left_out():
    assert "scrollDepth" not in ask("/api/event", VIEW | {"n": "engagement", "sd": 255, "e": 1}).event.properties


def test_hash_routing_makes_the_hash_part_of_the_page():
    event = ask("/api/event", VIEW | {"u": "https://shop.test/app#/cart", "h": 1}).event
    assert event.context["path"] == "/app#/cart"
    assert "path" not in ask("/api/event", VIEW | {"u": "https://shop.test/app#/cart"}).event.context


def test_event_that_is_not_interactive_says_so():
    assert ask("/api/event", EVENT | {"i": False}).event.context["interactive"] is False


def test_several_domains_are_an_event_for_each():
    asked = ask("/api/event", VIEW | {"d": "shop.test, www.group.test,shop.test/blog"})
    assert [event.project for event in asked.events] == ["shop.test", "group.test", "shop.test:blog"]


def test_without_a_domain_the_pages_host_is_the_project():
    assert ask("/api/event", {"n": "pageview", "u": "https://www.shop.test/a"}).event.project == "shop.test"


def test_server_names_its_visitor_by_the_first_forwarded_address():
    event = ask("/api/event", VIEW, X_Forwarded_For="198.51.100.7, 10.0.0.1", User_Agent="Firefox").event
    assert (event.by_server, event.address) == (True, "198.51.100.7")
    assert event.context["userAgent"] == "Firefox"


def test_page_is_no_server_whatever_a_proxy_adds():
    event = ask("/api/event", VIEW, X_Forwarded_For="198.51.100.7", Origin="https://shop.test").event
    assert (event.by_server, event.address) == (False, None)


def test_success_is_202_and_ok():
    answer = ask("/api/event", VIEW).answer()
    assert (answer.status, answer.body, answer.content_type) == (202, b"ok", "text/plain; charset=utf-8")


def test_dropped_event_is_a_success_that_says_so():
    answer = ask("/api/event", VIEW).answer(dropped=[DropReason.BOT])
    assert (answer.status, answer.body) == (202, b"ok")
    assert answer.headers == {"X-Plausible-Dropped": "1", "X-Glimpse-Dropped": "bot"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "request"),
        (b"[]", "request"),
        (b"\xff\xfe", "request"),
        ({"n": "pageview", "d": "shop.test"}, "url"),
        (VIEW | {"u": 7}, "url"),
        (VIEW | {"d": ""}, "domain"),
        (VIEW | {"d": 7}, "domain"),
        ({"n": "pageview", "u": "nowhere"}, "domain"),
        ({"u": "https://shop.test/", "d": "shop.test"}, "event_name"),
        (VIEW | {"n": "x" * 201}, "event_name"),
        (EVENT | {"p": {"k": "v" * 4097}}, "properties.k"),
    ],
)
def test_bad_input_is_400_in_plausibles_shape(body: Any, field: str):
    asked = ask("/api/event", body)
    assert not asked.reading.events
    answer = asked.answer()
    assert answer.status == 400
    [(named, messages)] = json.loads(answer.body)["errors"].items()
    assert named == field
    assert messages[0].split()[0] not in ("projectId", "context.url"), "the message speaks of Plausible's field"


def test_too_many_domains_are_413():
    asked = ask("/api/event", VIEW | {"d": "a,b,c"}, settings=Settings(max_batch_events=2))
    assert asked.answer().status == 413


def test_old_trackers_window_width_is_kept():
    assert ask("/api/event", VIEW | {"w": 1280, "h": 0}).event.context["viewportWidth"] == 1280
