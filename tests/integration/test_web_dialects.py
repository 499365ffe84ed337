"""Recorded and documented requests of web trackers, on both servers, from the bytes to what the drain makes of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from edge_site import CHROME, SERVERS, EdgeSite, HttpAnswer, edge_site

from glimpse.collect.dialects.image import GIF
from glimpse.events import Event
from glimpse.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIXTURES = Path(__file__).parent.parent / "fixtures"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
WEBSITE = "94db1cb1-74f4-4a40-ad6c-962362670409"
SHOP = {"Origin": "https://shop.test", "Referer": "https://shop.test/a"}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SERVERS)
async def site(request: pytest.FixtureRequest) -> AsyncIterator[EdgeSite]:
    now_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731
    async with edge_site(SERVERS[request.param], now_ms, Settings(allows_headless=True)) as running:
        yield running


async def replay(site: EdgeSite, name: str, client: str = "") -> tuple[list[HttpAnswer], list[Event]]:
    """Send a recording again, with the token that each answer gives in place of the recorded one."""
    answers, token = [], ""
    for line in (FIXTURES / name).read_text().splitlines():
        request: dict[str, Any] = json.loads(line)
        if not request["client"].startswith(client):
            continue
        headers = {k: v for k, v in request["headers"].items() if k not in ("host", "connection", "content-length")}
        if headers.get("x-umami-cache"):
            headers["x-umami-cache"] = token
        answers.append(await site.post(request["body"].encode(), request["path"], request["method"], **headers))
        if name == "umami.jsonl":
            token = answers[-1].json()["cache"]
    return answers, await site.drained()


async def taken(site: EdgeSite, path: str, body: Any = b"", method: str = "POST", **headers: str) -> Event:
    """Send what is one event, and return it as the drain took it."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await site.post(sent, path, method, **headers)
    assert answer.status in (200, 202, 204), answer
    assert "x-glimpse-dropped" not in answer.headers
    [event] = await site.drained()
    return event


async def test_recording_of_plausibles_tracker_is_kept_as_sent(site: EdgeSite):
    answers, events = await replay(site, "plausible.jsonl", "@plausible-analytics/tracker")
    assert {(answer.status, answer.body) for answer in answers} == {(202, b"ok")}
    assert [event.name for event in events] == [
        "page_view",
        "signup",
        "Tagged Click",
        "page_leave",
        "page_view",
        "form_submit",
        "file_download",
        "outbound_click",
        "page_leave",
    ]
    view, signup, click, leave = events[:4]
    assert {event.project for event in events} == {"example.test"}
    assert (view.page, view.host, view.utm_source) == ("/static/page.html", "127.0.0.1", "news")
    assert view.referrer == "https://www.google.com/"
    assert signup.properties == {"plan": "pro", "revenue": 9.99, "currency": "USD"}
    assert click.properties == {"plan": "pro", "foo": "bar"}
    assert leave.properties == {"engagedMs": 3019, "scrollDepth": 23, "plan": "pro"}
    assert leave.page == "/static/page.html"
    assert events[4].page == "/static/page.html/spa/two"


async def test_recording_of_the_old_tracker_is_kept_as_sent(site: EdgeSite):
    answers, events = await replay(site, "plausible.jsonl", "plausible-tracker")
    assert {answer.status for answer in answers} == {202}
    assert [event.name for event in events] == ["page_view", "signup", "page_view", "outbound_click"]
    assert events[1].properties == {"plan": "pro"}
    assert events[3].properties == {"url": "http://localhost:1/outbound"}


async def test_recording_of_umamis_script_is_one_session_though_its_browser_changes(site: EdgeSite):
    answers, events = await replay(site, "umami.jsonl")
    assert {answer.status for answer in answers} == {200}
    names = ["page_view", "signup", "tagged-click", "performance", "page_view", "identify", "performance"]
    assert [event.name for event in events] == names
    assert {event.project for event in events} == {WEBSITE}
    assert len({event.session_id for event in events}) == 1
    assert len({answer.json()["sessionId"] for answer in answers}) == 1
    view, signup = events[:2]
    assert (view.page, view.title) == ("/static/page.html", "Fixture page")
    assert (view.screen, view.language) == ("1280x720", "en-GB")
    assert view.context == {"tag": "v1"}
    assert signup.properties == {"plan": "pro", "price": 9.99, "tags": ["a", "b"]}
    assert not [event for event in events if "user-1" in str(event) or "example.test" in str(event)]


async def test_recording_of_goatcounters_script_is_kept_as_sent(site: EdgeSite):
    answers, events = await replay(site, "goatcounter.jsonl")
    assert {(answer.status, answer.body) for answer in answers} == {(200, GIF)}
    assert [event.name for event in events] == ["page_view", "ext-click", "signup"]
    view = events[0]
    assert (view.project, view.page, view.title) == ("localhost", "/goat/pricing", "Pricing")
    assert (view.utm_source, view.utm_medium) == ("news", "email")
    assert len({event.session_id for event in events}) == 1


async def test_recording_of_matomos_script_is_kept_as_sent(site: EdgeSite):
    answers, events = await replay(site, "matomo.jsonl")
    assert {(answer.status, answer.body) for answer in answers} == {(204, b"")}
    names = ["page_view", "play", "search", "goal", "login", "outbound_click", "file_download"]
    assert [event.name for event in events] == names
    view, play, search, goal = events[:4]
    assert (view.project, view.page, view.title, view.screen) == ("9", "/mat/pricing", "Pricing", "1440x900")
    assert (view.utm_source, view.utm_medium, view.utm_campaign) == ("news", "email", None)
    assert play.properties == {"category": "Videos", "name": "Intro", "value": 1.5, "dimension1": "pro"}
    assert search.properties == {"query": "shoes", "category": "all", "results": 3, "dimension1": "pro"}
    assert goal.properties == {"goal": "2", "revenue": 5.5, "dimension1": "pro"}
    assert len({event.session_id for event in events}) == 1
    assert "user-1" not in str(events)


async def test_visitor_without_a_token_is_known_by_address_and_browser(site: EdgeSite):
    body = {"type": "event", "payload": {"website": "shop", "url": "https://shop.test/"}}
    first = await taken(site, "/api/send", body, **SHOP)
    again = await taken(site, "/api/send", body, **SHOP)
    other = await taken(site, "/api/send", body, X_Forwarded_For="198.51.100.9", **SHOP)
    assert first.session_id == again.session_id != other.session_id


async def test_token_keeps_a_session_when_the_address_changes(site: EdgeSite):
    body = json.dumps({"type": "event", "payload": {"website": "shop-2", "url": "https://shop.test/"}}).encode()
    first = await site.post(body, "/api/send", X_Forwarded_For="198.51.100.1", **SHOP)
    token = first.json()["cache"]
    assert "198.51" not in token
    second = await site.post(body, "/api/send", X_Forwarded_For="203.0.113.1", X_Umami_Cache=token, **SHOP)
    assert second.json() == first.json()
    assert len({event.session_id for event in await site.drained()}) == 1


async def test_batch_of_umami_keeps_its_good_events(site: EdgeSite):
    good = {"type": "event", "payload": {"website": "shop", "url": "/a", "name": "one"}}
    answer = await site.post(json.dumps([good, {"type": "event"}]).encode(), "/api/batch")
    told = answer.json()
    assert (answer.status, told["size"], told["processed"], told["errors"]) == (200, 2, 1, 1)
    assert [event.name for event in await site.drained()] == ["one"]


async def test_server_tells_plausible_of_its_visitors(site: EdgeSite):
    view = {"name": "pageview", "url": "https://shop.test/a", "domain": "shop.test"}
    london = await taken(site, "/api/event", view, X_Forwarded_For="81.2.69.142", User_Agent=CHROME)
    again = await taken(site, "/api/event", view, X_Forwarded_For="81.2.69.142", User_Agent=CHROME)
    other = await taken(site, "/api/event", view, X_Forwarded_For="81.2.69.160", User_Agent=CHROME)
    assert (london.country, london.browser) == ("GB", "Chrome")
    assert london.session_id == again.session_id != other.session_id


async def test_pixel_counts_a_view_and_answers_an_image(site: EdgeSite):
    query = urlencode({"projectId": "mail", "event": "opened", "url": "https://shop.test/a", "properties.n": "7"})
    for method, body in (("HEAD", b""), ("GET", GIF)):  # HEAD only asks, and counts nothing
        answer = await site.post(b"", f"/pixel.gif?{query}", method)
        assert (answer.status, answer.body) == (200, body)
        assert (answer.headers["content-type"], answer.headers["content-length"]) == ("image/gif", str(len(GIF)))
        assert "no-store" in answer.headers["cache-control"]
    [event] = await site.drained()
    assert (event.project, event.name, event.page, event.properties) == ("mail", "opened", "/a", {"n": "7"})


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_goatcounter_counts_a_view_by_image_or_beacon(site: EdgeSite, method: str):
    query = "p=/b&t=B&r=https://www.google.com/&s=1280,720,1&b=0&q=?utm_source=news&rnd=x"
    event = await taken(site, f"/count?{query}", b"", method, **SHOP)
    assert (event.project, event.name, event.page, event.title) == ("shop.test", "page_view", "/b", "B")
    assert (event.screen, event.source, event.utm_source) == ("1280x720", "news", "news")


async def test_matomo_takes_image_form_and_bulk(site: EdgeSite):
    hit = urlencode({"idsite": "7", "rec": "1", "url": "https://shop.test/a", "_id": "0123456789abcdef"})
    events = [
        await taken(site, f"/matomo.php?{hit}", b"", "GET"),
        await taken(site, "/piwik.php", f"{hit}&e_c=Buy&e_a=right".encode(), X_Forwarded_For="198.51.100.1"),
        await taken(site, "/matomo.php", {"requests": [f"?{hit}&search=shoes"]}),
    ]
    assert [event.name for event in events] == ["page_view", "right", "search"]
    assert len({event.session_id for event in events}) == 1, "the visitor's id is the same"
    assert (await site.post(b"", f"/matomo.php?{hit}&send_image=0", "GET")).status == 204
    await site.drained()


BOTS_HEAR = {
    "/api/event": (202, b"ok", {"n": "pageview", "u": "https://shop.test/", "d": "shop.test"}),
    "/api/send": (200, b'{"beep":"boop"}', {"type": "event", "payload": {"website": "shop", "url": "/"}}),
    "/pixel.gif?projectId=shop": (200, GIF, None),
    "/count/shop?p=/": (200, GIF, None),
    "/matomo.php?idsite=7&rec=1": (200, GIF, None),
}


@pytest.mark.parametrize("path", BOTS_HEAR)
async def test_bot_hears_what_the_vendors_server_would_say_and_why_it_was_dropped(site: EdgeSite, path: str):
    status, said, body = BOTS_HEAR[path]
    sent = json.dumps(body).encode() if body else b""
    answer = await site.post(sent, path, "POST" if body else "GET", User_Agent=GOOGLEBOT)
    assert (answer.status, answer.body, answer.headers["x-glimpse-dropped"]) == (status, said, "bot")
    assert await site.drained() == []


@pytest.mark.parametrize("path", ["/api/event", "/api/send", "/api/batch", "/pixel.gif", "/count", "/matomo.php"])
async def test_bad_input_is_400_for_any_origin_to_read_and_no_event(site: EdgeSite, path: str):
    answer = await site.post(b"", path, "GET" if path in ("/pixel.gif", "/count") else "POST", Origin="https://a.test")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (400, "*")
    assert await site.drained() == []


async def test_body_that_is_too_large_is_413_in_each_dialect(site: EdgeSite):
    large = b"x" * (site.settings.max_body_bytes + 1)
    for path in ("/api/event", "/api/send", "/api/batch", "/matomo.php"):
        answer = await asyncio.wait_for(site.post(large, path), 10)
        assert answer.status in (413, 0), path  # 0: closed before all of it was sent


async def test_preflight_allows_the_header_that_umamis_script_sends(site: EdgeSite):
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type,x-umami-cache"}
    answer = await site.post(b"", "/api/send", "OPTIONS", Origin="https://shop.test", **asked)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert "x-umami-cache" in answer.headers["access-control-allow-headers"].lower()
    assert "POST" in answer.headers["access-control-allow-methods"]
