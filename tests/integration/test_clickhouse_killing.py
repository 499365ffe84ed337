"""A question to ClickHouse that nobody waits for ends on the server: over HTTP, and in the engine in this process."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from serving import free_port, running
from waiting import wait_until

from glimpse.errors import QueryTooSlow
from glimpse.settings import Settings
from glimpse.store import open_store
from glimpse.store.clickhouse import ClickHouseStore
from glimpse.store.clickhouse_asker import ClickHouseAsker
from glimpse.store.readers import Readers

pytestmark = pytest.mark.server

SERVER = Path(__file__).parents[1] / "clickhouse_server.py"
ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
UNDER_WAY = (
    "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000000)%' AND query NOT LIKE '%system%'"
)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    port = free_port()
    with running([sys.executable, str(SERVER), str(port), str(folder / "engine")], folder / "clickhouse.log"):
        wait_until(lambda: answers(port), what="ClickHouse answers", timeout_s=30)
        yield f"clickhouse://127.0.0.1:{port}"


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with server(tmp_path_factory.mktemp("engines")) as over_http:
        yield {"over HTTP": over_http, "in this process": "clickhouse+chdb://"}


@pytest.fixture(params=["over HTTP", "in this process"])
async def store(request: pytest.FixtureRequest, engines: dict[str, str], tmp_path: Path) -> AsyncIterator[Any]:
    opened = open_store(Settings(data_dir=tmp_path, store_url=engines[request.param]))
    yield opened
    opened.close()


def endless(asker: ClickHouseAsker) -> Any:
    return asker.fetch(ENDLESS, ())


def is_under_way(store: ClickHouseStore) -> bool:
    return store._client.query(UNDER_WAY).result_rows[0][0] > 0


async def seen(store: ClickHouseStore, *, under_way: bool) -> None:
    await asyncio.to_thread(wait_until, lambda: is_under_way(store) == under_way, what=f"under way: {under_way}")


async def test_a_question_out_of_time_ends_on_the_server_and_its_thread_is_free_again(store: ClickHouseStore):
    readers = Readers([store.asker()], time_limit_s=1)
    with pytest.raises(QueryTooSlow, match="longer than 1 s"):
        await readers.run(endless)
    assert await readers.run(lambda asker: asker.fetch("SELECT 42", ())) == [(42,)]
    await seen(store, under_way=False)
    await asyncio.to_thread(readers.close)


async def test_a_question_that_nobody_waits_for_any_more_ends_on_the_server_and_no_other(store: ClickHouseStore):
    readers = Readers([store.asker(), store.asker()], time_limit_s=25)
    asked = asyncio.create_task(readers.run(endless))
    await seen(store, under_way=True)
    other = asyncio.create_task(
        readers.run(lambda asker: asker.fetch("SELECT sum(sleepEachRow(1)) FROM numbers(3)", ()))
    )
    await asyncio.sleep(0)
    asked.cancel()
    await seen(store, under_way=False)
    assert await other == [(0,)]
    await asyncio.to_thread(readers.close)


async def test_closing_ends_what_is_under_way(store: ClickHouseStore):
    readers = Readers([store.asker()], time_limit_s=25)
    asked = asyncio.create_task(readers.run(endless))
    await seen(store, under_way=True)
    await asyncio.to_thread(readers.close)
    await seen(store, under_way=False)
    with pytest.raises((QueryTooSlow, asyncio.CancelledError)):
        await asked
