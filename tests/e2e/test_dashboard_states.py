"""What the pages say while the store is slow, away and back: the one of two processes that keeps it is hurt."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, WIDE, Page, chromium, tile
from serving import Served, an_event, running
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]
AWAY = "No process keeps the store at the moment"
WORK = [str(Path(sys.executable).with_name("glimpse")), "work"]
CARDS = {
    "history": "section[aria-label=Pages]",
    "sessions": ".g-sessions .card",
    "explore": ".g-funnel .card",
    "performance": ".g-vitals .card",
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_DRAIN="0") as running_:
        yield running_


def working(served: Served, log: Path):
    """Run the process that drains and keeps the store."""
    return running(WORK, log, GLIMPSE_DATA_DIR=str(served.data_dir), GLIMPSE_FLUSH_INTERVAL_S="0.2")


def store_three(served: Served, log: Path) -> None:
    """Have three sessions stored."""
    wait_until(lambda: served.ask("GET", "/health/ready")[0] == 200, timeout_s=20, what="the store")
    assert served.post([an_event("shop", sessionId=f"v{number}") for number in range(3)])[0] == 200
    wait_until(lambda: served.ledger("shop")["stored"] == 3, timeout_s=20, what=log.read_text())


def phase(page: Page, card: str) -> str | None:
    return page.locator(card).first.get_attribute("data-phase")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_store_that_is_slow_or_away_is_told_on_each_page_and_asked_again(
    served: Served, tmp_path: Path, size: dict[str, int]
):
    log = tmp_path / "work.log"
    with chromium() as watched:
        with working(served, log) as worker:
            store_three(served, log)
            page = watched.open(f"{served.url}/glimpse_app?project=shop&view=history&since=1h", size)
            wait_until(lambda: phase(page, CARDS["history"]) == "ready", timeout_s=30, what="history")
            os.kill(worker.pid, signal.SIGSTOP)
            page.get_by_role("button", name="24 h").click()
            wait_until(lambda: phase(page, CARDS["history"]) == "loading", what="that it is busy")
            assert page.locator("section[aria-label=Pages] .line").count() == 1  # what was there stays
        for view, card in CARDS.items():
            page.goto(f"{served.url}/glimpse_app?project=shop&since=1h&view={view}")
            wait_until(lambda card=card: phase(page, card) == "failed", timeout_s=30, what=f"why not on {view}")
            assert AWAY in page.locator(card).first.inner_text()
            if view == "explore":
                beside = page.locator(".g-side-by-side .card")
                wait_until(lambda beside=beside: AWAY in beside.inner_text(), what="why no columns")
                whole, said = (one.bounding_box() for one in (beside, beside.locator(".empty")))
                assert whole
                assert said
                assert said["y"] + said["height"] / 2 < whole["y"] + 200  # the card is higher than the screen
            assert "Errno" not in page.locator("body").inner_text()
        page.goto(f"{served.url}/glimpse_app?project=shop&since=24h")
        page.get_by_text(AWAY).last.wait_for()
        assert not page.get_by_text("Nothing yet").first.is_visible()  # it is not known
        assert not page.get_by_text("No session in this span").is_visible()
        history = watched.open(f"{served.url}/glimpse_app?project=shop&since=1h&view=history", size)
        wait_until(lambda: phase(history, CARDS["history"]) == "failed", what="why not")
        with working(served, log):
            wait_until(lambda: tile(page, "Sessions") == "3", timeout_s=30, what="the span, asked for by itself")
            history.locator(CARDS["history"]).get_by_role("button", name="Try again").press("Enter")
            wait_until(lambda: phase(history, CARDS["history"]) == "ready", timeout_s=20, what="the answer")
        assert watched.errors == []
