"""All of it in the address: what is chosen in a part of a page is there, and a copied one opens the same view."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Page, chromium
from serving import Served, an_event, now_ms
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("addresses")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as running:
        yield running


def wait_for_store(served: Served, project: str) -> None:
    wait_until(lambda: served.ledger(project)["in_buffer"] == 0, timeout_s=20, what="all is in the store")


def search(page: Page) -> str:
    return page.evaluate("location.search")


def test_how_a_card_is_sorted_and_what_is_searched_for_in_it_are_in_the_address(served: Served):
    pages = {"/one": 1, "/two": 2, "/three": 3}  # by sessions; by events it is the other way round
    events = [
        an_event("sorted", sessionId=f"{path} {visitor}", context={"url": f"https://x.test{path}", "path": path})
        for path, visitors in pages.items()
        for visitor in range(visitors)
        for _ in range(12 // visitors**2)
    ]
    assert served.post(events)[0] == 200
    wait_for_store(served, "sorted")
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=sorted&since=1h&view=history")
        card = page.locator("section[aria-label=Pages]")
        names = card.locator(".name")
        wait_until(lambda: names.all_inner_texts() == ["/one", "/two", "/three"], what="by page views")
        card.get_by_role("button", name="Sessions").click()
        card.get_by_role("searchbox").fill("t")
        wait_until(lambda: "pages_by=sessions" in search(page) and "pages_find=t" in search(page), what="the address")
        page.get_by_role("button", name="Sessions", exact=True).first.click()
        page.get_by_role("searchbox", name="Search these sessions").fill("/three")
        wait_until(lambda: "sessions_find=%2Fthree" in search(page), what="the other search in the address")
        again = watched.open(page.url)
        rows = again.locator(".g-sessions .row:visible")
        wait_until(lambda: rows.count() == 3, what="the sessions that fit")
        again.get_by_role("button", name="History", exact=True).click()
        wait_until(
            lambda: again.locator("section[aria-label=Pages] .name").all_inner_texts() == ["/three", "/two"],
            what="the card as it was",
        )
        again.get_by_role("tab", name="Entry", exact=True).click()
        wait_until(lambda: "pages_by" not in search(again), what="a tab is sorted as usual")
        assert (watched.errors, watched.strays) == ([], [])


def test_what_is_chosen_on_explore_is_in_the_address_and_a_copied_one_opens_it(served: Served):
    context = {"url": "https://x.test/a", "path": "/a", "timezone": "Europe/Vienna"}
    events = [
        an_event("chosen", name, sessionId=f"v{n}", timestamp=now_ms() - 5000 + n, context=context)
        for n, name in enumerate(("page_view", "buy", "page_view", "look"))
    ]
    assert served.post(events)[0] == 200
    wait_for_store(served, "chosen")
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=chosen&since=1h&view=explore")
        page.get_by_label("Add a step").fill("look")
        page.keyboard.press("Enter")
        wait_until(lambda: "step=look" in search(page), what="the step")
        page.get_by_label("How long it may take").select_option("300")
        page.get_by_role("tab", name="Country", exact=True).click()
        page.locator(".g-event-series .select").select_option(label="Country")
        column = page.get_by_label("Column 2: a segment or a filter; everything, if empty")
        column.fill('name = "buy"')
        column.press("Enter")
        for said in ("within=300", "retention=Country", "by=country", "beside=name"):
            wait_until(lambda said=said: said in search(page), what=f"{said} in {search(page)}")
        again = watched.open(page.url)
        wait_until(
            lambda: again.locator(".g-funnel .step").count() == page.locator(".g-funnel .step").count(), what="steps"
        )
        assert again.get_by_label("How long it may take").input_value() == "300"
        assert again.get_by_role("tab", name="Country", exact=True).get_attribute("aria-selected") == "true"
        wait_until(
            lambda: (
                again.locator(".g-event-series .select").evaluate("one => one.selectedOptions[0]?.text") == "Country"
            ),
            what="told apart by country",
        )
        other = again.get_by_label("Column 2: a segment or a filter; everything, if empty")
        wait_until(lambda: other.input_value() == 'name = "buy"', what="the column")
        assert search(again) == search(page)
        assert (watched.errors, watched.strays) == ([], [])
