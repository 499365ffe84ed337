"""Collecting, draining and showing in processes of their own, on one data folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from serving import Served, an_event, running
from waiting import wait_until

from glimpse.cli import main

pytestmark = pytest.mark.server


class Collecting(Served):
    """One `glimpse collect`."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.command = [sys.executable, "-m", "glimpse.cli", "collect", "--port", str(self.port)]


def working(data_dir: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run one `glimpse work`."""
    command = [sys.executable, "-m", "glimpse.cli", "work"]
    log = data_dir.parent / "work.log"
    return running(command, log, GLIMPSE_DATA_DIR=str(data_dir), GLIMPSE_FLUSH_INTERVAL_S="0.5")


def stored(shown: Served) -> int:
    status, _, _ = shown.ask("GET", "/api/v1/events?project=shop&since=1h")
    return len(shown.stored("shop")) if status == 200 else -1


def test_one_collects_one_drains_one_shows_and_a_second_worker_takes_over(tmp_path: Path):
    data_dir = tmp_path / "data"
    with Collecting(data_dir) as collecting, Served(data_dir, GLIMPSE_DRAIN="0") as shown:
        for _ in range(10):
            assert collecting.post(an_event())[0] == 200

        with working(data_dir) as first:
            wait_until(lambda: stored(shown) == 10, what="the worker stores what was collected", timeout_s=20)
            wait_until(lambda: shown.get("/api/v1/live?project=shop")["active"] == 1, what="the window follows")
            with working(data_dir) as second:
                for _ in range(10):
                    assert collecting.post(an_event())[0] == 200
                first.send_signal(signal.SIGKILL)
                first.wait(10)
                wait_until(lambda: stored(shown) == 20, what="the second worker takes over", timeout_s=20)
                ledger = shown.ledger("shop")
                assert (ledger["stored"], ledger["duplicate"], ledger["difference"]) == (20, 0, 0)
                second.terminate()
                assert second.wait(15) == 0


def test_a_letter_is_listed_and_refused_or_played_again_by_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("GLIMPSE_DATA_DIR", str(tmp_path / "data"))
    assert main(["dead-letters", "list"]) == 0
    assert not (tmp_path / "data").exists()  # looking makes no folder
    assert main(["dead-letters", "replay"]) == 2
    assert "--all" in capsys.readouterr().err
    assert main(["dead-letters", "replay", "shop:none"]) == 1
    assert "there is none of that key" in capsys.readouterr().out
