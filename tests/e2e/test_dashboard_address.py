"""All of it in the address: what is chosen in a part of a page is there, and a copied one opens the same view."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import Page, chromium, names_in_feed
from serving import Served, an_event, now_ms
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]
WORLD_M = 40_075_016.7
# How wide what the map shows is, and where its middle lies, metres.
SPAN_M = """() => {
  const all = (window.Bokeh?.documents ?? []).flatMap((doc) => [...doc._all_models.values()])
  for (const {type, toolbar, x_range, y_range} of all)
    if (type === "Figure" && toolbar.tools.length > 3)
      return [x_range.end - x_range.start, (x_range.start + x_range.end) / 2, (y_range.start + y_range.end) / 2]
  return [0, 0, 0]
}"""


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


def test_where_the_map_is_looked_at_and_what_the_feed_shows_are_in_the_address(served: Served):
    context = {"url": "https://x.test/a", "path": "/a", "timezone": "Europe/Vienna"}
    assert served.post([an_event("looked", name, sessionId="v", context=context) for name in ("buy", "look")])[0] == 200
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=looked")
        wait_until(lambda: sorted(names_in_feed(page)) == ["buy", "look"], what="the feed")
        wait_until(lambda: page.evaluate(SPAN_M)[0] > 3e7, what="the whole world")
        assert "map=" not in search(page)
        page.get_by_label("Type of event").select_option("buy")
        page.get_by_label("Search the feed").fill("Vienna")
        page.mouse.move(600, 420)
        for _ in range(4):
            page.mouse.wheel(0, -300)
        wait_until(lambda: "map=" in search(page) and "feed=buy&feed_find=Vienna" in search(page), what=page.url)
        wait_until(lambda: seen_as_said(page), what=f"{page.url} of {page.evaluate(SPAN_M)}")
        again = watched.open(page.url)
        wait_until(lambda: seen_as_said(again), what="the same part of the world")
        for now, then in zip(again.evaluate(SPAN_M), page.evaluate(SPAN_M), strict=True):
            assert now == pytest.approx(then, rel=0.01, abs=100)
        shown = again.locator(".g-feed li.row:visible")
        wait_until(lambda: shown.count() == 1, what="the row that fits")
        assert again.get_by_label("Search the feed").input_value() == "Vienna"
        assert again.get_by_label("Type of event").input_value() == "buy"
        assert search(again) == search(page)
        again.get_by_title("Whole world").click()
        wait_until(lambda: "map=" not in search(again), what="the whole world goes without saying")
        again.get_by_label("Search the feed").fill("")
        again.get_by_label("Type of event").select_option("")
        wait_until(lambda: "feed" not in search(again), what="nothing of the feed")
        for nonsense in ("1,2", "91,0,3", "0,0,99", "x"):
            other = watched.open(f"{served.url}/glimpse_app?project=looked&map={nonsense}")
            wait_until(lambda other=other: other.evaluate(SPAN_M)[0] > 3e7, what=f"the world for {nonsense}")
            other.context.close()
        assert (watched.errors, watched.strays) == ([], [])


def seen_as_said(page: Page) -> bool:
    """Whether what is said of the map is what it shows, and it is near."""
    said = re.search(r"map=([0-9.-]+)%2C([0-9.-]+)%2C([0-9.-]+)", search(page))
    shown = page.evaluate(SPAN_M)
    return bool(said and shown and shown[0] < 2e7 and abs(float(said[2]) - shown[1] * 360 / WORLD_M) < 0.01)


def test_a_time_back_from_now_that_is_none_of_the_usual_is_called_by_its_length(served: Served):
    assert served.post([an_event("back")])[0] == 200
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=back&view=explore&since=6h")
        own = page.get_by_role("button", name="The last 6 h: choose another span")
        own.wait_for()
        assert own.get_attribute("aria-pressed") == "true"
        assert not page.get_by_label("From", exact=True).is_visible()
        own.click()
        page.get_by_label("From", exact=True).fill("2026-01-02T03:04")
        page.get_by_role("button", name="Show", exact=True).click()
        wait_until(lambda: "since=2026-01-02T03%3A04" in search(page), what="the span")
        page.get_by_role("button", name="Custom", exact=True).wait_for()
        top, zone = (page.get_by_label(name, exact=True).bounding_box() for name in ("From", "Time zone"))
        assert top
        assert zone
        assert abs(top["y"] - zone["y"]) < 4  # all in one row
        assert (watched.errors, watched.strays) == ([], [])
