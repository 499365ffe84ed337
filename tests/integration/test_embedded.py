from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from serving import CHROME, an_event, free_port
from waiting import wait_until

import glimpse
from glimpse.client import Client
from glimpse.errors import GlimpseError, StoreLost, StoreUnavailable
from glimpse.settings import Settings
from glimpse.store import DuckStore, Lot

pytestmark = pytest.mark.server


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Client]:
    client = glimpse.start(settings=Settings(data_dir=tmp_path / "data", flush_interval_s=0.2))
    yield client
    client.stop()


def post(client: Client, event: dict[str, object]) -> int:
    connection = http.client.HTTPConnection(client.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", "/event", json.dumps(event).encode(), {"User-Agent": CHROME})
        return connection.getresponse().status
    finally:
        connection.close()


# Ibis 12 sets an option of pandas that pandas 3 finds outdated.
@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")
def test_an_event_posted_to_the_kernel_is_in_its_table(running: Client):
    assert len(running.events().to_pandas()) == 0
    event = an_event(name="signup", properties={"plan": "pro"})
    assert post(running, event) == 200
    table = running.events(since="5m")
    wait_until(lambda: len(running.events(since="5m").to_pandas()) == 1, what="it is stored")
    row = running.events(since="5m").to_pandas().iloc[0]
    assert (row["id"], row["name"], row["city"], json.loads(row["properties"])) == (
        event["id"],
        "signup",
        "Vienna",
        {"plan": "pro"},
    )
    assert running.events(since="5m").schema() == table.schema()
    assert running.projects() == ["shop"]
    assert running.status.state == "live"
    (journey,) = running.journey(row["session_id"]).itertuples()
    assert (journey.name, journey.time) == ("signup", row["time"])
    running.segment("signups", 'name = "signup"')
    (only,) = running.breakdown("properties.plan", segment="signups").itertuples()
    assert (only.value, only.events, only.share) == ("pro", 1, 1)
    assert running.segments("shop") == {"signups": 'name = "signup"'}
    assert len(running.events(segment="signups", where='name = "else"').to_pandas()) == 0
    assert len(running.events(segment="signups").to_pandas()) == len(running.sessions(segment="signups")) == 1
    assert (running.live().events, running.live("shop", segment="signups").events) == (1, 1)
    assert running.live(segment="signups", where='name = "else"').events == 0
    assert running.series(unit="minute", since="5m")["events"].sum() == 1
    assert running.funnel(['name = "signup"', 'name = "buy"'])["sessions"].tolist() == [1, 0]
    assert running.sessions()["id"].tolist() == [row["session_id"]]
    assert running.ask("totals").to_dict("records") == [{"events": 1, "page_views": 0, "sessions": 1, "bounces": 0}]


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")
def test_a_store_that_fails_for_good_is_opened_again_and_gets_every_event_once(
    running: Client, monkeypatch: pytest.MonkeyPatch
):
    lost_stores: list[DuckStore] = []

    def fail_once(store: DuckStore, lot: Lot) -> None:
        if not lost_stores:
            lost_stores.append(store)
            raise StoreLost("INTERNAL Error: the database has been invalidated")
        commit(store, lot)

    commit = DuckStore.commit
    monkeypatch.setattr(DuckStore, "commit", fail_once)
    for _ in range(5):
        assert post(running, an_event()) == 200

    def stored() -> int:
        with contextlib.suppress(StoreUnavailable):  # while it is opened again
            return len(running.events(since="5m").to_pandas())
        return -1

    wait_until(lambda: bool(lost_stores) and stored() == 5, what="all are stored", timeout_s=15)
    wait_until(lambda: running.status.state == "live", what="that is seen, which is looked at twice a second")


def test_a_cell_that_blocks_holds_up_nothing(running: Client):
    answered = threading.Event()
    sender = threading.Thread(target=lambda: post(running, an_event()) == 200 and answered.set())
    sender.start()
    until = time.monotonic() + 5
    while not answered.is_set() and time.monotonic() < until:
        sum(range(20_000))  # as a cell that computes, without an await
    sender.join()
    assert answered.is_set()


def test_views_look_at_the_window_while_the_server_fills_it(running: Client):
    stop, problems = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            try:
                running._running.window.numbers("shop")
                running._running.window.events("shop")
            except RuntimeError as problem:  # "changed size during iteration"
                problems.append(problem)

    viewer = threading.Thread(target=look)
    viewer.start()
    for _ in range(60):
        assert post(running, an_event()) == 200
    wait_until(lambda: running._running.window.numbers("shop").events == 60, what="all are in the window")
    stop.set()
    viewer.join()
    assert problems == []


def test_every_view_of_the_client_is_an_object_to_show(running: Client):
    assert post(running, an_event()) == 200
    for view in (
        running.live_map(),
        running.dashboard(),
        running.history(since="7d"),
        running.kpis(),
        running.feed(),
        running.timeline(),
    ):
        assert view.__panel__() is not None


def test_stopped_it_says_so_and_stops_once(running: Client, tmp_path: Path):
    running.stop()
    running.stop()
    with pytest.raises(GlimpseError, match=r"glimpse\.start"):
        running.events()
    assert running.status.problem
    assert not (tmp_path / "data" / "valkey.sock").exists()


def test_a_port_that_is_taken_raises_and_leaves_nothing(tmp_path: Path):
    port = free_port()
    first = glimpse.start(port, Settings(data_dir=tmp_path / "a"))
    try:
        with pytest.raises(OSError, match="in use"):
            glimpse.start(port, Settings(data_dir=tmp_path / "b"))
        assert not list((tmp_path / "b").glob("valkey*"))
    finally:
        first.stop()


def test_a_script_that_forgets_to_stop_it_ends_and_leaves_no_valkey(tmp_path: Path):
    script = "import glimpse; print(glimpse.start())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=40, check=True
    )
    assert "<Glimpse at http://127.0.0.1:" in done.stdout
    assert not (tmp_path / ".glimpse" / "valkey.sock").exists()


def test_import_glimpse_is_light(tmp_path: Path):
    code = "import glimpse, sys; print({'panel', 'duckdb', 'tornado'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_cell_that_is_interrupted_leaves_no_question_behind(running: Client):
    glimpse_inside = cast("Any", running._running)._glimpse
    wait_until(lambda: post(running, an_event()) == 200 and len(running.sessions()) > 0, what="it is stored")
    glimpse_inside.store._connection.execute(
        "ALTER TABLE events RENAME TO few; CREATE VIEW events AS"
        " SELECT few.* REPLACE (md5((a.range + b.range)::VARCHAR) AS page)"
        " FROM few, range(10_000_000) a, range(10_000_000) b"
    )
    under_way = glimpse_inside.queries._readers._under_way

    def interrupt() -> None:
        wait_until(lambda: under_way, what="the store works on it")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        running.ask("totals", where='page = "nowhere"')
    wait_until(lambda: not under_way, timeout_s=10, what="the store works for nobody")
