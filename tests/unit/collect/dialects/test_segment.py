"""What clients of Segment and RudderStack send, as events of ours; and what they hear."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from asking import NOW, Asked, ask

from glimpse.events import DropReason
from glimpse.settings import Settings

KEY = "wk_1"
CALL: dict[str, Any] = {
    "writeKey": KEY,
    "anonymousId": "anon-1",
    "messageId": "ajs-next-1",
    "timestamp": NOW - 1000,
    "sentAt": NOW,
}
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
CONTEXT: dict[str, Any] = {
    "page": {
        "url": "https://shop.test/a?b=1",
        "path": "/a",
        "title": "A",
        "referrer": "https://x.test/",
        "search": "?b=1",
    },
    "userAgent": CHROME,
    "locale": "en-GB",
    "timezone": "Europe/Vienna",
    "screen": {"width": 1440, "height": 900, "density": 2, "innerWidth": 1200, "innerHeight": 800},
    "campaign": {"name": "spring", "source": "news", "medium": "email", "term": "t", "content": "c", "id": "7"},
    "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
    "device": {"id": "d-1", "advertisingId": "a-1", "name": "Anna's phone", "model": "X", "type": "ios"},
    "ip": "203.0.113.9",
    "traits": {"email": "a@example.test"},
    "location": {"latitude": 48.2, "longitude": 16.37},
    "groupId": "acme-1",
    "plan": "beta",
}


def track(path: str = "/v1/track", method: str | None = None, **more: Any) -> Asked:
    headers = {name: more.pop(name) for name in ("Origin", "Authorization") if name in more}
    return ask(path, CALL | {"type": "track", "event": "signup"} | more, method, **headers)


def basic(user: str, rest: str = ":") -> str:
    return "Basic " + base64.b64encode(f"{user}{rest}".encode()).decode()


@pytest.mark.parametrize("path", ["/v1/track", "/v1/t", "/v1/t/"])
def test_track_call_is_an_event_by_its_own_name(path: str):
    event = track(path, properties={"plan": "pro", "nested": {"x": [1]}}).event
    assert (event.project, event.name, event.timestamp) == (KEY, "signup", NOW - 1000)
    assert event.properties == {"plan": "pro", "nested": {"x": [1]}}
    assert event.person == "anon-1"
    assert event.id
    assert event.id == track().event.id  # of the message's id, so that a call sent again is not counted again


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (("/v1/page", "/v1/p"), "page_view"),
        (("/v1/screen", "/v1/s"), "screen_view"),
        (("/v1/identify", "/v1/i"), "identify"),
        (("/v1/group", "/v1/g"), "group"),
        (("/v1/alias", "/v1/a"), "alias"),
    ],
)
def test_every_kind_of_call_has_a_long_and_a_short_path(paths: tuple[str, str], name: str):
    assert [ask(path, CALL).event.name for path in paths] == [name, name]


def test_page_call_is_a_page_view_with_its_address_in_the_context():
    page = {"url": "https://shop.test/b", "path": "/b", "title": "B", "referrer": "", "search": "", "layout": "wide"}
    page |= {"tab_url": "https://shop.test/b?key=1", "initial_referrer": "$direct", "referring_domain": ""}
    call = CALL | {"name": "Home", "category": "shop", "properties": page, "context": CONTEXT}
    event = ask("/v1/page", call).event
    assert event.properties == {"name": "Home", "category": "shop", "layout": "wide"}
    context = event.context
    assert (context["url"], context["path"], context["title"]) == ("https://shop.test/b", "/b", "B")
    assert "referrer" not in context


def test_context_becomes_ours_without_persons_and_devices():
    event = track(context=CONTEXT, Origin="https://shop.test").event
    assert event.context == {
        "url": "https://shop.test/a?b=1",
        "path": "/a",
        "title": "A",
        "referrer": "https://x.test/",
        "userAgent": CHROME,
        "language": "en-GB",
        "timezone": "Europe/Vienna",
        "screen": {"width": 1440, "height": 900, "pixelRatio": 2},
        "viewport": {"width": 1200, "height": 800},
        "utm": {"campaign": "spring", "source": "news", "medium": "email", "term": "t", "content": "c"},
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
        "device": {"model": "X", "type": "ios"},
        "plan": "beta",
    }


def test_ids_and_traits_are_for_projects_that_keep_identities_only():
    call = CALL | {"userId": "user-1", "traits": {"name": "Acme"}, "groupId": "acme-1"}
    event = ask("/v1/group", call).event
    assert (event.user_id, event.anonymous_id, event.traits) == (
        "user-1",
        "anon-1",
        {"name": "Acme", "groupId": "acme-1"},
    )
    assert not event.properties
    assert ask("/v1/alias", CALL | {"previousId": "p-1"}).event.traits == {"previousId": "p-1"}


def test_person_is_the_anonymous_id_as_long_as_there_is_one():
    assert track(userId="user-1").event.person == "anon-1"
    assert track(userId="user-1", anonymousId=None).event.person == "user-1"
    assert track(userId=17, anonymousId=None).event.person == "17"


@pytest.mark.parametrize(("sent", "session"), [(1_701_234_567_890, "1701234567890"), ("s-1", "s-1"), (None, None)])
def test_session_is_the_clients_where_it_has_one(sent: Any, session: str | None):
    assert track(context={"sessionId": sent}).event.session_id == session


def test_call_without_an_origin_comes_from_a_server_and_tells_the_visitors_address():
    event = track(context={"ip": "203.0.113.9", "library": {"name": "analytics-node"}}).event
    assert (event.by_server, event.address) == (True, "203.0.113.9")


@pytest.mark.parametrize(
    "more",
    [
        {"Origin": "https://shop.test"},
        {"channel": "web"},
        {"context": {"ip": "203.0.113.9", "library": {"name": "analytics-ios"}}},
        {"context": {"ip": "203.0.113.9", "library": {"name": "@segment/analytics-react-native"}}},
    ],
)
def test_call_of_a_visitors_own_device_has_the_requests_address(more: dict[str, Any]):
    given: dict[str, Any] = {"context": {"ip": "203.0.113.9"}} | more
    event = track(**given).event
    assert (event.by_server, event.address) == (False, None)


def test_clock_that_is_off_is_set_right():
    off: dict[str, Any] = {"sentAt": NOW - 3_600_000, "timestamp": None, "originalTimestamp": NOW - 3_601_000}
    assert track(**off).event.timestamp == NOW - 1000
    assert track(timestamp=None, sentAt=None).event.timestamp == NOW
    assert track(timestamp="2026-09-21T14:13:19.000Z", sentAt="yesterday").event.timestamp == NOW - 1000


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_batch_holds_calls_of_all_kinds(path: str):
    batch = [{**CALL, "type": "page"}, {**CALL, "type": "track", "event": "signup"}, {**CALL, "type": "dance"}, 7]
    asked = ask(path, {"writeKey": KEY, "sentAt": NOW, "batch": batch})
    assert [event.name for event in asked.events] == ["page_view", "signup"]
    assert [refused.index for refused in asked.reading.refused] == [2, 3]
    assert asked.answered() == {"success": True}


def test_body_may_be_compressed():
    body = gzip.compress(json.dumps({"batch": [CALL | {"type": "page"}]}).encode())
    assert ask("/v1/batch", body, Content_Encoding="gzip", Authorization=basic(KEY)).event.name == "page_view"


@pytest.mark.parametrize("credentials", [basic(KEY), basic(KEY, ""), basic(KEY, ":secret")])
def test_user_of_basic_auth_names_the_project(credentials: str):
    assert track(writeKey="other", Authorization=credentials).event.project == KEY


@pytest.mark.parametrize("credentials", ["", "Bearer x", "Basic ÿ", "Basic !", basic("")])
def test_call_without_a_write_key_is_refused(credentials: str):
    asked = track(writeKey=None, Authorization=credentials)
    assert asked.reading.problem
    assert asked.answer().status == 400
    assert asked.answered()["code"] == "invalid_request"
    assert "writeKey" in asked.answered()["message"]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"event": None}, "event"),
        ({"properties": [1]}, "properties"),
        ({"timestamp": "never"}, "timestamp"),
        ({"writeKey": "a b"}, "projectId"),
        ({"event": "x" * 201}, "200"),
    ],
)
def test_call_that_makes_no_sense_is_refused_with_a_word_why(more: dict[str, Any], word: str):
    asked = track(**more)
    assert asked.answer().status == 400
    assert word in asked.answered()["message"]


def test_rudderstacks_clients_hear_ok():
    assert track(channel="server").answer().body == b"OK"
    assert track().answered() == {"success": True}


def test_dropped_call_is_a_success_that_says_why():
    answer = track().answer([DropReason.BOT])
    assert (answer.status, answer.headers) == (200, {"X-Glimpse-Dropped": "bot"})


def test_too_large_a_batch_is_a_413():
    asked = ask("/v1/batch", {"writeKey": KEY, "batch": [CALL] * 3}, settings=Settings(max_batch_events=2))
    assert asked.answer().status == 413
    assert "at most 2" in asked.answered()["message"]


def test_call_may_be_an_image():
    call = base64.b64encode(json.dumps(CALL | {"event": "opened"}).encode()).decode()
    for query in (f"data={call}", f"data={call.rstrip('=')}", f"data={call}=="):
        asked = ask(f"/v1/pixel/track?{query}")
        assert (asked.event.name, asked.event.project, asked.event.by_server) == ("opened", KEY, False)
        assert asked.answer().content_type == "image/gif"


def test_image_may_spell_its_call_out():
    query = f"writeKey={KEY}&userId=u&name=Home&properties.url=https://shop.test/a&properties.n=1"
    event = ask(f"/v1/pixel/page?{query}").event
    assert (event.name, event.person) == ("page_view", "u")
    assert (event.properties, event.context) == ({"name": "Home", "n": "1"}, {"url": "https://shop.test/a"})


@pytest.mark.parametrize(
    "query", ["", "data=!", "data=e30", "properties=1&properties.a=2", "&".join(f"a{n}=1" for n in range(999))]
)
def test_image_comes_whatever_is_wrong_with_its_call(query: str):
    asked = ask(f"/v1/pixel/track?{query}")
    assert asked.reading.problem
    assert asked.answer().body.startswith(b"GIF89a")
