"""Captured requests of Segment's and PostHog's clients, over HTTP, on both servers: what is stored and answered."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edge_site import SERVERS, EdgeSite, HttpAnswer, edge_site

from glimpse.events import Event
from glimpse.settings import Settings

FIXTURES = Path(__file__).parent.parent / "fixtures"
CAPTURED = "2026-11-24T13:15:50.000Z"
NOW = int(datetime.fromisoformat(CAPTURED).timestamp() * 1000)
PASSED_ON = ("authorization", "content-type", "content-encoding", "user-agent", "origin", "referer")
POSTHOG_SESSION = "01a20db2-9000-7da0-9ffc-a87dc720b92d"


class Replayed(NamedTuple):
    """What came of a file of requests."""

    answers: list[tuple[str, HttpAnswer]]  # by path
    rows: list[Event]


def captured(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / f"{name}.jsonl").read_text().splitlines()]


async def replay(site: EdgeSite, name: str) -> Replayed:
    answers = []
    for request in captured(name):
        body = request["body"].encode()
        if request.get("body_was_gzip"):
            body = gzip.compress(body)
        headers = {key: value for key, value in request["headers"].items() if key in PASSED_ON}
        answer = await site.post(body, request["path"], request["method"], **headers)
        answers.append((request["path"].partition("?")[0], answer))
    await site.drained()
    return Replayed(answers, sorted((await site.stored()).values(), key=lambda row: row.time))


@pytest.fixture(scope="module", params=SERVERS)
def replayed(request: pytest.FixtureRequest) -> Mapping[str, Replayed]:
    async def all_files() -> Mapping[str, Replayed]:
        told = {}
        for name in ("segment-node", "posthog-js"):
            async with edge_site(SERVERS[request.param], lambda: NOW, Settings(allows_headless=True)) as site:
                told[name] = await replay(site, name)
        return told

    return asyncio.run(all_files())


def test_every_request_is_answered_with_success_to_any_origin(replayed: Mapping[str, Replayed]):
    for told in replayed.values():
        assert {answer.status for _, answer in told.answers} == {200}
        assert {answer.headers["access-control-allow-origin"] for _, answer in told.answers} == {"*"}


def test_segments_calls_are_stored(replayed: Mapping[str, Replayed]):
    told = replayed["segment-node"]
    assert [answer.json() for _, answer in told.answers] == [{"success": True}] * 2
    rows = {row.name: row for row in told.rows}
    assert sorted(rows) == ["alias", "group", "identify", "old", "page_view", "signup"]
    signup, page, identify, old = (rows[name] for name in ("signup", "page_view", "identify", "old"))
    assert signup.properties == {"plan": "pro", "price": 9.99, "tags": ["a", "b"], "nested": {"x": 1}}
    assert (page.url, page.title, page.source) == ("https://example.test/", "Home", "google")
    assert signup.session_id == identify.session_id != page.session_id  # two persons
    assert signup.country is not None  # by context.ip
    assert page.country is None
    assert (old.time, old.context["timeWasReplaced"]) == (NOW, True)  # of January


def test_posthogs_events_are_stored_whatever_they_are_wrapped_in(replayed: Mapping[str, Replayed]):
    told = replayed["posthog-js"]
    assert {path: answer.json() for path, answer in told.answers if path == "/e/"} == {"/e/": {"status": "Ok"}}
    assert [row.name for row in told.rows] == ["page_view", "signup", "page_view", "identify", "page_leave"]
    assert {row.session_id for row in told.rows} == {POSTHOG_SESSION}
    first, signup, second, _, leave = told.rows
    assert (first.page, first.title, first.utm_campaign) == ("/static/page.html", "Fixture page", "spring")
    assert (signup.properties, signup.time) == ({"plan": "pro", "price": 9.99}, 1_795_526_137_346)
    assert (second.page, leave.page, leave.engaged_ms) == (*["/static/page.html/spa/two"] * 2, 4400)


def test_nothing_that_tells_of_a_person_is_stored(replayed: Mapping[str, Replayed]):
    text = "".join(repr(row) for told in replayed.values() for row in told.rows)
    personal = ("user-1", "anon-1", "a@example.test", "203.0.113", "Acme", "01a20db2-8fe8-740d-880a-ab017f168315")
    assert [word for word in personal if word in text] == []


@pytest.mark.parametrize("serve", SERVERS.values(), ids=SERVERS)
async def test_browser_may_send_what_its_client_asks_leave_for(serve: Any):
    async with edge_site(serve, lambda: NOW) as site:
        asked = {"Origin": "https://shop.test", "Access_Control_Request_Headers": "authorization,anonymousid"}
        leave = await site.post(b"", "/v1/track", "OPTIONS", **asked, Access_Control_Request_Method="POST")
        assert leave.status == 204
        assert leave.headers["access-control-allow-headers"] == "authorization,anonymousid"
        assert "POST" in leave.headers["access-control-allow-methods"]
        settings = await site.post(b"", "/v1/projects/wk/settings", "GET", Origin="https://shop.test")
        destination = settings.json()["integrations"]["Segment.io"]
        assert (destination["apiHost"], destination["protocol"]) == ("glimpse.test/v1", "https")


@pytest.mark.parametrize("serve", SERVERS.values(), ids=SERVERS)
async def test_refusals_speak_the_vendors_language(serve: Any):
    async with edge_site(serve, lambda: NOW, Settings(max_body_bytes=1000)) as site:
        assert (await site.post(b"{", "/v1/track")).json()["code"] == "invalid_request"
        assert (await site.post(b"{", "/e/")).json()["code"] == "invalid_payload"
        for path in ("/v1/batch", "/batch/"):
            large = await site.post(b" " * 1001, path)
            assert (large.status, large.json()["code"]) == (413, "payload_too_large")
