from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from records import NOON, admitted, event_of
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from glimpse.buffer import EventBuffer
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.errors import QueryError
from glimpse.events import Event, Session
from glimpse.filters import Where, field, parse, to_json, to_text
from glimpse.live import Window
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, Lot, Queries, QuerySocket, RemoteQueries
from glimpse.transfer import LocalOutlet

SESSIONS = [f"0190c1f3-7a1b-7c3d-9e4f-{number:012x}" for number in range(4)]
COUNTRIES = ["DE", "FR", None, "DE"]


def made() -> tuple[list[Event], list[Session]]:
    """Four visits: each sees two pages and buys once, the last only one page."""
    events: list[Event] = []
    sessions: list[Session] = []
    for number, (name, country) in enumerate(zip(SESSIONS, COUNTRIES, strict=True)):
        pages = 1 if number == 3 else 2
        facts = {"session_id": name, "country": country}
        at = NOON + 1000 * number
        events += [event_of(admitted(at=at + page), page=f"/{page}", **facts) for page in range(pages)]
        if pages == 2:
            events.append(event_of(admitted("buy", at + 9, properties={"plan": "pro", "price": number}), **facts))
        sessions.append(
            Session(project="shop", id=name, started_at=at, last_seen_at=at + 9, pages=pages, country=country)
        )
    return events, sessions


class NoBooks:
    async def books(self, after: Mapping[int, str]) -> dict[tuple[str, str, str], int]:
        return {}


@pytest.fixture(params=["in the owner", "in another process's place"])
async def queries(request: pytest.FixtureRequest, tmp_path: Path):
    store = DuckStore.open(tmp_path)
    store.commit(Lot(*made()))
    local = LocalQueries(store, NoBooks())
    socket = QuerySocket(local, tmp_path / "q.sock")
    await socket.start()
    yield local if request.param == "in the owner" else RemoteQueries(tmp_path / "q.sock")
    await socket.stop()
    local.close()
    store.close()


SPAN = (NOON, NOON + 60_000)
BUYERS = parse('name = "buy" and properties.plan = "pro" and properties.price > 0')


@pytest.mark.parametrize("where", [BUYERS, to_text(BUYERS), to_json(BUYERS)])
async def test_every_form_of_a_filter_asks_the_same(queries: Queries, where: Where):
    rows = await queries.events("shop", *SPAN, where=where)
    assert [row["properties"]["price"] for row in rows] == [2, 1]


async def test_pages_of_kept_events_follow_each_other(queries: Queries):
    where, names, after = field("name") == "buy", [], None
    for _ in range(3):
        (row,) = await queries.events("*", *SPAN, 1, after, where)
        names.append(row["session_id"])
        after = f"{row['time']}:{row['id']}"
    assert names == SESSIONS[2::-1]
    assert await queries.events("*", *SPAN, 1, after, where) == []


async def test_events_can_be_kept_for_what_their_session_is(queries: Queries):
    rows = await queries.events("shop", *SPAN, where="session.pages = 1")
    assert [row["session_id"] for row in rows] == [SESSIONS[3]]


async def test_sessions_are_kept_for_one_of_their_events(queries: Queries):
    buyers = await queries.sessions("shop", *SPAN, where='name = "buy" and country != "FR"')
    assert [row["id"] for row in buyers] == [SESSIONS[2], SESSIONS[0]]
    short = await queries.sessions("*", *SPAN, where="session.pages < 2")
    assert [row["id"] for row in short] == [SESSIONS[3]]


async def test_totals_count_what_is_kept(queries: Queries):
    everything = await queries.totals("shop", *SPAN)
    assert everything == {"events": 10, "page_views": 7, "sessions": 4, "bounces": 1}
    german = await queries.totals("shop", *SPAN, where='country = "DE"')
    assert german == {"events": 4, "page_views": 3, "sessions": 2, "bounces": 1}
    assert await queries.totals("shop", *SPAN, where='country = "XX"') == dict.fromkeys(everything, 0)


async def test_a_mistake_is_told_wherever_the_store_is(queries: Queries):
    with pytest.raises(QueryError, match=r"column 1: there is no field 'contry'; did you mean country\?"):
        await queries.totals("shop", *SPAN, where='contry = "DE"')


Ask = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
async def ask(buffer: EventBuffer, settings: Settings, tmp_path: Path) -> AsyncIterator[Ask]:
    store = DuckStore.open(tmp_path / "store")
    store.commit(Lot(*made()))
    queries = LocalQueries(store, buffer)
    window = Window(minutes=30, max_events=10, now_ms=lambda: NOON)
    edge = Edge(buffer, settings)
    parts = Parts(
        settings=settings,
        edge=edge,
        buffer=buffer,
        window=window,
        queries=queries,
        outlet=LocalOutlet(store),
        health=dict,
    )
    server = HTTPServer(Application([*routes(parts)]))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])

    async def asked(**question: str | int) -> HTTPResponse:
        query = urlencode({"since": NOON, "until": NOON + 60_000} | question)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1/events?{query}"
        return await AsyncHTTPClient().fetch(address, raise_error=False)

    yield asked
    server.stop()
    await server.close_all_connections()
    queries.close()
    store.close()


async def test_the_read_api_takes_a_filter_as_text_and_as_json(ask: Ask):
    for where in (to_text(BUYERS), json.dumps(to_json(BUYERS))):
        response = await ask(where=where)
        assert [row["properties"]["price"] for row in json.loads(response.body)] == [2, 1]
    assert len(json.loads((await ask(where="")).body)) == 10


async def test_the_next_page_has_the_same_filter(ask: Ask):
    response = await ask(where='name = "buy"', limit=2)
    (address,) = re.findall("<([^>]*)>", response.headers["Link"])
    following = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    rows = json.loads((await ask(**following)).body)
    assert [(row["name"], row["session_id"]) for row in rows] == [("buy", SESSIONS[0])]


async def test_a_mistake_in_a_filter_is_a_400_with_its_place(ask: Ask):
    response = await ask(where='page = "/" and contry = "DE"')
    assert response.code == 400
    assert json.loads(response.body)["detail"].startswith(
        "where: column 16: there is no field 'contry'; did you mean country?"
    )
