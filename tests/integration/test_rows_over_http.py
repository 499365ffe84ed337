"""What is stored leaves over HTTP: whole, in every format, without holding up anybody."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from records import NOON, admitted, event_of
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from waiting import wait_until_async

from glimpse.buffer import EventBuffer
from glimpse.collect import rows_routes
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.events import Event, Session
from glimpse.live import Window
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, Lot
from glimpse.transfer import LocalOutlet, Outlet, OwnerSocket, RemoteOutlet, Wanted

SESSION = "0190c1f3-7a1b-7c3d-9e4f-000000000001"
OTHER = "0190c1f3-7a1b-7c3d-9e4f-000000000002"
EVENTS = 107
ROWS_A_TABLE = 10  # so that a few events are many tables


def made() -> list[Event]:
    """Events at even distances, three of them at one moment; every fourth is a sign of life."""
    rows: list[Event] = []
    for number in range(EVENTS):
        at = NOON + (number if number > 2 else 0) * 30_000
        claim = admitted("heartbeat" if number % 4 == 3 else "page_view", at, properties={"n": number, "big": 10**25})
        rows.append(event_of(claim, session_id=SESSION if number % 2 else OTHER, page="/", title='=cmd|"x"', lat=-33.5))
    return rows


ROWS = made()
SHOWN = sorted((row for row in ROWS if row.name != "heartbeat"), key=lambda row: (row.time, row.id), reverse=True)


class Site:
    def __init__(self, url: str, parts: Parts, store: DuckStore) -> None:
        self.url, self.parts, self.store = url, parts, store

    async def ask(self, path: str, **question: str | int) -> HTTPResponse:
        span = {} if path.startswith("/api/v1/sessions/") else {"since": NOON, "until": NOON + 10**8}
        query = urlencode({"project": "shop", **span} | question)
        return await AsyncHTTPClient(force_instance=True).fetch(f"{self.url}{path}?{query}", raise_error=False)


@pytest.fixture(params=["in the owner", "beside it"])
async def site(
    request: pytest.FixtureRequest, buffer: EventBuffer, settings: Settings, tmp_path: Path
) -> AsyncIterator[Site]:
    store = DuckStore.open(tmp_path)
    session = Session(project="shop", id=SESSION, started_at=NOON, last_seen_at=NOON + 5000, entry_page="@home")
    store.commit(Lot(ROWS, [session]))
    local = LocalOutlet(store, ROWS_A_TABLE)
    owner_socket = OwnerSocket(local, tmp_path / "t.sock")
    await owner_socket.start()
    outlet: Outlet = local if request.param == "in the owner" else RemoteOutlet(tmp_path / "t.sock")
    parts = Parts(
        settings=settings,
        edge=Edge(buffer, settings),
        buffer=buffer,
        window=Window(minutes=30, max_events=10, now_ms=lambda: NOON),
        queries=LocalQueries(store, buffer),
        outlet=outlet,
        health=dict,
    )
    server = HTTPServer(Application([*routes(parts)]))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", parts, store)
    server.stop()
    await server.close_all_connections()
    await owner_socket.stop()
    local.close()
    store.close()


def read_json(body: bytes) -> list[str]:
    return [row["id"] for row in json.loads(body)]


def read_ndjson(body: bytes) -> list[str]:
    return [json.loads(line)["id"] for line in body.splitlines()]


def read_csv(body: bytes) -> list[str]:
    return [row["id"] for row in csv.DictReader(io.StringIO(body.decode()))]


def read_parquet(body: bytes) -> list[str]:
    return pq.read_table(io.BytesIO(body))["id"].to_pylist()


def read_arrow(body: bytes) -> list[str]:
    return pa.ipc.open_stream(body).read_all()["id"].to_pylist()


READERS = {
    "json": read_json,
    "ndjson": read_ndjson,
    "csv": read_csv,
    "parquet": read_parquet,
    "arrow": read_arrow,
}


@pytest.mark.parametrize("form", READERS)
async def test_all_rows_leave_once_and_in_order_in_every_format(site: Site, form: str):
    response = await site.ask("/api/v1/events", limit="all", format=form)
    assert (response.code, READERS[form](response.body)) == (200, [row.id for row in SHOWN])
    nothing = await site.ask("/api/v1/events", limit="all", format=form, project="nobody")
    assert (nothing.code, READERS[form](nothing.body)) == (200, [])


@pytest.mark.parametrize("form", ["json", "parquet"])
async def test_pages_follow_each_other_to_the_last_row(site: Site, form: str):
    found: list[str] = []
    address = f"/api/v1/events?{urlencode({'project': 'shop', 'since': NOON, 'limit': 33, 'format': form})}"
    while address:
        response = await AsyncHTTPClient(force_instance=True).fetch(site.url + address)
        found += READERS[form](response.body)
        address = response.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert found == [row.id for row in SHOWN]


async def test_json_has_numbers_as_they_were_sent_and_times_as_epoch_ms(site: Site):
    response = await site.ask("/api/v1/events", limit=1)
    (row,) = json.loads(response.body)
    assert (row["time"], row["properties"], row["lat"]) == (SHOWN[0].time, SHOWN[0].properties, -33.5)
    assert list(row) == list(Event.__struct_fields__)


async def test_csv_defuses_formulas_in_texts_alone(site: Site):
    response = await site.ask("/api/v1/events", limit=1, format="csv")
    (row,) = csv.DictReader(io.StringIO(response.body.decode()))
    assert (row["title"], row["lat"], row["utm_term"]) == ('\'=cmd|"x"', "-33.5", "")
    assert response.headers["Content-Disposition"] == 'attachment; filename="shop-events.csv"'


async def test_a_filter_reaches_every_table(site: Site):
    response = await site.ask("/api/v1/events", limit="all", where=f'session_id = "{SESSION}" and properties.n > 50')
    wanted = [row.id for row in SHOWN if row.session_id == SESSION and row.properties["n"] > 50]
    assert read_json(response.body) == wanted


async def test_a_segment_is_a_filter_of_rows_and_its_pages_go_on_with_what_it_was(site: Site):
    await site.parts.queries.save_segment("shop", "late", "properties.n > 50")
    wanted = [row.id for row in SHOWN if row.session_id == SESSION and row.properties["n"] > 50]
    first = await site.ask("/api/v1/events", limit=1, segment="late", where=f'session_id = "{SESSION}"')
    await site.parts.queries.save_segment("shop", "late", None)
    rest = first.headers["Link"].partition(">")[0].removeprefix("<").replace("limit=1&", "limit=all&")
    response = await AsyncHTTPClient(force_instance=True).fetch(site.url + rest)
    assert read_json(first.body) + read_json(response.body) == wanted
    assert (await site.ask("/api/v1/sessions", segment="late")).code == 400


async def test_a_span_that_has_many_more_rows_than_were_counted_still_comes_in_bounded_tables_and_in_order(
    tmp_path: Path,
):
    store = DuckStore.open(tmp_path)
    store.commit(Lot([event_of(admitted("page_view", NOON + 60_000 * at), session_id=SESSION) for at in range(5)]))
    outlet = LocalOutlet(store, ROWS_A_TABLE)
    async with outlet.flow([Wanted(project="shop", is_newest_first=True)]) as flow:
        store.commit(
            Lot([event_of(admitted("page_view", NOON + 1000 * at), session_id=OTHER) for at in range(150)])
        )  # an import's, say
        tables = [table async for _, table in flow.tables]
    outlet.close()
    stored = sorted(((row.time, row.id) for row in store.recent_events(0, 1000)), reverse=True)
    store.close()
    assert max(table.num_rows for table in tables) <= 2 * ROWS_A_TABLE
    whole = pa.concat_tables(tables)
    assert list(zip(whole["place_time"].to_pylist(), whole["place_id"].to_pylist(), strict=True)) == stored


async def test_sessions_and_the_events_of_one_in_order(site: Site):
    response = await site.ask("/api/v1/sessions", format="csv")
    (session,) = csv.DictReader(io.StringIO(response.body.decode()))
    assert (session["id"], session["entry_page"], session["duration_s"]) == (SESSION, "'@home", "5")
    response = await site.ask(f"/api/v1/sessions/{SESSION}")
    assert read_json(response.body) == [row.id for row in reversed(SHOWN) if row.session_id == SESSION]
    assert (await site.ask(f"/api/v1/sessions/{SESSION}", project="other")).code == 404
    assert (await site.ask(f"/api/v1/sessions/{SESSION}", project="*")).code == 400
    assert (await site.ask("/api/v1/sessions/none")).code == 400


async def test_who_stops_reading_is_let_go_and_holds_up_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(rows_routes, "PATIENCE_S", 0.2)
    long = [event_of(admitted(at=NOON + n, properties={"text": "x" * 30_000}), session_id=SESSION) for n in range(800)]
    site.store.commit(Lot(long))
    loop = asyncio.get_running_loop()
    with socket.socket() as slow:
        slow.settimeout(0)
        await loop.sock_connect(slow, ("127.0.0.1", int(site.url.rpartition(":")[2])))
        await loop.sock_sendall(
            slow, f"GET /api/v1/events?since={NOON}&limit=all HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        assert (await loop.sock_recv(slow, 15)) == b"HTTP/1.1 200 OK"
        site.store.commit(Lot([event_of(admitted("sold", NOON), session_id=SESSION)]))  # the writer goes on meanwhile
        assert len(read_json((await site.ask("/api/v1/events", where='name = "sold"')).body)) == 1
        await wait_until_async(lambda: "was cut off: nobody took it" in caplog.text)
        got = b""
        while piece := await loop.sock_recv(slow, 2**20):
            got += piece
    assert 0 < len(got) < 800 * 30_000
    assert not got.endswith(b"0\r\n\r\n")  # it does not look whole


@pytest.mark.parametrize("site", ["beside it"], indirect=True)
async def test_an_owner_that_goes_cuts_the_answer_off(site: Site):
    site.store.close()
    assert (await site.ask("/api/v1/events", limit="all")).code == 503


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/api/v1/no-such-thing", 404, "/api/docs"),
        ("DELETE", "/api/v1/no-such-thing", 404, "/api/docs"),
        ("GET", "/api/v1", 404, "/api/docs"),
        ("GET", f"/api/v1/sessions/{UUID(int=9)}?project=shop", 404, f"there is no session {UUID(int=9)} in shop"),
        ("GET", "/api/v1/events%00", 404, "Not Found"),
        ("GET", "/api/v1/events?limit=%ff", 400, "Invalid unicode in limit"),
        ("GET", "/api/v1/events?project=no+project", 400, "project must be"),
        ("PUT", "/api/v1/events", 405, "Method Not Allowed"),
        ("DELETE", "/api/v1/openapi.json", 405, "Method Not Allowed"),
        ("DELETE", "/api/docs", 405, "Method Not Allowed"),
    ],
)
async def test_every_error_is_told_as_a_problem(site: Site, method: str, path: str, status: int, told: str):
    response = await AsyncHTTPClient(force_instance=True).fetch(
        site.url + path, method=method, raise_error=False, allow_nonstandard_methods=True
    )
    assert (response.code, response.headers["Content-Type"]) == (status, "application/problem+json")
    problem = json.loads(response.body)
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (problem["status"], told in problem["detail"]) == (status, True), problem
