"""What is set for projects, as the edge's core keeps to it, on a real Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from glimpse.buffer import EventBuffer, connect
from glimpse.collect.answers import Answer
from glimpse.collect.core import Edge
from glimpse.collect.request import Request
from glimpse.events import AdmittedEvent
from glimpse.projects import Projects
from glimpse.settings import Settings

NOW = 1_790_000_000_000
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
WHO = {"userId": "user-4711", "anonymousId": "anon-0815", "traits": {"email": "ada@example.test"}}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
def projects(redis: Redis, settings: Settings) -> Projects:
    return Projects.on(redis, settings)


@pytest.fixture
def edge(buffer: EventBuffer, settings: Settings, projects: Projects) -> Edge:
    return Edge(buffer, settings, now_ms=lambda: NOW, projects=projects)


def event(**changes: Any) -> dict[str, Any]:
    return {"projectId": "shop", "event": "page_view", "timestamp": NOW} | changes


def request(body: object, peer: str = "203.0.113.7", method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(json.dumps(body).encode(), {"User-Agent": CHROME} | named, peer, method)


def said(answer: Answer) -> dict[str, Any]:
    return json.loads(answer.body)


def dropped(answer: Answer) -> str | None:
    assert answer.status == 200, answer.body
    return answer.headers.get("X-Glimpse-Dropped")


async def kept(buffer: EventBuffer) -> list[AdmittedEvent]:
    return [e for entry in await buffer.read() for e in entry.events]


async def raw_bytes(redis: Redis) -> bytes:
    await redis.config_set("rdbcompression", "no")  # it compresses what DUMP gives, too
    return b" ".join([await redis.dump(key) or b"" for key in await redis.keys("*")])


async def test_once_a_project_is_registered_others_are_dropped_and_counted_under_nobodys_name(
    edge: Edge, buffer: EventBuffer, projects: Projects, redis: Redis
):
    assert dropped(await edge.take(request(event(projectId="blog")))) is None
    await projects.add("shop", {})
    assert dropped(await edge.take(request(event(projectId="blog")))) == "unknown_project"
    status = await edge.take(request([event(projectId=f"made-up-{i}") for i in range(200)] + [event()]))
    assert (said(status)["accepted"], said(status)["dropped"][199]) == (1, {"index": 199, "reason": "unknown_project"})
    await edge.take(request(event(projectId="made-up", event=5)))
    assert [e.project for e in await kept(buffer)] == ["blog", "shop"]
    assert await buffer.counts("") == {
        "accepted": {},
        "dropped": {"unknown_project": 201},
        "rejected": {"wrong_type": 1},
    }
    everything = await raw_bytes(redis)
    assert b"blog|accepted" in everything
    assert b"made-up" not in everything


async def test_the_demo_is_welcome_while_it_runs(buffer: EventBuffer, redis: Redis, settings: Settings):
    projects = Projects.on(redis, Settings(data_dir=settings.data_dir, takes_demo=True))
    await projects.add("shop", {})
    edge = Edge(buffer, settings, now_ms=lambda: NOW, projects=projects)
    assert dropped(await edge.take(request(event(projectId="demo")))) is None
    assert dropped(await edge.take(request(event(projectId="blog")))) == "unknown_project"


async def test_a_browser_that_asks_for_privacy_has_it_unless_the_project_does_not_respect_that(
    edge: Edge, projects: Projects, buffer: EventBuffer
):
    assert dropped(await edge.take(request(event(), Sec_Gpc="1"))) == "gpc"
    assert dropped(await edge.take(request(event(), Sec_Gpc="0"))) is None
    await projects.add("shop", {"respects_gpc": False})
    assert dropped(await edge.take(request(event(), Sec_Gpc="1"))) is None
    assert (await buffer.counts("shop"))["dropped"] == {"gpc": 1}


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({"path": "/admin/users"}, "blocked_page"),
        ({"url": "https://shop.test/admin/users?id=1"}, "blocked_page"),
        ({"url": "https://shop.test/%61dmin/users"}, "blocked_page"),
        ({"path": "/login.php"}, "blocked_page"),
        ({"path": "/administration"}, None),
        ({"url": "https://shop.test/"}, None),
        ({"url": "https://[broken"}, None),
        ({}, None),
    ],
)
async def test_events_of_blocked_pages_are_dropped(
    edge: Edge, projects: Projects, context: dict[str, Any], reason: str | None
):
    await projects.add("shop", {"blocked_pages": ("/admin/*", "*.php")})
    assert dropped(await edge.take(request(event(context=context)))) == reason


@pytest.mark.parametrize(
    ("peer", "forwarded", "reason"),
    [
        ("203.0.113.7", None, "blocked_network"),
        ("203.0.113.8", None, None),
        ("198.51.100.200", None, "blocked_network"),
        ("2001:db8:1::5", None, "blocked_network"),
        ("::ffff:203.0.113.7", None, "blocked_network"),
        ("127.0.0.1", "203.0.113.7", "blocked_network"),
        ("192.0.2.1", "203.0.113.7", None),  # not from a trusted proxy
        ("garbage", None, None),
    ],
)
async def test_events_from_blocked_addresses_are_dropped(
    edge: Edge, projects: Projects, peer: str, forwarded: str | None, reason: str | None
):
    await projects.add("shop", {"blocked_networks": ("203.0.113.7/32", "198.51.100.0/24", "2001:db8::/32")})
    headers = {"X_Forwarded_For": forwarded} if forwarded else {}
    assert dropped(await edge.take(request(event(), peer, **headers))) == reason


async def test_pages_of_a_site_that_is_not_allowed_are_refused_and_told_which_are(
    edge: Edge, projects: Projects, buffer: EventBuffer
):
    await projects.add("shop", {"origins": ("https://shop.example", "https://*.shop.example")})
    for origin in ("https://shop.example", "https://www.shop.example"):
        assert (await edge.take(request(event(), Origin=origin))).status == 200
    refused = await edge.take(request(event(), Origin="https://copy.test"))
    (error,) = said(refused)["errors"]
    assert (refused.status, error["path"]) == (403, "")
    assert '"https://copy.test"; allowed is https://shop.example, https://*.shop.example' in error["message"]
    for origin in ("null", "", "\ud800", "https://" + "a" * 60_000, "https://shop.example, https://copy.test"):
        answer = await edge.take(request(event(), Origin=origin))
        assert (answer.status, len(answer.body) < 500) == (403, True), origin
    assert (await edge.take(request(event()))).status == 200  # a server, or an app
    assert (await buffer.counts("shop"))["rejected"] == {"origin_not_allowed": 6}


async def test_a_request_without_origin_for_a_picture_is_known_by_its_page(edge: Edge, projects: Projects):
    await projects.add("shop", {"origins": ("https://shop.example",)})
    for page, status in (("https://shop.example/a?b=c", 200), ("https://copy.test/", 403), ("", 200)):
        answer = await edge.take(request(event(), method="GET", Referer=page))
        assert answer.status == status, page
    # A POST of a browser always has an origin, and a server may say what it likes for its page.
    assert (await edge.take(request(event(), Referer="https://copy.test/"))).status == 200


async def test_a_mixed_batch_keeps_what_the_site_may_send(edge: Edge, projects: Projects, buffer: EventBuffer):
    await projects.add("shop", {"origins": ("https://shop.example",)})
    await projects.add("blog", {})
    batch = [event(), event(projectId="blog"), event(event=5), event()]
    answer = await edge.take(request(batch, Origin="https://blog.test"))
    assert (answer.status, said(answer)["accepted"]) == (200, 1)
    assert [line["index"] for line in said(answer)["rejected"]] == [0, 2, 3]
    assert [e.project for e in await kept(buffer)] == ["blog"]
    only_foreign = await edge.take(request([event(), event()], Origin="https://blog.test"))
    assert (only_foreign.status, said(only_foreign)["success"]) == (403, False)
    some_bad = await edge.take(request([event(), event(event=5)], Origin="https://blog.test"))
    assert some_bad.status == 400


async def test_kept_bots_go_to_a_layer_of_their_own(edge: Edge, projects: Projects, buffer: EventBuffer):
    await projects.add("shop", {"bots": "keep", "blocked_pages": ("/admin",)})
    answer = await edge.take(request(event(), User_Agent=GOOGLEBOT))
    assert (dropped(answer), answer.headers["X-Glimpse-Layer"]) == (None, "bots")
    person = await edge.take(request(event()))
    assert "X-Glimpse-Layer" not in person.headers
    assert [e.project for e in await kept(buffer)] == ["shop:bots", "shop"]
    assert (await buffer.counts("shop:bots"))["accepted"] == {"": 1}
    for unwanted, reason in (({"Sec_Gpc": "1"}, "gpc"), ({"Sec_Purpose": "prefetch"}, "prefetch")):
        assert dropped(await edge.take(request(event(), User_Agent=GOOGLEBOT, **unwanted))) == reason
    assert dropped(await edge.take(request(event(projectId="shop:bots")))) == "unknown_project"


async def test_by_default_nothing_of_who_it_was_reaches_redis(edge: Edge, buffer: EventBuffer, redis: Redis):
    await edge.take(request(event(**WHO)))
    bot = await edge.take(request([event(**WHO), event(event=5, **WHO)], User_Agent=GOOGLEBOT))
    assert said(bot)["accepted"] == 0
    found = await raw_bytes(redis)
    assert b"page_view" in found  # the search would find it
    for secret in (b"user-4711", b"anon-0815", b"ada@example.test"):
        assert secret not in found
    (kept_one,) = await kept(buffer)
    assert (kept_one.user_id, kept_one.anonymous_id, kept_one.traits) == (None, None, None)


async def test_a_project_that_keeps_identities_has_them(
    edge: Edge, buffer: EventBuffer, projects: Projects, redis: Redis
):
    await projects.add("shop", {"identity": "keep"})
    await edge.take(request(event(**WHO | {"userId": 4711})))
    assert b"ada@example.test" in await raw_bytes(redis)
    (found,) = await kept(buffer)
    assert (found.user_id, found.anonymous_id, found.traits) == ("4711", "anon-0815", {"email": "ada@example.test"})
