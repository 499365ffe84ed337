"""What was acknowledged is in the store afterwards, once, whatever was killed."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Self

import pytest
from serving import Served, an_event
from waiting import wait_until

pytestmark = pytest.mark.server


class Load:
    """Posts events one after another from a thread, and keeps the ids that were acknowledged."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._goes_on = threading.Event()
        self._thread = threading.Thread(target=self._post)
        self.acknowledged: list[str] = []
        self.refused = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._goes_on.set()
        self._thread.join()

    def reach(self, count: int) -> None:
        wait_until(lambda: len(self.acknowledged) >= count, timeout_s=30, what=f"{count} events acknowledged")

    def _post(self) -> None:
        while not self._goes_on.is_set():
            events = [an_event() for _ in range(5)]
            try:
                status, _ = self._served.post(events)
            except (OSError, ValueError):
                self.refused += 1
                self._goes_on.wait(0.02)
                continue
            if status == 200:
                self.acknowledged += [event["id"] for event in events]
            else:
                self.refused += 1
                self._goes_on.wait(0.02)


def settle(served: Served) -> dict[str, Any]:
    """Wait until nothing is in the buffer, and return the ledger."""
    return wait_until(lambda: (book := served.ledger("shop"))["in_buffer"] == 0 and book, timeout_s=20, what="drained")


def assert_each_is_stored_once(served: Served, acknowledged: list[str]) -> None:
    ledger = settle(served)
    stored = Counter(row["id"] for row in served.stored("shop"))
    assert [name for name in acknowledged if stored[name] == 0] == []
    assert [name for name, times in stored.items() if times > 1] == []
    assert ledger["difference"] == 0
    assert ledger["stored"] == sum(stored.values())


def valkey_pid(served: Served) -> int:
    return int(next(served.data_dir.rglob("*.pid")).read_text())


def test_a_restart_under_load_loses_and_doubles_nothing(tmp_path: Path):
    served = Served(tmp_path / "data").start()
    with Load(served) as load:
        load.reach(200)
        assert served.stop() == 0
        served.start()
        load.reach(len(load.acknowledged) + 200)
    assert_each_is_stored_once(served, load.acknowledged)
    assert served.stop() == 0


def test_killed_twice_under_load_the_server_loses_and_doubles_nothing(tmp_path: Path):
    served = Served(tmp_path / "data").start()
    with Load(served) as load:
        for _ in range(2):
            load.reach(len(load.acknowledged) + 150)
            served.kill()
            served.start()
        load.reach(len(load.acknowledged) + 50)
    assert_each_is_stored_once(served, load.acknowledged)
    assert served.stop() == 0


def test_when_valkey_is_killed_under_load_it_comes_back_and_nothing_is_lost(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        with Load(served) as load:
            load.reach(200)
            os.kill(valkey_pid(served), signal.SIGKILL)
            load.reach(len(load.acknowledged) + 200)
        assert load.refused > 0
        assert_each_is_stored_once(served, load.acknowledged)


def test_a_stopped_server_leaves_no_valkey_behind(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        pid = valkey_pid(served)
        os.kill(pid, 0)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), timeout_s=5, what="Valkey has ended")
