"""The tracker in Chromium against a whole Glimpse: what pages made is in the store, each once, whatever happens.

What needs answers that no healthy server gives, or a look at single requests, is in `sdk/tests/browser`.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route
from serving import CHECKOUT, Served
from tracked_pages import Site, Visit, browser, site, wait_for_books
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

SETTLED_MS = 200  # a soft navigation is one after 60 ms
POLICY = {"Content-Security-Policy": "default-src 'none'; script-src 'self' SERVER; connect-src SERVER; img-src data:"}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def chromium(glimpse: Served) -> Iterator[Browser]:
    """Start a browser to which the test's server is the one that `sdk/demo.html` names."""
    with browser(f"--host-resolver-rules=MAP localhost:5006 127.0.0.1:{glimpse.port}") as running:
        yield running


@pytest.fixture(scope="module")
def glimpse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one that commits at once: each test looks into the store."""
    folder = tmp_path_factory.mktemp("tracked")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.05") as running:
        yield running


@pytest.fixture(scope="module")
def pages(glimpse: Served) -> Iterator[Site]:
    strict = {name: value.replace("SERVER", glimpse.url) for name, value in POLICY.items()}
    with site(glimpse, {"/strict": strict}) as running:
        yield running


@pytest.fixture
def visit(chromium: Browser, pages: Site) -> Iterator[Visit]:
    context = chromium.new_context()
    yield Visit(context, pages, f"tracked{next(_numbers)}")
    context.close()


def views(visit: Visit) -> int:
    return visit.stored_names().count("page_view")


# What a page does, and where the visitor is seen after it; nowhere when it is no view.
ROUTES = (
    ("history.pushState({}, '', '/next')", "/next"),
    ("history.pushState({}, '', location.href)", None),
    ("history.pushState({}, '', '?page=2')", "/next"),  # the store keeps no query
    ("history.replaceState({}, '', '/other')", "/other"),
    ("history.replaceState({}, '', location.href)", None),
    ("location.hash = 'part'", None),
    ("history.pushState({}, '', '/a'); setTimeout(() => history.replaceState({}, '', '/b'), 20)", "/b"),
    ("history.go(-1)", "/other"),
)


def test_a_change_of_address_is_a_view_when_the_page_is_another(visit: Visit):
    page = visit.open()
    for step, _ in ROUTES:
        page.evaluate(f"{step}; 0")
        page.wait_for_timeout(SETTLED_MS)
    wait_for_books(visit, visit.made())
    seen = [event["url"] for event in visit.stored() if event["name"] == "page_view"]
    origin = visit.site.url(visit.project, "")
    assert sorted(seen) == sorted([f"{origin}/", *(origin + where for _, where in ROUTES if where)])
    assert visit.stored_names().count("page_leave") == len(seen) - 1


def test_a_change_of_the_hash_is_a_view_where_it_is_asked_for(visit: Visit):
    visit.page.add_init_script("window.more = { hash: true }")
    page = visit.open()
    page.evaluate("location.hash = 'part'")
    wait_until(lambda: page.wait_for_timeout(20) or views(visit) == 2, what="the second view is stored")
    wait_for_books(visit, visit.made())
    assert views(visit) == 2


def test_fifty_calls_are_at_most_three_requests(visit: Visit):
    page = visit.open()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.evaluate("for (let n = 0; n < 50; n++) glimpse.track('many', { n })")
    wait_for_event(visit, page, "many", 50)
    assert len(sent) <= 3
    wait_for_books(visit, visit.made())


def test_a_return_from_the_back_forward_cache_is_a_view(visit: Visit):
    page = visit.open()
    page.evaluate("window.isKept = true")
    visit.open("/next")
    page.evaluate("history.back()")
    wait_until(lambda: page.wait_for_timeout(20) or views(visit) == 3, what="the third view is stored")
    assert page.evaluate("window.isKept")
    wait_for_books(visit, visit.made())
    assert views(visit) == 3


def test_two_tabs_and_two_windows_are_one_session(visit: Visit):
    page = visit.open()
    visit.open("/tab", visit.context.new_page())
    with visit.context.expect_page() as opened:
        page.evaluate("window.open('/window', '', 'width=400,height=300')")
    opened.value.wait_for_load_state()
    opened.value.wait_for_timeout(SETTLED_MS)
    wait_for_books(visit, visit.made())
    assert views(visit) == 3
    assert len({event["session_id"] for event in visit.stored()}) == 1
    assert visit.stored_names().count("session_start") == 1


def test_a_page_of_another_origin_needs_no_preflight(visit: Visit):
    asked: list[str] = []
    cdp = visit.session()
    cdp.send("Network.enable")
    cdp.on("Network.requestWillBeSent", lambda sent: asked.append(f"{sent.get('type')} {sent['request']['method']}"))
    page = visit.open()
    page.evaluate("glimpse.track('bought'); location.href = '/next'")
    page.wait_for_url("**/next")
    page.wait_for_timeout(SETTLED_MS)  # what the next page makes by itself is made now
    wait_for_books(visit, visit.made())
    wait_until(
        lambda: page.wait_for_timeout(20) or "Fetch POST" in asked, what="the browser has told what it asked for"
    )
    assert not [line for line in asked if "Preflight" in line or "OPTIONS" in line]


def test_denied_storage_loses_nothing(visit: Visit):
    visit.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page = visit.open()
    page.evaluate("glimpse.track('still_here')")
    made = page.evaluate("window.made")
    wait_for_books(visit, made)
    assert len({event["session_id"] for event in visit.stored()}) == 1


def test_what_is_tracked_offline_arrives_when_the_network_is_back(visit: Visit):
    page = visit.open()
    visit.context.set_offline(True)
    page.evaluate("glimpse.track('in_the_tunnel', { n: 1 })")
    page.wait_for_timeout(SETTLED_MS)
    page.evaluate("glimpse.track('in_the_tunnel', { n: 2 })")
    visit.context.set_offline(False)
    wait_until(
        lambda: page.wait_for_timeout(20) or visit.stored_names().count("in_the_tunnel") == 2,
        what="both are stored",
    )
    wait_for_books(visit, visit.made())


def test_what_a_tab_had_that_was_closed_offline_arrives_from_the_next_page(visit: Visit):
    page = visit.open()
    visit.context.set_offline(True)
    page.evaluate("glimpse.track('last_words')")
    page.close()
    visit.context.set_offline(False)
    visit.open("/later", visit.context.new_page())
    wait_for_books(visit, visit.made())
    assert {"last_words", "page_leave"} <= set(visit.stored_names())


def answer_instead(page: Page, status: int, times: int, **headers: str) -> list[float]:
    """Answer the next requests in the server's place; return when each came."""
    came: list[float] = []
    named = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"} | headers

    def answer(route: Route) -> None:
        came.append(time.monotonic())
        if len(came) > times:
            route.continue_()
        else:
            route.fulfill(status=status, headers=named)

    page.route("**/event", answer)
    return came


def wait_for_event(visit: Visit, page: Page, name: str, count: int = 1, timeout_s: float = 10) -> None:
    wait_until(
        lambda: page.wait_for_timeout(20) or visit.stored_names().count(name) == count,
        timeout_s=timeout_s,
        what=f"{count} {name} are stored",
    )


@pytest.mark.parametrize(("status", "headers", "at_least_s"), [(429, {}, 0), (503, {"Retry-After": "2"}, 1.9)])
def test_what_an_overloaded_server_refused_comes_again_when_it_may(
    visit: Visit, status: int, headers: dict[str, str], at_least_s: float
):
    page = visit.open()
    came = answer_instead(page, status, 1, **headers)
    page.evaluate("glimpse.track('again')")
    wait_for_event(visit, page, "again")
    assert came[1] - came[0] >= at_least_s
    wait_for_books(visit, visit.made())


def test_a_batch_that_is_too_large_is_halved_until_it_passes(visit: Visit):
    page = visit.open()
    answer_instead(page, 413, 3)
    page.evaluate("for (let n = 0; n < 20; n++) glimpse.track('many', { n })")
    wait_for_event(visit, page, "many", 20)
    wait_for_books(visit, visit.made())


def test_more_than_64_kib_at_once_arrive_though_the_page_goes(visit: Visit):
    page = visit.open()
    page.evaluate(
        "for (let n = 0; n < 65; n++) glimpse.track('large', { text: 'x'.repeat(2000) }); location.href = '/next'"
    )
    wait_for_event(visit, page, "large", 65)
    page.wait_for_timeout(SETTLED_MS)
    wait_for_books(visit, visit.made())


def test_a_strict_content_security_policy_is_enough_for_every_part(visit: Visit):
    refused: list[str] = []
    visit.page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (event) => { console.error(event.blockedURI) });"
        "window.more = { vitals: true, errors: true }"
    )
    visit.page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)
    page = visit.open("/strict")
    page.click("p")
    page.wait_for_timeout(SETTLED_MS)
    page.goto(visit.site.url(visit.project, "/next"))
    wait_for_event(visit, page, "web_vital", 5)
    wait_for_books(visit, visit.made())
    assert refused == []


def test_a_closed_tab_says_how_long_it_was_read(visit: Visit):
    page = visit.open()
    page.evaluate("setTimeout(() => glimpse.track('last_words'))")
    page.close(run_before_unload=True)
    wait_until(lambda: {"last_words", "page_leave"} <= set(visit.stored_names()), what="the leave is stored")
    wait_for_books(visit, visit.made())


def test_what_was_tracked_right_before_the_renderer_is_killed_arrives(visit: Visit, chromium: Browser):
    page = visit.open()
    # Its own timers never run again, as when it crashes.
    made = page.evaluate(
        "() => { window.setTimeout = () => {}; glimpse.track('last_words'); glimpse.track('last_words');"
        " return window.made }"
    )
    processes = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    for process in processes:
        if process["type"] == "renderer":
            os.kill(process["id"], signal.SIGKILL)
    wait_until(lambda: visit.stored_names().count("last_words") == 2, what="both are stored")
    wait_for_books(visit, made)


def test_global_privacy_control_is_silence(visit: Visit):
    said: list[str] = []
    visit.page.on("console", lambda line: said.append(line.text))
    visit.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    visit.page.goto(visit.site.url(visit.project))
    visit.page.evaluate("glimpse.track('unwanted')")
    visit.page.wait_for_timeout(SETTLED_MS)
    assert (visit.made(), visit.stored()) == ([], [])
    assert [line for line in said if "GPC" in line]


def test_stop_gives_the_page_its_history_functions_back(visit: Visit):
    visit.page.add_init_script("window.own = [history.pushState, history.replaceState]")
    page = visit.open()
    assert not page.evaluate("history.pushState === own[0]")
    page.evaluate("glimpse.stop()")
    assert page.evaluate("history.pushState === own[0] && history.replaceState === own[1]")
    page.evaluate("history.pushState({}, '', '/next'); glimpse.track('after')")
    page.wait_for_timeout(SETTLED_MS)
    wait_for_books(visit, visit.made())
    assert views(visit) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "JSON.stringify = JSON.parse = null",
        "Array.from = Array.isArray = null; Array.prototype.toJSON = () => 'mine'; Array = null",
        "window.fetch = () => { throw new Error('mine') }",
    ],
)
def test_a_page_that_overrides_what_the_tracker_stands_on_loses_nothing(visit: Visit, damage: str):
    page = visit.open()
    page.evaluate(f"{damage}; glimpse.track('unbroken')")
    wait_until(lambda: "unbroken" in visit.stored_names(), what="it is stored")
    wait_for_books(visit, visit.made())


def test_a_page_that_is_rendered_ahead_counts_when_it_is_shown(visit: Visit):
    visit.page.add_init_script("Object.defineProperty(document, 'prerendering', { value: true, configurable: true })")
    page = visit.page
    page.goto(visit.site.url(visit.project))
    page.wait_for_timeout(SETTLED_MS)
    assert visit.stored() == []
    page.evaluate("delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))")
    wait_for_event(visit, page, "page_view")
    wait_for_books(visit, visit.made())


def test_the_page_that_shows_each_kind_works_from_disk(chromium: Browser, glimpse: Served):
    page = chromium.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda problem: faults.append(str(problem)))
    page.goto((CHECKOUT / "sdk" / "demo.html").as_uri())
    for name in ("Add to cart", "Sign up", "A new address", "Send"):
        page.get_by_role("button", name=name).click()
        page.wait_for_timeout(SETTLED_MS)
    page.get_by_text("This came into view").scroll_into_view_if_needed()
    expected = {"session_start", "page_view", "add_to_cart", "signup", "page_leave", "form_submit", "end_seen"}
    wait_until(
        lambda: page.wait_for_timeout(20) or {row["name"] for row in glimpse.stored("demo")} == expected,
        what=f"each kind is stored: {expected}",
    )
    page.locator("#watch-list [data-event=end_seen]").wait_for()
    assert faults == []
    page.close()
