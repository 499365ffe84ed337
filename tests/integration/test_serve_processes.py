from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from serving import Served, an_event
from waiting import wait_until

pytestmark = pytest.mark.server


def workers(served: Served) -> list[int]:
    assert served.process
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(served.process.pid)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "valkey" not in line]


def owner(served: Served) -> int:
    return int((served.data_dir / "owner.lock").read_text() or 0)


@contextmanager
def only(pid: int, served: Served) -> Iterator[None]:
    """Let one worker alone answer: the others stand still."""
    others = [other for other in workers(served) if other != pid]
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def live_ids(served: Served, where: str = "") -> int:
    answer = served.get(f"/api/v1/live?project=shop&where={quote(where)}")
    return sum(minute["events"] for minute in answer["per_minute"])


def test_both_processes_take_events_and_both_show_everything(tmp_path: Path):
    with Served(tmp_path / "data", flags=("--num-procs", "2")) as served:
        pair = wait_until(lambda: len(found := workers(served)) == 2 and found, what="there are two")
        wait_until(lambda: owner(served) in pair, what="one of them is the owner")
        # Both ready, and the owner knows that it is followed.
        wait_until(lambda: f"{len(pair)} ready" == f"{served.said().count('ready to take events')} ready", what="ready")
        sent = []
        for pid in pair:
            with only(pid, served):
                sent.append(an_event())
                assert served.post(sent[-1])[0] == 200
        for pid in pair:
            wait_until(lambda: owner(served) in pair, what="an owner")
            if pid == owner(served):
                with only(pid, served):
                    wait_until(lambda: live_ids(served) == 2, what="the owner shows both")
                    wait_until(lambda: len(served.stored("shop")) == 2, what="the owner has stored both")
        # The other asks the owner, so here both must run: ask until each has answered surely.
        assert {len(served.stored("shop")) for _ in range(20)} == {2}
        (follower,) = set(pair) - {owner(served)}
        with only(follower, served):
            wait_until(lambda: live_ids(served) == 2, timeout_s=15, what="the follower shows both")
            kept = "session.events > 0"  # it knows the sessions too, which only the owner counts
            wait_until(lambda: live_ids(served, kept) == 2, timeout_s=15, what="the follower shows both by session")
        assert served.stop() == 0
        assert_stored(served, sent)


def test_when_the_owner_is_killed_another_takes_over_within_seconds(tmp_path: Path):
    with Served(tmp_path / "data", flags=("--num-procs", "2")) as served:
        first = wait_until(lambda: owner(served), what="an owner")
        event = an_event()
        assert served.post(event)[0] == 200
        began = time.monotonic()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: owner(served) not in (0, first), what="a new owner")
        assert time.monotonic() - began < 5
        wait_until(lambda: len(workers(served)) == 2, what="the dead one was replaced")
        assert served.stop() == 0
        assert_stored(served, [event])


def test_the_stop_of_the_parent_stops_all_and_stores_everything(tmp_path: Path):
    slow = {"GLIMPSE_FLUSH_INTERVAL_S": "600", "GLIMPSE_FLUSH_ROWS": "100000"}
    with Served(tmp_path / "data", flags=("--num-procs", "2"), **slow) as served:
        pair = wait_until(lambda: len(found := workers(served)) == 2 and found, what="there are two")
        events = [an_event() for _ in range(40)]
        assert {served.post(event)[0] for event in events} == {200}
        assert served.stop(10) == 0
        assert_stored(served, events)
        assert not [pid for pid in pair if Path(f"/proc/{pid}").exists()]
        assert not (served.data_dir / "valkey.sock").exists()
        assert "Traceback" not in served.said()


def test_a_worker_that_dies_while_all_are_stopped_is_not_replaced(tmp_path: Path):
    with Served(tmp_path / "data", flags=("--num-procs", "2")) as served:
        pair = wait_until(lambda: len(found := workers(served)) == 2 and found, what="there are two")
        os.kill(pair[0], signal.SIGSTOP)
        assert served.process
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: len(workers(served)) < 2 or "stopping" in served.said(), what="the other one leaves")
        os.kill(pair[0], signal.SIGKILL)
        assert served.process.wait(12) == 0
    # If the killed one was the last to use Valkey, nobody stopped it; the next start would adopt it.
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((served.data_dir / "valkey.pid").read_text()), signal.SIGTERM)


@pytest.mark.parametrize("flags", [(), ("--num-procs", "2")], ids=["alone", "two"])
@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"GLIMPSE_DATA_DIR": "a-file"}, "the data folder can't be written"),
        ({"GLIMPSE_REDIS_URL": "redis://127.0.0.1:1/0"}, "no Redis at redis://127.0.0.1:1/0"),
        ({"GLIMPSE_FLUSH_ROWS": "many"}, "GLIMPSE_FLUSH_ROWS='many' is not allowed"),
    ],
    ids=["folder", "redis", "setting"],
)
def test_a_start_that_fails_exits_1_and_says_why_once(
    tmp_path: Path, flags: tuple[str, ...], environment: dict[str, str], reason: str
):
    (tmp_path / "a-file").touch()
    served = Served(tmp_path / "data", flags=flags, **environment)
    ended = served.run_to_its_end()
    lines = [line for line in ended.stderr.splitlines() if reason in line and "trying again" not in line]
    assert (ended.returncode, len(lines)) == (1, 1), ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.rglob("valkey.pid"))


def test_a_start_that_something_unforeseen_breaks_exits_1_too(tmp_path: Path):
    served = Served(tmp_path / "data", flags=("--num-procs", "2"))
    (served.data_dir / "owner.lock").mkdir(parents=True)  # a folder where the lock should be
    ended = served.run_to_its_end()
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.count("glimpse can't start") == 1
    assert not (served.data_dir / "valkey.pid").exists()


def test_a_stop_while_it_waits_for_redis_is_no_failure(tmp_path: Path):
    served = Served(tmp_path / "data", flags=("--num-procs", "2"), GLIMPSE_REDIS_URL="redis://127.0.0.1:1/0")
    with served.log.open("wb") as log:
        process = subprocess.Popen(served.command, env=served.environment, cwd=tmp_path, stderr=log, stdout=log)
    wait_until(lambda: served.said().count("trying again") >= 2, timeout_s=20, what="both wait for Redis")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0, served.said()
    assert "can't start" not in served.said()


def test_workers_leave_when_their_parent_was_killed(tmp_path: Path):
    served = Served(tmp_path / "data", flags=("--num-procs", "2")).start()
    pair = wait_until(lambda: len(found := workers(served)) == 2 and found, what="there are two")
    event = an_event()
    assert served.post(event)[0] == 200
    served.kill()
    wait_until(lambda: not [pid for pid in pair if Path(f"/proc/{pid}").exists()], timeout_s=15, what="all have left")
    wait_until(lambda: not (served.data_dir / "valkey.sock").exists(), what="the last one stopped Valkey")
    assert_stored(served, [event])


def assert_stored(served: Served, events: list[dict[str, str]]) -> None:
    with duckdb.connect(str(served.data_dir / "glimpse.duckdb"), read_only=True) as store:
        stored = [str(row[0]) for row in store.execute("SELECT id FROM events").fetchall()]
    assert sorted(stored) == sorted(event["id"] for event in events)
