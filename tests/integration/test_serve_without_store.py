"""The store can't be had: the server goes on, says so, and what it took is stored once the store is back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from serving import Served, an_event, now_ms
from waiting import wait_until

from glimpse.errors import StoreCorrupt
from glimpse.events import Event
from glimpse.store import DuckStore, Lot

pytestmark = pytest.mark.server

SOON = {"GLIMPSE_FLUSH_INTERVAL_S": "0.3"}
Repair = Callable[[], None]


def readiness(served: Served) -> tuple[int, str]:
    status, _, body = served.ask("GET", "/health/ready")
    return status, json.loads(body)["parts"]["store"]


def put(path: Path, content: bytes) -> None:
    """Put a whole file in place at once: the server looks at it all the time."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


BLOCKS_BEGIN, BLOCK_BYTES = 12_288, 262_144  # of DuckDB's files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "glimpse.duckdb"


@pytest.fixture
def no_store(file: Path) -> Repair:
    """Leave a file that is none of DuckDB's; its owner moves it away."""
    file.write_bytes(b"no store\n" * 1000)
    return file.unlink


@pytest.fixture
def damaged(file: Path) -> Repair:
    """Leave a store that opens but can't be read to its end; its owner has a copy."""
    store, now = DuckStore.open(file.parent), now_ms()
    for _ in range(10):
        store.commit(Lot([a_row(now) for _ in range(1000)]))
    store.close()
    whole = file.read_bytes()
    # Where the rows are and where what opening needs is DuckDB's business: one of its blocks will do.
    starts = range(BLOCKS_BEGIN, len(whole), BLOCK_BYTES)
    assert any(opens_but_breaks(file, whole[:at] + bytes(BLOCK_BYTES) + whole[at + BLOCK_BYTES :]) for at in starts)
    return lambda: put(file, whole)


def opens_but_breaks(file: Path, content: bytes) -> bool:
    """Tell whether a store with this content can be opened, but not read to its end."""
    file.write_bytes(content)
    try:
        store = DuckStore.open(file.parent)
    except StoreCorrupt:
        return False
    try:
        store.recent_events(0, 100_000)
    except duckdb.Error:
        return True
    finally:
        store.close()
    return False


@pytest.fixture
def locked(file: Path) -> Iterator[Repair]:
    """Hold the file in this process, as somebody who looks at it with DuckDB's own shell."""
    connection = duckdb.connect(os.fspath(file))
    yield connection.close
    connection.close()


def a_row(time_ms: int) -> Event:
    return Event(
        id=str(uuid4()), project="before", session_id=str(uuid4()), name="x", time=time_ms, received_at=time_ms
    )


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("no_store", "Move it away"), ("damaged", "can't be taken up"), ("locked", "another process")],
)
def test_while_the_store_cannot_be_had_events_wait_and_are_stored_when_it_is_back(
    tmp_path: Path, file: Path, request: pytest.FixtureRequest, trouble: str, said: str
):
    repair: Repair = request.getfixturevalue(trouble)
    as_it_was = None if trouble == "locked" else file.read_bytes()
    with Served(tmp_path / "data", **SOON) as served:
        events = [an_event() for _ in range(5)]
        assert {served.post(event)[0] for event in events} == {200}
        status, reason = wait_until(lambda: (seen := readiness(served))[0] == 503 and seen, what="it says so")
        assert status == 503
        assert said in reason
        assert str(file) in reason
        if trouble == "locked":
            assert f"PID {os.getpid()}" in reason
        assert served.ask("GET", "/api/v1/events?project=shop")[0] == 503
        wait_until(lambda: served.said().count("the store can't be opened") == 1, what="and once in the log")
        assert as_it_was is None or file.read_bytes() == as_it_was
        repair()
        wait_until(lambda: readiness(served) == (200, "ok"), what="the store was taken up")
        wait_until(lambda: len(served.stored("shop")) >= 5, what="all are stored")
        assert sorted(row["id"] for row in served.stored("shop")) == sorted(event["id"] for event in events)
        ledger = served.ledger("shop")
        assert (ledger["accepted"], ledger["duplicate"], ledger["difference"]) == (5, 0, 0)
        assert served.said().count("the store can't be opened") == 1
        assert "Traceback" not in served.said()


def test_what_was_taken_without_a_store_outlives_the_server(tmp_path: Path, damaged: Repair):
    events = [an_event() for _ in range(5)]
    served = Served(tmp_path / "data", **SOON).start()
    assert {served.post(event)[0] for event in events} == {200}
    assert served.stop() == 0
    damaged()
    with served:
        wait_until(lambda: readiness(served) == (200, "ok"), what="the store was taken up")
        wait_until(lambda: len(served.stored("shop")) >= 5, what="all are stored")
        assert sorted(row["id"] for row in served.stored("shop")) == sorted(event["id"] for event in events)


def test_of_two_processes_both_say_it_and_both_say_when_it_is_over(tmp_path: Path, no_store: Repair):
    event = an_event()
    with Served(tmp_path / "data", flags=("--num-procs", "2"), **SOON) as served:
        wait_until(lambda: served.said().count("the store can't be opened") == 2, what="both have tried")
        assert served.post(event)[0] == 200
        assert {readiness(served)[0] for _ in range(20)} == {503}
        no_store()
        # Each request may be answered by either: ask until each has answered surely.
        wait_until(lambda: {readiness(served) for _ in range(20)} == {(200, "ok")}, what="both are ready")
        wait_until(lambda: [row["id"] for row in served.stored("shop")] == [event["id"]], what="the event is stored")
        assert served.stop() == 0
