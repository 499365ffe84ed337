"""All routes behind a real Tornado server, on a real buffer, store and window; mounted at the root and below it."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from glimpse import resources
from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.server.access_log import log_without_address
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, RemoteQueries
from glimpse.store.remote import SOCKET_NAME
from glimpse.transfer import LocalOutlet, RemoteOutlet

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
DEVICES = Devices()
# Below a prefix unless a test asks for both: what works there and has no path of its own works at the root too.
at_root_and_below = pytest.mark.parametrize("site", ["", "/stats"], ids=["root", "prefix"], indirect=True)


class Site:
    """A server in this process, and a client that asks it."""

    def __init__(self, parts: Parts, url: str, prefix: str) -> None:
        self.parts, self.url, self.prefix = parts, url, prefix
        self._client = AsyncHTTPClient(force_instance=True)

    async def ask(self, path: str, body: bytes | None = None, method: str = "", **headers: str) -> HTTPResponse:
        named = {"User-Agent": CHROME} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = HTTPRequest(
            f"{self.url}{self.prefix}{path}",
            method=method or ("GET" if body is None else "POST"),
            body=body,
            headers=named,
            follow_redirects=False,
            decompress_response=False,
            allow_nonstandard_methods=True,
        )
        return await self._client.fetch(request, raise_error=False)


@pytest.fixture
async def site(request: pytest.FixtureRequest, buffer: EventBuffer, settings: Settings) -> AsyncIterator[Site]:
    """An edge alone: nobody owns a store, so what is stored can't be asked for."""
    prefix = getattr(request, "param", "/stats")
    parts = Parts(
        settings=settings,
        edge=Edge(buffer, settings),
        buffer=buffer,
        window=Window(minutes=30, max_events=1000, now_ms=steady_now_ms),
        queries=RemoteQueries(settings.data_dir / SOCKET_NAME),
        outlet=RemoteOutlet(settings.data_dir / "transfer.sock"),
        health=lambda: {"buffer": buffer.problem, "store": None, "geo": None},
        dashboard_path=f"{prefix}/our_app",
    )
    server = HTTPServer(Application([*routes(parts, prefix)], log_function=log_without_address))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    yield Site(parts, f"http://127.0.0.1:{listener.getsockname()[1]}", prefix)
    server.stop()
    await server.close_all_connections()


Send = Callable[..., Awaitable[None]]


@pytest.fixture
async def send(site: Site, settings: Settings) -> AsyncIterator[Send]:
    """The whole path behind the edge: what is sent is stored and shown when the call returns."""
    settings.data_dir.mkdir(exist_ok=True)
    store, places = DuckStore.open(settings.data_dir), open_places(settings)
    pipeline = Pipeline(
        buffer=site.parts.buffer,
        store=store,
        sessions=SessionTracker(settings.session_timeout_s),
        enricher=Enricher(Tools(places=places, devices=DEVICES)),
        window=site.parts.window,
        settings=settings,
    )
    site.parts.queries = queries = LocalQueries(store, site.parts.buffer)
    site.parts.outlet = LocalOutlet(store)

    async def send_and_drain(*names: str, **facts: Any) -> None:
        events = [{"projectId": "shop", "event": name, "timestamp": steady_now_ms()} | facts for name in names]
        assert (await site.ask("/event", json.dumps(events).encode())).code == 200
        await pipeline.drain_once()
        await pipeline.flush()

    yield send_and_drain
    await pipeline.close()
    queries.close()
    store.close()
    places.close()


def read(response: HTTPResponse) -> Any:
    return json.loads(response.body)


EVENT = b'{"projectId": "shop", "event": "page_view", "timestamp": 1}'


@pytest.mark.parametrize("path", ["/event", "/api/v1/events"])
async def test_an_event_is_taken_whatever_its_content_type(site: Site, path: str):
    for content_type in (
        "application/json",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "nonsense",
    ):
        response = await site.ask(path, EVENT, Content_Type=content_type)
        assert (response.code, read(response)) == (200, {"success": True})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
    assert (await site.parts.buffer.counts("shop"))["accepted"] == {"": 4}


async def test_a_compressed_body_is_taken(site: Site):
    assert (await site.ask("/event", gzip.compress(EVENT), Content_Encoding="gzip")).code == 200


async def test_a_body_over_the_limit_is_a_413_and_the_next_is_taken(site: Site):
    response = await site.ask("/event", b" " * 3_000_000 + EVENT)
    assert (response.code, read(response)["success"]) == (413, False)
    assert "3000059 bytes; at most 524288 are allowed" in read(response)["errors"][0]["message"]
    assert (await site.ask("/event", EVENT)).code == 200


@pytest.mark.parametrize(
    ("path", "method"), [("/event", "POST"), ("/api/v1/events", "POST"), ("/sdk/glimpse-more.js", "GET")]
)
async def test_a_preflight_allows_what_it_asks_for(site: Site, path: str, method: str):
    response = await site.ask(
        path,
        method="OPTIONS",
        Origin="https://shop.example",
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers="content-type,x-anything",
    )
    headers = response.headers
    assert (response.code, headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert method in headers["Access-Control-Allow-Methods"]
    assert headers["Access-Control-Allow-Headers"] == "content-type,x-anything"
    assert headers["Access-Control-Max-Age"] == "86400"


async def test_another_method_is_a_405_in_json(site: Site):
    response = await site.ask("/event")
    assert (response.code, response.headers["Allow"], read(response)["success"]) == (405, "POST, OPTIONS", False)


async def test_what_was_sent_is_read_back(site: Site, send: Send):
    await send("page_view", "click", context={"url": "https://shop.example/hats?q=1"})
    rows = read(await site.ask("/api/v1/events?project=shop&since=5m"))
    assert {row["name"] for row in rows} == {"page_view", "click"}
    assert rows[0]["page"] == "/hats"
    assert (await site.ask("/api/v1/events?project=other")).body == b"[]"
    lines = (await site.ask("/api/v1/events?format=ndjson")).body.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in rows]


@at_root_and_below
async def test_pages_follow_each_other_by_link_until_all_is_read(site: Site, send: Send):
    await send(*(f"e{i}" for i in range(7)))
    address, names, pages = "/api/v1/events?limit=3", [], 0
    while address:
        response = await site.ask(address)
        names += [row["name"] for row in read(response)]
        pages += 1
        link = response.headers.get("Link", "")
        assert not link or link.endswith('rel="next"')
        address = link.partition(">")[0].removeprefix(f"<{site.prefix}")
    assert (pages, sorted(names)) == (3, [f"e{i}" for i in range(7)])


async def test_the_books_and_the_live_numbers_are_there(site: Site, send: Send):
    await send("page_view")
    ledger = read(await site.ask("/api/v1/ledger?project=shop"))
    assert (ledger["received"], ledger["stored"], ledger["difference"]) == (1, 1, 0)
    live = read(await site.ask("/api/v1/live?project=shop"))
    assert (live["project"], live["page_views"], len(live["per_minute"])) == ("shop", 1, 30)


@pytest.mark.parametrize(
    "path",
    ["events?since=soon", "events?limit=0", "events?after=x", "live?project=a%20b", "ledger?project=!"],
)
async def test_a_mistake_in_a_question_is_a_400_that_says_what_is_allowed(site: Site, path: str):
    response = await site.ask(f"/api/v1/{path}")
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = read(response)
    assert (response.code, problem["status"], problem["title"]) == (400, 400, "Bad Request")
    assert "must be" in problem["detail"]


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/events", "/api/v1/ledger", "/metrics"])
async def test_only_this_machine_may_look(site: Site, path: str):
    refused = await site.ask(path, X_Forwarded_For="203.0.113.7")
    assert (refused.code, "GLIMPSE_PUBLIC=1" in refused.body.decode()) == (403, True)
    assert (await site.ask(path)).code != 403


@pytest.mark.parametrize("path", ["/api/v1/live", "/metrics"])
async def test_no_page_of_another_site_may_read(site: Site, path: str):
    response = await site.ask(path, Origin="https://elsewhere.example")
    assert (response.code, "Access-Control-Allow-Origin" in response.headers) == (200, False)


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/ledger"])
async def test_while_nobody_owns_the_store_questions_are_a_503_and_events_are_taken(site: Site, path: str):
    response = await site.ask(path)
    assert (response.code, response.headers["Retry-After"], read(response)["status"]) == (503, "2", 503)
    assert (await site.ask("/event", EVENT)).code == 200


async def test_a_client_elsewhere_may_send_though_it_may_not_look(site: Site):
    assert (await site.ask("/api/v1/events", EVENT, X_Forwarded_For="203.0.113.7")).code == 200


async def test_metrics_count_by_reason_and_show_what_parts_register(site: Site):
    site.parts.metrics.gauge_from("glimpse_geo_cache_hit_rate", "Share", lambda: 0.5)
    await site.ask("/event", EVENT)
    await site.ask("/event", b"nope")
    await site.ask("/event", EVENT, Sec_Purpose="prefetch")
    text = (await site.ask("/metrics")).body.decode()
    assert "glimpse_events_received_total 3.0" in text
    assert "glimpse_events_accepted_total 1.0" in text
    assert 'glimpse_events_rejected_total{reason="not_json"} 1.0' in text
    assert 'glimpse_events_dropped_total{reason="prefetch"} 1.0' in text
    assert "glimpse_edge_request_seconds_count 3.0" in text
    assert "glimpse_geo_cache_hit_rate 0.5" in text


async def test_check_and_ready_say_how_it_is(site: Site):
    assert read(await site.ask("/check")) == {"status": "ok"}
    assert (await site.ask("/check", method="HEAD")).code == 200
    assert read(await site.ask("/health/ready"))["parts"]["buffer"] == "ok"
    site.parts.health = lambda: {"buffer": None, "store": "the disk is full", "geo": None}
    response = await site.ask("/health/ready")
    assert (response.code, read(response)["parts"]["store"]) == (503, "the disk is full")
    site.parts.health = lambda: {"buffer": None, "store": None, "geo": "no database"}
    assert (await site.ask("/health/ready")).code == 200


async def test_the_root_tells_a_program_its_address_and_headers(site: Site):
    answer = read(await site.ask("/", X_Forwarded_For="198.51.100.7", Cookie="secret=1", X_Mine="yes"))
    assert (answer["ip"], answer["headers"]["X-Mine"]) == ("198.51.100.7", "yes")
    assert "Cookie" not in answer["headers"]


@at_root_and_below
async def test_the_root_sends_a_browser_to_the_dashboard(site: Site):
    response = await site.ask("/?project=shop", Accept="text/html,*/*;q=0.8")
    assert (response.code, response.headers["Location"]) == (302, f"{site.prefix}/our_app?project=shop")
    assert (await site.ask("", Accept="text/html")).headers["Location"] == f"{site.prefix}/our_app"


@at_root_and_below
@pytest.mark.parametrize(
    "name", ["glimpse.js", "glimpse.mjs", "glimpse-more.js", "glimpse-pace.js", "glimpse-0.1.0.js"]
)
async def test_the_sdk_is_sent_once(site: Site, name: str):
    expected = resources.path(f"sdk/{name}").read_bytes()
    plain = await site.ask(f"/sdk/{name}")
    zipped = await site.ask(f"/sdk/{name}", Accept_Encoding="gzip, br")
    assert plain.body == gzip.decompress(zipped.body) == expected
    assert plain.headers["Access-Control-Allow-Origin"] == "*"
    assert plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert ("immutable" in plain.headers["Cache-Control"]) is (name == "glimpse-0.1.0.js")
    assert plain.headers["Etag"] != zipped.headers["Etag"]
    again = await site.ask(f"/sdk/{name}", If_None_Match=plain.headers["Etag"])
    assert (again.code, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/sdk/glimpse-9.9.9.js", "/sdk/..%2f..%2fpyproject.toml", "/sdk/other.js"])
async def test_nothing_else_is_sent_as_the_sdk(site: Site, path: str):
    assert (await site.ask(path)).code == 404


@at_root_and_below
@pytest.mark.parametrize(
    "path", ["/demo", "/demo/", "/demo/hats", "/demo/hats/7", "/demo/..%2fpackage.json", "/demo/index.html"]
)
async def test_every_path_of_the_demo_is_its_page_with_the_servers_own_paths(site: Site, path: str):
    response = await site.ask(path)
    page = response.body.decode()
    assert (response.code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'src="{site.prefix}/sdk/glimpse.js"' in page
    assert f'href="{site.prefix}/our_app?project=demo"' in page
    assert "{{" not in page


async def test_the_demos_files_are_sent(site: Site):
    for name in ("shop.js", "shop.css", "icon.svg"):
        assert (await site.ask(f"/demo/{name}")).body == resources.path(f"demo/{name}").read_bytes()


async def test_no_line_is_logged_with_an_address_or_a_query(site: Site, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    for path, body in (
        ("/event?email=a@b.example", EVENT),
        ("/event", b"nope"),
        ("/api/v1/live?project=secret!", None),
    ):
        await site.ask(path, body, X_Forwarded_For="203.0.113.7")
        await site.ask(path, body)
    site.parts.health = lambda: 1 / 0
    failed = await site.ask("/health/ready?token=secret")
    assert (failed.code, read(failed)["errors"]) == (500, [{"path": "", "message": "Internal Server Error"}])
    lines = "\n".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    assert "403 GET" in lines
    assert "/health/ready failed" in lines
    assert all(secret not in lines for secret in ("203.0.113.7", "127.0.0.1", "a@b.example", "secret"))


async def spoken(site: Site, words: bytes, *, hangs_up: bool = False) -> bytes:
    """Return what the server says to bytes that no HTTP client would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    writer.write(words.replace(b"/event", f"{site.prefix}/event".encode()))
    if hangs_up:
        writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "words",
    [
        b"POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /event HTTP/1.1\r\nno header\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
async def test_broken_http_is_no_server_error_and_its_line_names_no_address(
    site: Site,
    words: bytes,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    assert (await spoken(site, words))[:12] in (b"", b"HTTP/1.1 400")
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("tornado")]
    assert any("Malformed HTTP message from a client" in line for line in lines)
    assert "127.0.0.1" not in "".join(lines)


async def test_a_body_in_chunks_is_taken(site: Site):
    half = len(EVENT) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (EVENT[:half], EVENT[half:]))
    head = b"POST /event HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await spoken(site, head + chunks + b"0\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")


async def test_a_client_that_goes_away_in_mid_body_leaves_nothing_behind(site: Site, caplog: pytest.LogCaptureFixture):
    words = b"POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{"
    assert await spoken(site, words, hangs_up=True) == b""
    assert (await site.ask("/event", EVENT)).code == 200
    assert await site.parts.buffer.counts("*") == {"accepted": {"": 1}, "rejected": {}, "dropped": {}}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
