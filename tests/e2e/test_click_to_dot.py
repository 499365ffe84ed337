"""From a real browser's click to a dot on the live maps of two others."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from browsing import FIND_SOURCE, Page, Watched, chromium, names_in_feed, places_on_map, tile, wait_for_map
from serving import Served, now_ms
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

CLICKS = 50
SIGNS_OF_LIFE = {"heartbeat", "page_hidden", "page_visible"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("e2e") / "data", GLIMPSE_ALLOW_HEADLESS="1") as running:
        yield running


def dashboard(watched: Watched, served: Served) -> Page:
    page = watched.open(f"{served.url}/glimpse_app?project=demo")
    wait_for_map(page)
    return page


def both(pages: list[Page], see: str) -> None:
    for page in pages:
        wait_until(lambda page=page: page.wait_for_timeout(20) or see in names_in_feed(page), what=f"{see} in the feed")


def test_a_visit_a_route_a_click_and_a_view_show_on_both_dashboards_and_all_counts_agree(served: Served):
    with chromium() as watched:
        dashboards = [dashboard(watched, served) for _ in range(2)]
        shop = watched.open(f"{served.url}/demo")
        both(dashboards, "page_view")
        shop.locator("[data-test=product-drift-kettle]").first.click()
        both(dashboards, "page_leave")
        shop.locator("[data-test=product] [data-test=add-drift-kettle]").click()
        both(dashboards, "add_to_cart")
        shop.go_back()
        shop.locator("[data-test=promo]").scroll_into_view_if_needed()
        both(dashboards, "promo_viewed")
        for page in dashboards:
            assert places_on_map(page) == ["Vienna"]
        counts_agree(served, dashboards)
        assert (watched.errors, watched.strays) == ([], [])


def counts_agree(served: Served, dashboards: list[Page]) -> None:
    ledger = wait_until(
        lambda: (book := served.ledger("demo"))["in_buffer"] == 0 and book, timeout_s=15, what="all is in the store"
    )
    stored, live = served.stored("demo"), served.get("/api/v1/live?project=demo")
    views = sum(row["name"] == "page_view" for row in stored)
    assert ledger["difference"] == 0
    assert sum(minute["events"] for minute in live["per_minute"]) == len(stored)
    assert sum(minute["page_views"] for minute in live["per_minute"]) == views == 3
    assert ledger["stored"] >= len(stored)
    assert live["active"] + live["idle"] == len({row["session_id"] for row in stored}) == 1
    for page in dashboards:
        wait_until(lambda page=page: page.wait_for_timeout(20) or tile(page, "Page views") == str(views), what="views")
        assert (tile(page, "Active sessions"), tile(page, "Sessions")) == ("1", "1")


def test_the_time_from_click_to_dot(served: Served, capsys: pytest.CaptureFixture[str]):
    with chromium() as watched:
        dashboards = [dashboard(watched, served) for _ in range(2)]
        shop = watched.open(f"{served.url}/demo")
        both(dashboards, "page_view")
        shop.evaluate("addEventListener('click', () => { window.clicked_at = Date.now() }, true)")
        took = [_click_to_dot(shop, dashboards[i % 2]) for i in range(CLICKS)]
        assert (watched.errors, watched.strays) == ([], [])
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    with capsys.disabled():
        print(f"\nclick to dot, {CLICKS} clicks, two dashboards open: p50 {p50:.0f} ms, p95 {p95:.0f} ms")


def _click_to_dot(shop: Page, page: Page) -> float:
    """Return the ms from a click to the frame after the map's columns have what came in."""
    page.wait_for_timeout(400)  # let both dashboards have the click before this one
    page.evaluate(f"""() => {{
        const pulse = ({FIND_SOURCE})("pulse")
        window.dot_at = new Promise(done => {{
            const look = () => {{
                if (!(pulse.data.packed[1] > 0)) return
                pulse.properties.data.change.disconnect(look)
                requestAnimationFrame(() => done(Date.now()))
            }}
            pulse.properties.data.change.connect(look)
        }})
    }}""")
    shop.locator("[data-test=add-drift-kettle]").first.click()
    return page.evaluate("() => window.dot_at") - shop.evaluate("() => window.clicked_at")


def test_a_bot_and_a_bad_event_leave_no_dot_but_stand_in_the_ledger(served: Served):
    before = served.ledger("other")
    status, headers, _ = served.ask(
        "POST",
        "/event",
        b'{"projectId":"other","event":"page_view","timestamp":' + str(now_ms()).encode() + b"}",
        User_Agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    )
    assert (status, headers["x-glimpse-dropped"]) == (200, "bot")
    assert served.post({"projectId": "other", "event": 7, "timestamp": now_ms()})[0] == 400
    after = served.ledger("other")
    assert before["received"] == 0
    assert (after["dropped"], sum(after["rejected"].values()), after["accepted"]) == ({"bot": 1}, 1, 0)
    assert served.stored("other") == []


def test_an_empty_dashboard_shows_the_tag_to_copy_with_the_address_that_a_setting_tells(
    served: Served, hidden_glimpse: Served
):
    def shown(watched: Watched, glimpse: Served) -> str:
        code = watched.open(f"{glimpse.url}/glimpse_app?project=nothing-yet").locator(".g-start code")
        code.wait_for()
        return code.inner_text()

    with chromium() as watched:
        for glimpse, where in (
            (served, served.url),
            (hidden_glimpse, hidden_glimpse.environment["GLIMPSE_PUBLIC_URL"]),
        ):
            tag = f'<script defer src="{where}/sdk/glimpse.js" data-project="nothing-yet"></script>'
            assert shown(watched, glimpse) == tag
        assert watched.errors == []


def test_a_hostile_name_is_shown_as_text_and_runs_nothing(served: Served):
    payload = "<img src=x onerror='window.fired=1'>"
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?project=hostile")
        wait_for_map(page)
        event = {"projectId": "hostile", "event": payload, "timestamp": now_ms()}
        context = {"url": f"http://x.test/{payload}", "path": payload, "title": payload, "timezone": "Europe/Vienna"}
        context["referrer"] = f"https://ref.test/{payload}"
        view = event | {"event": "page_view", "context": context}
        assert served.post([event | {"context": context}, view])[0] == 200
        both([page], payload)
        page.wait_for_timeout(500)
        assert page.evaluate("() => window.fired") is None
        page.evaluate("html => { document.createElement('div').innerHTML = html }", payload)
        page.wait_for_function("() => window.fired === 1")  # the control: had it been markup, it would have run
