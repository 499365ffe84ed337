"""What a card holds beyond what it shows at first: lines that are asked for, and files, which say what the API says."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from browsing import PHONE, WIDE, Page, chromium
from playwright.sync_api import Locator
from serving import Served, an_event, now_ms
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]
PAGES = 75


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("saves")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as running:
        events = [
            an_event("saves", name, sessionId=f"v{n}", properties={"metric": "LCP", "value": 1000 + n})
            | {"context": {"url": f"https://x.test/{n}", "path": f"/{n}"}}
            for n in range(PAGES)
            for name in ("page_view", "web_vital")
        ]
        assert running.post(events)[0] == 200
        wait_until(lambda: running.ledger("saves")["stored"] == len(events), timeout_s=20, what="all is stored")
        yield running


def saved(page: Page, card: Locator, kind: str) -> Path:
    with page.expect_download() as coming:
        card.get_by_role("button", name=f"Download as {kind}").click()
    assert coming.value.suggested_filename.endswith(f".{kind.lower()}")
    return Path(coming.value.path())


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_table_of_vitals_is_saved_as_the_api_answers_it(served: Served, size: dict[str, int]):
    asked = "vitals?project=saves&since=1h&field=page&top=100"
    answer = sorted(served.get(f"/api/v1/{asked}"), key=lambda row: row["value"])
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=saves&since=1h&view=performance", size)
        card = page.locator(".g-vitals-by .card")
        wait_until(lambda: card.locator("tbody tr").count() == PAGES, what="a line a page")
        rows = pq.read_table(saved(page, card, "Parquet")).to_pylist()
        assert sorted(rows, key=lambda row: row["value"]) == answer
        lines = csv.DictReader(saved(page, card, "CSV").read_text("utf-8").splitlines())
        assert {line["value"]: float(line["percentile"]) for line in lines} == {
            row["value"]: row["percentile"] for row in answer
        }
        assert (watched.errors, watched.strays) == ([], [])


def test_lines_that_do_not_show_at_first_can_be_asked_for(served: Served):
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=saves&since=1h&view=history")
        card = page.locator("section[aria-label=Pages]")
        more = card.get_by_role("button", name="15 more lines")
        more.click()
        wait_until(lambda: card.locator(".line").count() == PAGES, what="all lines")
        assert more.count() == 0
        card.get_by_role("tab", name="Entry", exact=True).click()
        more.wait_for()  # another tab begins as usual
        assert (watched.errors, watched.strays) == ([], [])


def test_another_speed_holds_for_the_wait_that_a_journey_is_in(served: Served):
    began = now_ms() - 600_000
    events = [an_event("played", f"step_{n}", sessionId="v", timestamp=began + 120_000 * n) for n in range(4)]
    assert served.post(events)[0] == 200
    wait_until(lambda: served.ledger("played")["stored"] == len(events), timeout_s=20, what="all is stored")
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=played&since=1h&view=sessions")
        steps, now = page.locator(".g-journey .step"), page.locator(".g-journey .step.now")
        wait_until(lambda: steps.count() == len(events), what="the journey")
        page.get_by_label("Speed").select_option("1")
        page.get_by_role("button", name="Play", exact=True).click()
        wait_until(lambda: "step_0" in now.inner_text(), what="the first step, for two minutes")
        page.get_by_label("Speed").select_option("60")
        wait_until(lambda: "step_1" in now.inner_text(), timeout_s=5, what="the second after two seconds")
        assert (watched.errors, watched.strays) == ([], [])
