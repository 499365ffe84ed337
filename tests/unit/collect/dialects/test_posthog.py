"""What PostHog's clients send, as events of ours; and what they hear."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from asking import NOW, Asked, ask

from glimpse.collect.dialects.posthog_event import FACTS, NAMES
from glimpse.events import DropReason

KEY = "phc_1"
SESSION = "01a20db2-9000-7da0-9ffc-a87dc720b92d"
UUID = "01a20db2-8ff2-7e26-b96f-16230953c41d"
DEVICE = "01a20db2-8fe8-740d-880a-ab017f168315"
WEB: dict[str, Any] = {
    "$lib": "web",
    "$os": "Linux",
    "$current_url": "https://shop.test/a?b=1",
    "$pathname": "/a",
    "$host": "shop.test",
    "$referrer": "https://x.test/",
    "$referring_domain": "x.test",
    "$browser_language": "en-GB",
    "$timezone": "Europe/Vienna",
    "$screen_width": 1440,
    "$screen_height": 900,
    "$viewport_width": 1200,
    "$viewport_height": 800,
    "utm_source": "news",
    "utm_medium": None,
    "gclid": "click-1",
    "distinct_id": DEVICE,
    "$device_id": DEVICE,
    "$user_id": "user-1",
    "$session_id": SESSION,
    "$session_entry_url": "https://shop.test/?secret=1",
    "$set": {"email": "a@example.test"},
    "$ip": "203.0.113.9",
    "$groups": {"company": "acme-1"},
    "token": KEY,
}


def captured(name: Any = "signup", path: str = "/e/", facts: dict[str, Any] | None = None, **more: Any) -> Asked:
    headers = {"Origin": more.pop("Origin")} if "Origin" in more else {}
    properties = {"distinct_id": "d-1", "$lib": "web", **(facts or {})}
    return ask(path, {"api_key": KEY, "event": name, "uuid": UUID, "properties": properties, **more}, **headers)


def test_custom_event_has_its_own_name_and_properties():
    event = captured(facts={"plan": "pro", "tags": ["a"], "nothing": None}, timestamp="2026-09-21T14:13:19Z").event
    assert (event.project, event.name, event.id) == (KEY, "signup", UUID)
    assert event.properties == {"plan": "pro", "tags": ["a"], "nothing": None}
    assert event.timestamp == NOW - 1000


def test_default_properties_become_context_without_persons_and_devices():
    event = captured("$pageview", facts=WEB | {"title": "A", "layout": "wide"}).event
    assert event.context == {
        "url": "https://shop.test/a?b=1",
        "path": "/a",
        "title": "A",
        "referrer": "https://x.test/",
        "language": "en-GB",
        "timezone": "Europe/Vienna",
        "screen": {"width": 1440, "height": 900},
        "viewport": {"width": 1200, "height": 800},
        "utm": {"source": "news"},
        "$os": "Linux",
        "$lib": "web",
    }
    assert event.properties == {"layout": "wide"}
    assert (event.session_id, event.person) == (SESSION, DEVICE)


def test_no_field_that_is_left_out_is_stored():
    facts = {name: f"seen {name}" for name, field in FACTS.items() if field is None}
    event = captured("search", facts=facts).event
    kept = json.dumps([event.properties, event.context | {"utm": None}])
    assert [name for name in facts if f"seen {name}" in kept] == []


@pytest.mark.parametrize(("name", "ours"), [*NAMES.items(), ("$feature_flag_called", "$feature_flag_called")])
def test_event_that_a_client_sends_by_itself_has_our_name(name: str, ours: str):
    assert captured(name).event.name == ours


@pytest.mark.parametrize(
    ("gesture", "name"), [("click", "click"), ("submit", "form_submit"), ("change", "input_change")]
)
def test_autocapture_is_named_by_the_gesture(gesture: str, name: str):
    element = {
        "tag_name": "a",
        "$el_text": "Buy",
        "attr__id": "buy",
        "attr__href": "https://x.test/?q=1",
        "classes": ["b"],
    }
    event = captured("$autocapture", facts={"$event_type": gesture, "$elements": [element, {"tag_name": "body"}]}).event
    assert event.name == name
    assert event.properties == {"tag": "a", "text": "Buy", "id": "buy", "href": "https://x.test/"}


def test_page_leave_says_how_long_the_page_was_read():
    facts = {"$prev_pageview_duration": 4.4, "$prev_pageview_max_scroll_percentage": 0.62}
    assert captured("$pageleave", facts=facts).event.properties == {"engagedMs": 4400, "scrollDepth": 62}
    assert captured("$pageleave", facts={"$prev_pageview_duration": "long"}).event.properties == {}


def test_exception_keeps_kind_and_message_but_no_code():
    listed = [{"type": "KeyError", "value": "'a'", "stacktrace": {"frames": [{"context_line": "secret()"}]}}]
    assert captured("$exception", facts={"$exception_list": listed}).event.properties == {
        "type": "KeyError",
        "message": "'a'",
    }
    assert captured("$exception", facts={"$lib": "posthog-python"}).event.name == "exception"


def test_direct_visit_has_no_referrer():
    assert "referrer" not in captured("$pageview", facts={"$referrer": "$direct"}).event.context


def test_visitors_without_cookies_are_told_apart_by_the_edge():
    assert captured(facts={"distinct_id": "$posthog_cookieless"}).event.person is None


def test_ids_and_traits_are_for_projects_that_keep_identities_only():
    traits: Any = {"$set": {"email": "a@example.test", "$os": "x"}}
    known = captured("$identify", facts={"distinct_id": "user-1"}, **traits)
    assert (known.event.user_id, known.event.anonymous_id) == ("user-1", None)
    assert known.event.traits == {"email": "a@example.test"}
    stranger = captured(facts={"distinct_id": "d-1", "$device_id": "d-1"}).event
    assert (stranger.user_id, stranger.anonymous_id) == (None, "d-1")
    group = {"$group_type": "company", "$group_key": "acme-1", "$group_set": {"name": "Acme"}}
    assert captured("$groupidentify", facts=group).event.traits == {
        "groupType": "company",
        "groupId": "acme-1",
        "name": "Acme",
    }


def test_server_tells_the_visitors_address_and_a_page_does_not():
    server = captured(facts={"$lib": "posthog-node", "$ip": "203.0.113.9"}).event
    assert (server.by_server, server.address) == (True, "203.0.113.9")
    page = captured(facts={"$lib": "posthog-node", "$ip": "203.0.113.9"}, Origin="https://shop.test").event
    assert (page.by_server, page.address) == (False, None)
    assert not captured(facts={"$lib": "posthog-ios"}).event.by_server


def test_clock_that_is_off_is_set_right():
    off: dict[str, Any] = {"timestamp": "2026-09-21T13:13:19Z", "sent_at": "2026-09-21T13:13:20Z"}
    assert captured(**off).event.timestamp == NOW - 1000
    assert captured(path="/e/?sent_at=2026-09-21T13:13:20Z", timestamp=off["timestamp"]).event.timestamp == NOW - 1000
    assert captured(offset=1500).event.timestamp == NOW - 1500
    assert captured(facts={"$time": NOW / 1000 - 2}).event.timestamp == NOW - 2000
    assert captured().event.timestamp == NOW


EVENT = {"event": "signup", "properties": {"token": KEY, "distinct_id": "d-1"}}
TEXT = json.dumps({"api_key": KEY, "batch": [EVENT], "sent_at": "2026-09-21T14:13:20Z"}).encode()


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/batch/", TEXT, {}),
        ("/batch", gzip.compress(TEXT), {"Content_Encoding": "gzip"}),
        ("/e/?compression=gzip-js", gzip.compress(TEXT), {"Content_Type": "text/plain"}),
        ("/i/v0/e/", TEXT, {"Content_Type": "text/plain"}),
        ("/e/?compression=base64", b"data=" + quote_plus(base64.b64encode(TEXT)).encode(), {}),
        ("/e/", b"data=" + base64.b64encode(TEXT) + b"&_=1", {}),  # "+" not escaped
        ("/capture/", b"data=" + base64.b64encode(gzip.compress(TEXT)), {}),
        ("/capture/", b"data=" + quote_plus(TEXT).encode(), {}),
        ("/capture/", json.dumps([EVENT]).encode(), {}),
        ("/track/", json.dumps(EVENT).encode(), {}),
    ],
)
def test_body_may_be_wrapped_in_each_way_that_clients_know(path: str, body: bytes, headers: dict[str, Any]):
    asked = ask(path, body, **headers)
    assert (asked.event.project, asked.event.name) == (KEY, "signup")


def test_newest_clients_put_key_clock_and_library_into_headers():
    body = {"batch": [{"event": "signup", "session_id": SESSION, "timestamp": "2026-09-21T13:13:19Z", "options": {}}]}
    headers: dict[str, Any] = {
        "Authorization": f"Bearer {KEY}",
        "Posthog_Request_Timestamp": "2026-09-21T13:13:20Z",
        "Posthog_Sdk_Info": "posthog-ios/3",
    }
    asked = ask("/i/v1/analytics/events", body, **headers)
    event = asked.event
    assert (event.project, event.session_id, event.timestamp, event.by_server) == (KEY, SESSION, NOW - 1000, False)
    assert asked.answered() == {"results": {}}


def test_profile_of_the_old_api_is_an_identify():
    update = {"$token": KEY, "$distinct_id": "user-1", "$set": {"email": "a@example.test"}}
    asked = ask("/engage/", b"data=" + base64.b64encode(json.dumps(update).encode()))
    assert (asked.event.name, asked.event.project, asked.event.person) == ("identify", KEY, "user-1")
    assert asked.answer().body == b"1"


def test_good_events_of_a_batch_are_kept():
    asked = ask("/batch/", {"api_key": KEY, "batch": [EVENT, {"event": ""}, 7, {"event": "a", "properties": []}]})
    assert [event.name for event in asked.events] == ["signup"]
    assert len(asked.reading.refused) == 3
    assert asked.answered() == {"status": "Ok"}


@pytest.mark.parametrize("body", [b"data=%%%", b"\x1f\x8b\x08", b"{", b'{"event":5,"api_key":"phc_1"}', b"[7]"])
def test_body_that_makes_no_sense_is_refused(body: bytes):
    asked = ask("/e/", body)
    assert asked.answer().status == 400
    assert asked.answered()["type"] == "validation_error"
    assert asked.answered()["detail"]


def test_event_without_a_key_is_refused_as_posthog_does():
    asked = ask("/e/", {"event": "signup", "properties": {}})
    assert asked.answer().status == 401
    assert asked.answered()["code"] == "missing_api_key"


@pytest.mark.parametrize("name", ["$snapshot", "$$heatmap"])
def test_what_is_no_event_is_counted_and_does_not_upset_its_client(name: str):
    asked = captured(name)
    assert [refused.errors[0].reason for refused in asked.reading.refused] == ["unsupported"]
    assert (asked.answer().status, asked.answer().headers) == (200, {"X-Glimpse-Dropped": "unsupported"})
    recording = ask("/s/?compression=gzip-js", gzip.compress(b"[]"))
    assert (recording.answer().status, recording.answer().headers) == (200, {"X-Glimpse-Dropped": "unsupported"})


def test_dropped_event_is_a_success_that_says_why():
    assert captured().answer([DropReason.BOT]).headers == {"X-Glimpse-Dropped": "bot"}
