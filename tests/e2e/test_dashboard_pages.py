"""The dashboard's pages on a whole Glimpse: their numbers are the API's, and what events say is never markup there."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from browsing import PHONE, Page, Watched, chromium, tile, wait_for_map
from playwright.sync_api import Locator
from serving import Served, an_event, now_ms
from waiting import wait_until
from walking import moving, nameless, walk

pytestmark = [pytest.mark.server, pytest.mark.browser]
PAYLOAD = "<img src=x onerror='window.fired=1'>"
FILTERS = 2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("pages")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as running:
        yield running


def open_page(watched: Watched, served: Served, query: str) -> Page:
    page = watched.open(f"{served.url}/glimpse_app?{query}")
    wait_for_map(page)
    return page


def wait_for_store(served: Served, project: str) -> None:
    wait_until(lambda: served.ledger(project)["in_buffer"] == 0, timeout_s=20, what="all is in the store")


def lines_of(page: Page, card: str) -> dict[str, str]:
    """Return name and count of each line of a card."""
    lines = page.locator(f"{card} .line").all()
    return {line.locator(".name").inner_text(): line.locator(".n").inner_text() for line in lines}


def visits(r: random.Random) -> list[dict[str, Any]]:
    """Return events of some visitors, with pages and names to filter by."""
    zones = ["Europe/Vienna", "Asia/Tokyo", "America/New_York"]
    events = []
    for n in range(12):
        zone, session = r.choice(zones), f"visitor {n}"
        for _ in range(r.randrange(1, 5)):
            name, path = r.choice(["page_view", "page_view", "purchase"]), r.choice(["/a", "/b", "/b/c"])
            context = {"url": f"https://shop.test{path}", "path": path, "timezone": zone}
            events.append(an_event("shop", name, sessionId=session, timestamp=now_ms() - n, context=context))
    return events


def a_filter(r: random.Random) -> str:
    one = ['country = "AT"', 'country != "JP"', 'page starts with "/b"', 'name = "purchase"', '"/B/C"']
    kept, other = r.sample(one, 2)
    return r.choice([kept, f"{kept} and {other}", f"({kept} or {other})"])


def test_every_number_on_the_pages_is_the_apis_whatever_the_filter(served: Served):
    r = random.Random(11)
    assert served.post(visits(r))[0] == 200
    wait_for_store(served, "shop")
    with chromium() as watched:
        for where in [a_filter(r) for _ in range(FILTERS)]:
            compare(watched, served, where)
        assert (watched.errors, watched.strays) == ([], [])


def compare(watched: Watched, served: Served, where: str) -> None:
    """See that the live page, history and sessions show what the API answers for a filter."""
    asked = f"project=shop&since=1h&where={quote(where)}"
    rows, listed = served.get(f"/api/v1/events?{asked}&limit=10000"), served.get(f"/api/v1/sessions?{asked}")
    views = Counter(row["page"] for row in rows if row["name"] == "page_view")
    sessions, pages = len({row["session_id"] for row in rows}), {name: str(n) for name, n in views.items()}
    page = open_page(watched, served, asked)
    wait_until(lambda: tile(page, "Page views") == str(views.total()), what=f"page views where {where}")
    assert tile(page, "Sessions") == str(sessions), where
    assert lines_of(page, ".g-top-pages") == pages, where
    page.get_by_role("button", name="History").click()
    wait_until(lambda: total(page, "events") == str(len(rows)), what=f"events where {where}")
    assert (total(page, "sessions"), total(page, "page_views")) == (str(sessions), str(views.total())), where
    card = "section[aria-label=Pages]"
    wait_until(
        lambda: {k: n for k, n in lines_of(page, card).items() if n != "0"} == pages, what=f"pages where {where}"
    )
    page.get_by_role("button", name="Sessions", exact=True).first.click()
    wait_until(lambda: page.locator(".g-sessions .row").count() == len(listed), what=f"sessions where {where}")
    page.context.close()


def total(page: Page, name: str) -> str:
    return page.locator(f'[data-total="{name}"]').inner_text()


def opened(details: Locator) -> str:
    """Return what stands in a part that opens; a click is lost when the part is just being written anew."""
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    return details.locator("dl").inner_text()


def test_what_an_event_says_is_text_on_each_page_and_runs_nothing(served: Served):
    context = {"url": f"http://x.test/{PAYLOAD}", "path": PAYLOAD, "title": PAYLOAD, "timezone": "Europe/Vienna"}
    context |= {"referrer": f"https://ref.test/{PAYLOAD}", "language": PAYLOAD, "utm": {"source": PAYLOAD}}
    more: dict[str, Any] = {"context": context, "properties": {PAYLOAD: PAYLOAD, "plan": PAYLOAD}, "sessionId": PAYLOAD}
    said = {"metric": "LCP", "value": 4001, "message": PAYLOAD, "source": PAYLOAD}
    events = [an_event("hostile", name, **more) for name in (PAYLOAD, "page_view")]
    events += [an_event("hostile", name, **more | {"properties": said}) for name in ("web_vital", "js_error")]
    events += [an_event("hostile", "page_view", **more | {"context": context | {"path": f"/b{PAYLOAD}"}})]
    assert served.post(events)[0] == 200
    wait_for_store(served, "hostile")
    where = quote(f'"{PAYLOAD}"')
    with chromium() as watched:
        page = open_page(watched, served, f"project=hostile&view=history&where={where}")
        assert PAYLOAD in page.locator(".g-filter .chip").inner_text()
        wait_until(
            lambda: page.locator(".g-breakdown .name").filter(has_text="onerror").count() >= 3, what="breakdowns"
        )
        for tab in ("plan", "Entry", "Referrer", "Language"):
            page.get_by_role("tab", name=tab, exact=True).click()
        wait_until(
            lambda: page.locator(".g-breakdown .name").filter(has_text="onerror").count() >= 4, what="properties"
        )
        page.get_by_role("button", name="Sessions", exact=True).first.click()
        page.locator(".g-sessions .row").first.click()
        wait_until(lambda: PAYLOAD in page.locator(".g-journey .list").inner_text(), what="the journey")
        wait_until(lambda: PAYLOAD in opened(page.locator(".g-journey details").first), what="its properties")
        page.get_by_role("button", name="Performance", exact=True).click()
        wait_until(lambda: lines_of(page, ".g-breakdown:visible") == {PAYLOAD: "1"}, what="the error")
        wait_until(lambda: page.locator(".g-vitals-by .who").all_inner_texts() == [PAYLOAD], what="the slow page")
        assert page.locator(".g-vitals [data-metric=LCP]").get_attribute("data-band") == "poor"
        page.get_by_role("button", name="Explore", exact=True).click()
        wait_until(
            lambda: page.locator(".g-event-series .entry").filter(has_text="onerror").count() == 1, what="events"
        )
        page.locator(".g-event-series .select").select_option(label=PAYLOAD)
        wait_until(lambda: PAYLOAD in page.locator(".g-event-series .legend").inner_text(), what="a property's values")
        wait_until(lambda: page.locator(".g-paths .name").filter(has_text="onerror").count() == 2, what="the paths")
        page.locator(".g-paths .node").first.click()
        wait_until(lambda: page.locator(".g-paths .hint").filter(has_text="onerror").count() == 1, what="one page")
        wait_until(lambda: "path=" in search(page) and "by=properties" in search(page), what="both in the address")
        wait_until(
            lambda: PAYLOAD in [one.input_value() for one in page.locator(".g-funnel .step .field").all()], what="steps"
        )
        assert page.evaluate("() => window.fired") is None
        page.evaluate("html => { document.createElement('div').innerHTML = html }", PAYLOAD)
        page.wait_for_function("() => window.fired === 1")  # the control: had it been markup, it would have run


def test_a_visit_has_one_source_whichever_pages_it_went_on_to(served: Served):
    ways = {"https://www.google.com/": "google", "https://t.co/x": "x", "": "Direct"}
    events = [
        an_event("ways", "page_view", sessionId=f"by {referrer}", timestamp=now_ms() - 9000 + n)
        | {"context": {"url": f"https://x.test{path}", "path": path, "referrer": led}}
        for referrer in ways
        for n, (path, led) in enumerate((("/", referrer), ("/next", "https://x.test/")))
    ]
    assert served.post(events)[0] == 200
    wait_for_store(served, "ways")
    sources, chip = "section[aria-label=Sources]", ".g-filter .chip"
    with chromium() as watched:
        page = open_page(watched, served, "project=ways&view=history&since=1h")
        wait_until(lambda: lines_of(page, sources) == dict.fromkeys(ways.values(), "1"), what="a source of each visit")
        page.locator(f"{sources} .line").filter(has_text="google").click()
        wait_until(lambda: "Source" in page.locator(chip).inner_text(), what="the chip")
        wait_until(lambda: total(page, "page_views") == "2", what="all pages of who came from there")


# What is on each page when it stands, and how many charts it has, each also a table.
SHOWN: dict[str, tuple[str, int]] = {
    "Live": (".g-feed li.row", 2),
    "History": (".g-breakdown .line", 1),
    "Sessions": (".g-journey .step", 0),
    "Explore": (".g-paths .node", 4),
    "Performance": (".g-vitals-series .point", 1),
    "Projects": (".g-page-projects .row", 0),
    "Operations": (".g-page-operations tbody tr", 0),
}


def test_each_page_is_walked_with_the_keyboard_alone_and_all_that_can_be_used_or_seen_has_a_name(served: Served):
    session = "0190c0de-0000-7000-8000-000000000001"
    said = {"metric": "LCP", "value": 2600, "message": "it broke", "source": "a.js"}
    names = ("page_view", "page_view", "buy", "web_vital", "js_error")
    events = [
        an_event("walk", name, sessionId=session, properties=said, timestamp=now_ms() - 9000 + 1000 * n)
        | {"context": {"url": f"https://x.test/{n}", "path": f"/{n}", "timezone": "Europe/Vienna"}}
        for n, name in enumerate(names)
    ]
    assert served.post(events)[0] == 200
    wait_for_store(served, "walk")
    with chromium() as watched:
        chosen = f"project=walk&since=1h&goal=buy&session=walk/{session}"
        page = watched.open(f"{served.url}/glimpse_app?{chosen}", reduced_motion="reduce")
        for view, (shown, charts) in SHOWN.items():
            page.get_by_role("navigation").get_by_role("button", name=view).focus()
            page.keyboard.press("Enter")
            page.locator(shown).first.wait_for()
            assert page.title() == f"{view} · Glimpse"
            see_all(page, view)
            see_tables(page, charts)
        see_keys(page)
        wall = watched.open(f"{served.url}/glimpse_app?project=walk&kiosk=1", reduced_motion="reduce")
        wait_for_map(wall)
        see_all(wall, "a wall")
        assert "Held" in wall.get_by_role("status").all_inner_texts()[-1]
        wall.keyboard.press("ArrowRight")
        wall.locator(".g-wall-lists").wait_for()
        assert (watched.errors, watched.strays) == ([], [])


def search(page: Page) -> str:
    return page.evaluate("location.search")


def see_keys(page: Page) -> None:
    """See that arrows, Enter and Escape do in a tab list, a list of rows, a field and a menu what people expect."""
    page.get_by_role("button", name="History").press("Enter")
    page.get_by_role("tab", name="Top", exact=True).press("ArrowRight")
    wait_until(lambda: "pages=Entry" in search(page), what="the tab in the address")
    assert page.get_by_role("tab", name="Entry", exact=True).evaluate("tab => tab.matches(':focus')")
    page.keyboard.press("Home")
    wait_until(lambda: "pages=" not in search(page), what="the first tab again")
    names = page.get_by_role("list", name="Events; arrow keys go through them")
    names.press("ArrowDown")
    page.keyboard.press("Enter")
    chip = page.locator(".g-filter .chip .text")
    chip.wait_for()
    chip.press("Enter")
    page.keyboard.press("Escape")
    assert chip.evaluate("chip => chip.matches(':focus')")
    page.get_by_role("button", name="Segments").press("Enter")
    page.locator(".g-segments .menu").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Segments").evaluate("opener => opener.matches(':focus')")


def see_all(page: Page, view: str) -> None:
    """Look for what has no name, once all stands, and walk the page."""
    wait_until(lambda: nameless(page) == [], what=f"names of all on {view}: {nameless(page)}")
    assert (view, walk(page)) == (view, [])
    assert (view, moving(page)) == (view, [])


def see_tables(page: Page, charts: int) -> None:
    """Open the table of each chart with the keyboard, and put the chart back."""
    for n in range(charts):
        switch = page.locator(".to-table:visible").nth(n)
        switch.focus()
        page.keyboard.press("Enter")
        page.locator(".as-table:visible tbody tr").first.wait_for()
        page.keyboard.press("Enter")
        wait_until(lambda: page.locator(".as-table:visible").count() == 0, what="the chart again")
    assert page.locator(".to-table:visible").count() == charts


def test_what_is_filtered_is_saved_and_a_copied_address_opens_it_again(served: Served):
    zones = ["Europe/Vienna"] * 3 + ["Asia/Tokyo"]
    events = [
        an_event("saved", name, sessionId=f"v{n}", context={"url": "https://x.test/a", "path": "/a", "timezone": zone})
        for n, zone in enumerate(zones)
        for name in ("page_view", *(["buy"] if n == 0 else []))
    ]
    assert served.post(events)[0] == 200
    wait_for_store(served, "saved")
    with chromium() as watched:
        austrian = quote('country = "AT"')
        page = open_page(watched, served, f"project=saved&since=1h&where={austrian}")
        page.get_by_role("button", name="Segments").click()
        page.get_by_label("Name of the segment to save").fill(PAYLOAD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name=f"Remove the segment {PAYLOAD}").wait_for()
        wait_until(lambda: "segment=" in search(page) and "where=" not in search(page), what="the address")
        wait_until(lambda: tile(page, "Sessions") == "3", what="the live page through it")
        again = watched.open(page.url.replace("project=", "view=history&goal=buy&project="))
        wait_until(lambda: total(again, "sessions") == "3", what="history through it")
        card = again.locator("section[aria-label=Pages]")
        wait_until(lambda: card.locator(".rate").all_inner_texts() == ["33%"], what="how many reach the goal")
        again.get_by_role("button", name="Explore", exact=True).click()
        kind = again.locator(".g-side-by-side .kind").nth(1)
        wait_until(lambda: again.locator(".g-side-by-side .column").count() == 2, what="two columns")
        wait_until(lambda: kind.inner_text() == 'segment · country = "AT"', what="what the segment stands for")
        rates = again.locator(".g-side-by-side [data-measure=conversion] .value")
        wait_until(lambda: rates.all_inner_texts() == ["33.3%", "33.3%"], what="conversion in both columns")
        wait_until(lambda: again.locator(".g-event-series .entry").count() == 2, what="events over time")
        assert [one.evaluate("() => window.fired") for one in (page, again)] == [None, None]
        assert (watched.errors, watched.strays) == ([], [])


def test_an_address_with_a_segment_that_there_is_not_says_so_and_shows_everything(served: Served):
    assert served.post([an_event("unsaved", sessionId=f"s{number}") for number in range(4)])[0] == 200
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=unsaved&segment=nobody's")
        page.get_by_text("There is no segment “nobody's” here").wait_for()
        wait_until(lambda: tile(page, "Sessions") == "4", what="all that there is")
        assert (watched.errors, watched.strays) == ([], [])


def test_on_a_phone_the_ledger_shows_that_it_goes_on(served: Served):
    assert served.post([an_event("ledger")])[0] == 200
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=ledger&view=operations", PHONE)
        ledger = page.get_by_role("region", name="Ledger by project")
        wait_until(lambda: ledger.get_attribute("data-goes_on") == "true", what="that there is more")
        ledger.evaluate("box => { box.scrollLeft = box.scrollWidth }")
        wait_until(lambda: ledger.get_attribute("data-goes_on") == "false", what="its end")
        assert (watched.errors, watched.strays) == ([], [])


def test_on_a_phone_who_is_here_now_is_told_in_full_and_a_walls_bars_have_their_height(served: Served):
    context = {"url": "https://x.test/a", "path": "/a", "timezone": "Europe/Vienna", "referrer": "https://google.com/"}
    assert served.post([an_event("small", context=context, sessionId="v")])[0] == 200
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=small", PHONE)
        row = page.locator(".g-here .row").first
        for kind, said in {"place": "Vienna", "page": "/a", "source": "google", "device": "Chrome"}.items():
            wait_until(lambda kind=kind, said=said: said in row.locator(f".{kind}").inner_text(), what=kind)
            assert row.locator(f".{kind}").is_visible()
        wall = watched.open(f"{served.url}/glimpse_app?project=small&kiosk=1", PHONE)
        wait_for_map(wall)
        wait_until(lambda: (wall.locator(".g-timeline").bounding_box() or {"height": 0})["height"] > 200, what="bars")
        assert (watched.errors, watched.strays) == ([], [])
