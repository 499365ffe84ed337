"""`glimpse collect` as it is started: processes that share a port, and one that keeps them alive."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from serving import Served, an_event, free_port
from waiting import wait_until

pytestmark = pytest.mark.server


class Collecting(Served):
    """One `glimpse collect`."""

    def __init__(self, data_dir: Path, *flags: str, **env: str) -> None:
        super().__init__(data_dir, **env)
        self.command = [sys.executable, "-m", "glimpse.cli", "collect", "--port", str(self.port), *flags]

    def workers(self) -> set[int]:
        """Return the workers' process ids."""
        assert self.process
        shown = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return {int(line.split()[0]) for line in shown.stdout.splitlines() if "collect" in line}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_share_a_port_and_one_that_is_killed_is_replaced(tmp_path: Path, redis_url: str):
    with Collecting(tmp_path / "data", "--workers", "2", GLIMPSE_REDIS_URL=redis_url) as served:
        before = wait_until(lambda: len(found := served.workers()) == 2 and found)
        assert [served.post(an_event())[0] for _ in range(20)] == [200] * 20
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(found := served.workers()) == 2 and victim not in found, what="a new worker")
        # Nobody who came meanwhile was turned away: the port's sockets are kept by who starts the workers.
        assert [served.post(an_event())[0] for _ in range(20)] == [200] * 20
        assert served.stop() == 0
    assert "203.0" not in served.said()


def test_whichever_worker_is_asked_tells_of_all_also_of_one_that_was_killed(tmp_path: Path, redis_url: str):
    def accepted() -> int:
        text = served.ask("GET", "/metrics")[2].decode()
        return int(float(re.findall(r"^glimpse_events_accepted_total (\S+)", text, re.MULTILINE)[0]))

    with Collecting(tmp_path / "data", "--workers", "2", GLIMPSE_REDIS_URL=redis_url) as served:
        before = wait_until(lambda: len(found := served.workers()) == 2 and found)
        assert [served.post(an_event())[0] for _ in range(40)] == [200] * 40
        wait_until(lambda: [accepted() for _ in range(8)] == [40] * 8, what="each worker to tell of all events")
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: len(found := served.workers()) == 2 and min(before) not in found, what="a new worker")
        assert [served.post(an_event())[0] for _ in range(10)] == [200] * 10
        wait_until(lambda: [accepted() for _ in range(8)] == [50] * 8, what="nothing to be forgotten")


def test_workers_end_with_the_process_that_keeps_them(tmp_path: Path, redis_url: str):
    served = Collecting(tmp_path / "data", GLIMPSE_REDIS_URL=redis_url).start()
    (worker,) = served.workers()
    served.kill()
    wait_until(lambda: not is_alive(worker))


def test_it_brings_its_own_valkey_and_listens_on_a_socket_too(tmp_path: Path):
    served = Collecting(tmp_path / "data")
    with served:
        assert served.post(an_event())[0] == 200
        assert (tmp_path / "data" / "valkey.sock").exists()
        path = tmp_path / "s"
        command = [sys.executable, "-m", "glimpse.cli", "collect", "--unix-socket", str(path)]
        beside = subprocess.Popen(command, env=served.environment, stderr=subprocess.DEVNULL)
        wait_until(path.exists)
        curl = ["curl", "-s", "--retry", "5", "--retry-connrefused", "--unix-socket", str(path), "http://a/check"]
        assert subprocess.run(curl, capture_output=True, check=False).stdout == b'{"status":"ok"}'
        beside.terminate()
        assert beside.wait(10) == 0
        assert not path.exists()
        assert served.post(an_event())[0] == 200  # the Valkey is in use still
        assert served.stop() == 0


def test_a_port_that_is_taken_and_a_redis_that_is_away_are_said_in_one_line(tmp_path: Path, redis_url: str):
    with Collecting(tmp_path / "data", GLIMPSE_REDIS_URL=redis_url) as first:
        second = Collecting(tmp_path / "data", GLIMPSE_REDIS_URL=redis_url)
        second.command = first.command  # though it could share the port, half of the events would be elsewhere
        away = Collecting(tmp_path / "data", GLIMPSE_REDIS_URL="redis://127.0.0.1:1/0")
        for wrong, message in ((second, f"can't listen on any address, port {first.port}"), (away, "no Redis at")):
            ended = wrong.run_to_its_end()
            assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
            assert message in ended.stderr
        assert first.stop() == 0


def test_a_collector_imports_nothing_of_the_dashboard(tmp_path: Path, redis_url: str):
    program = f"""
import asyncio, json, sys
sys.path[:0] = {[str(Path(__file__).parents[1])]!r}
import glimpse.cli, glimpse.collect.server.supervisor
from glimpse.collect.server.collector import Collector
from glimpse.collect.server.sockets import tcp_sockets
from glimpse.settings import Settings
from raw_http import Line, get, post

async def run():
    (listening,) = tcp_sockets("127.0.0.1", 0, 1)
    collector = Collector({redis_url!r}, Settings())
    await collector.start(listening)
    async with await Line.to(listening.getsockname()[1]) as line:
        event = post({json.dumps(an_event()).encode()!r})
        for data in (event, get("/sdk/glimpse.js"), get("/metrics"), get("/health/ready")):
            assert (await line.ask(data)).status in (200, 403)
    await collector.stop()

asyncio.run(run())
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    forbidden = {"panel", "bokeh", "holoviews", "geoviews", "pandas", "numpy", "duckdb", "ibis", "tornado", "maxminddb"}
    assert not forbidden & set(ran.stdout.split())


def test_the_port_is_free_again_at_once(tmp_path: Path, redis_url: str):
    port = free_port()
    for _ in range(2):
        served = Collecting(tmp_path / "data", GLIMPSE_REDIS_URL=redis_url)
        served.port = port
        served.command[5] = str(port)
        with served:
            assert served.post(an_event())[0] == 200
            assert served.stop() == 0
