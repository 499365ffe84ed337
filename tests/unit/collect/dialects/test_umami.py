"""What Umami's tracker sends, as events of ours; and what it hears."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import NOW, Asked, ask
from records import admitted

from glimpse.events import DropReason
from glimpse.settings import Settings

DAY_MS = 86_400_000
SITE = "94db1cb1-74f4-4a40-ad6c-962362670409"
VISITOR = "0123456789abcdef0123456789abcdef"
PAGE: dict[str, Any] = {
    "website": SITE,
    "hostname": "shop.test",
    "url": "https://shop.test/a",
    "referrer": "https://www.google.com/",
    "title": "A",
    "screen": "1280x720",
    "language": "en-GB",
    "tag": "v1",
}


def send(payload: dict[str, Any], kind: str = "event", **headers: Any) -> Asked:
    return ask("/api/send", {"type": kind, "payload": payload}, **headers)


def test_event_without_a_name_is_a_page_view_of_the_website():
    event = send(PAGE).event
    assert (event.project, event.name, event.timestamp) == (SITE, "page_view", NOW)
    assert event.context == {
        "url": "https://shop.test/a",
        "referrer": "https://www.google.com/",
        "title": "A",
        "screen": "1280x720",
        "language": "en-GB",
        "tag": "v1",
    }


def test_named_event_has_its_data_as_properties():
    event = send(PAGE | {"name": "signup", "data": {"plan": "pro", "tags": ["a"]}}).event
    assert (event.name, event.properties) == ("signup", {"plan": "pro", "tags": ["a"]})


def test_paths_are_on_the_site_that_the_payload_or_the_page_names():
    relative = PAGE | {"url": "/b?utm_source=news", "referrer": "/a"}
    assert send(relative).event.context["url"] == "https://shop.test/b?utm_source=news"
    assert send(relative).event.context["referrer"] == "https://shop.test/a"
    page = {"Referer": "http://shop.test:8080/"}
    assert send(relative, **page).event.context["url"] == "http://shop.test:8080/b?utm_source=news"
    assert send(relative, Referer="http://[").event.context["url"] == "https://shop.test/b?utm_source=news"
    unnamed = relative | {"hostname": ""}
    assert send(unnamed, Origin="http://x.test").event.context["url"] == "http://x.test/b?utm_source=news"
    assert send(unnamed).event.context["path"] == "/b"


def test_identify_has_its_data_as_traits_and_its_id_as_the_user():
    event = send(PAGE | {"id": "user-1", "data": {"email": "a@example.test"}}, "identify").event
    assert (event.name, event.properties) == ("identify", {})
    assert (event.user_id, event.traits) == ("user-1", {"email": "a@example.test"})


def test_performance_and_engagement_have_what_they_measure_as_properties():
    measured = send(PAGE | {"ttfb": 26.8, "lcp": 108, "duration": 3139}, "performance").event
    assert (measured.name, measured.properties) == ("performance", {"ttfb": 26.8, "lcp": 108, "duration": 3139})
    left = send(PAGE | {"engagement": 4200}, "engagement").event
    assert (left.name, left.properties) == ("page_leave", {"engagedMs": 4200})


def test_time_in_seconds_is_the_events_time():
    assert send(PAGE | {"timestamp": NOW // 1000 - 60}).event.timestamp == NOW - 60_000


def test_server_names_its_visitors_address_browser_and_person():
    event = send(PAGE | {"ip": "198.51.100.7", "userAgent": "Firefox", "id": "user-1"}).event
    assert (event.by_server, event.address, event.person) == (True, "198.51.100.7", "user-1")
    assert event.context["userAgent"] == "Firefox"
    assert "198.51.100.7" not in str(event.context) + str(event.properties)


def test_person_tells_visitors_apart_only_where_no_page_sends():
    assert send(PAGE | {"id": "user-1"}).event.person == "user-1"
    assert send(PAGE | {"id": "user-1"}, Origin="https://shop.test").event.person is None


def token_after(received_at: int = NOW, **headers: str) -> dict[str, Any]:
    written = admitted(project=SITE, visitor=VISITOR, received_at=received_at)
    return json.loads(send(PAGE, **headers).answer(admitted=[written]).body)


def test_answer_has_a_token_that_names_the_visitor_in_the_next_request():
    told = token_after()
    assert told.keys() == {"cache", "sessionId", "visitId"}
    assert send(PAGE, X_Umami_Cache=told["cache"]).event.visitor == VISITOR
    assert token_after(X_Umami_Cache=told["cache"]) == told, "the same visitor keeps the session"


def test_old_trackers_send_the_whole_answer_back():
    assert send(PAGE, X_Umami_Cache=json.dumps(token_after())).event.visitor == VISITOR


def test_titles_of_version_2_are_decoded():
    assert send(PAGE | {"title": "Tea%20%26%20cake"}).event.context["title"] == "Tea & cake"
    assert send(PAGE | {"title": "50% off"}).event.context["title"] == "50% off"


def test_token_counts_for_its_own_website_only():
    other = PAGE | {"website": "shop"}
    assert send(other, X_Umami_Cache=token_after()["cache"]).event.visitor is None


@pytest.mark.parametrize("token", ["", "CACHE-TOKEN", f"{VISITOR}.1.{SITE}", f"{VISITOR}.x.{SITE}", f"x.20000.{SITE}"])
def test_token_that_is_none_of_ours_or_too_old_is_passed_over(token: str):
    assert send(PAGE, X_Umami_Cache=token).event.visitor is None


def test_token_lives_no_longer_than_its_day_and_a_session_and_is_not_prolonged():
    yesterday = NOW - DAY_MS
    token = token_after(yesterday)["cache"]
    assert send(PAGE, X_Umami_Cache=token).event.visitor is None, f"{NOW % DAY_MS} ms into the next day"
    shortly_before = NOW - NOW % DAY_MS - 1
    told = token_after(shortly_before)
    assert token_after(NOW, X_Umami_Cache=told["cache"])["cache"] == told["cache"]


def test_dropped_event_is_answered_as_umami_answers_bots():
    answer = send(PAGE).answer(dropped=[DropReason.BOT])
    assert (answer.status, answer.body, answer.headers) == (200, b'{"beep":"boop"}', {"X-Glimpse-Dropped": "bot"})


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{", ""),
        ([], "payload"),
        ({"type": "event"}, "payload"),
        ({"type": "event", "payload": []}, "payload"),
        ({"type": "else", "payload": PAGE}, "type"),
        ({"payload": PAGE}, "type"),
        ({"type": "event", "payload": {"url": "/"}}, "payload.website"),
        ({"type": "event", "payload": PAGE | {"website": "not one"}}, "payload.website"),
        ({"type": "event", "payload": PAGE | {"name": 7}}, "payload.name"),
        ({"type": "event", "payload": PAGE | {"data": "x"}}, "payload.data"),
        ({"type": "event", "payload": PAGE | {"timestamp": "soon"}}, "payload.timestamp"),
        ({"type": "event", "payload": PAGE | {"timestamp": 1e308}}, "payload.timestamp"),
        ({"type": "event", "payload": PAGE | {"url": 7}}, "payload.url"),
    ],
)
def test_bad_input_is_400_in_umamis_shape(body: Any, path: str):
    asked = ask("/api/send", body)
    assert not asked.reading.events
    answer = asked.answer()
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["status"], error["code"]) == (400, 400, "bad-request")
    assert error["errors"][0]["path"] == path
    assert error["message"] == error["errors"][0]["message"]


def test_batch_keeps_its_good_events_and_tells_of_the_others():
    good = {"type": "event", "payload": PAGE}
    asked = ask("/api/batch", [good, {"type": "event", "payload": {}}, good, 7])
    assert [index for index, _ in asked.reading.events] == [0, 2]
    answer = asked.answer(admitted=[admitted(project=SITE, visitor=VISITOR)])
    told = json.loads(answer.body)
    assert (answer.status, told["size"], told["processed"], told["errors"]) == (200, 4, 2, 2)
    assert [detail["index"] for detail in told["details"]] == [1, 3]
    assert told["details"][0]["response"]["error"]["status"] == 400
    assert told["cache"].startswith(VISITOR)


def test_batch_that_is_none_or_too_large_is_refused_as_a_whole():
    assert ask("/api/batch", {"type": "event", "payload": PAGE}).answer().status == 400
    many = ask("/api/batch", [1, 2, 3], settings=Settings(max_batch_events=2))
    assert (many.answer().status, many.reading.problem_count) == (413, 3)
