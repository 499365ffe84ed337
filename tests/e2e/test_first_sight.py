"""What the live page shows before its parts are there, in Chromium: nothing of it moves when they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import PHONE, WIDE, Page, Watched, chromium, wait_for_map
from playwright.sync_api import Route
from serving import Served, an_event

pytestmark = [pytest.mark.server, pytest.mark.browser]
BETWEEN, NARROW = {"width": 1200, "height": 800}, {"width": 600, "height": 900}
# Where each tile and each part is, and what stands in the tiles.
SEEN = """() => {
  const seen = {}
  const look = (root) => {
    for (const el of root.querySelectorAll("*")) {
      const name = el.dataset?.metric ?? [...el.classList].find((name) => PARTS.includes(name))
      const {x, y, width, height} = el.getBoundingClientRect()
      if (name && width) seen[name] = [x, y, width, height].map(Math.round)
      if (el.shadowRoot) look(el.shadowRoot)
    }
  }
  look(document)
  return seen
}""".replace("PARTS", '["g-map", "g-timeline", "g-feed", "g-top-pages", "g-top-countries", "g-here"]')


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("sight") / "data", GLIMPSE_ALLOW_HEADLESS="1") as running:
        running.ask("GET", "/glimpse_app")  # the first page is made before its head can be kept
        for project, visitors in (("shop", 7), ("empty", 0)):
            for n in range(visitors):
                assert running.post(an_event(project, sessionId=f"visitor {n}"))[0] == 200
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Watched]:
    with chromium() as watched:
        yield watched
        assert (watched.errors, watched.strays) == ([], [])


class Held:
    """A page whose scripts do not come until they are let through."""

    def __init__(self, browser: Watched, url: str, size: dict[str, int] = WIDE, **options: Any) -> None:
        self._waiting: list[Route] = []
        self._is_open = False
        self.page = browser.open("about:blank", size, **options)
        self.page.route("**/static/**", self._take)
        self.page.goto(url, wait_until="commit")

    def _take(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self._waiting.append(route)

    def let_through(self) -> Page:
        self._is_open = True
        for route in self._waiting:
            route.continue_()
        wait_for_map(self.page)
        self.page.wait_for_function("() => !document.getElementById('sight')")
        return self.page


@pytest.mark.parametrize("size", [WIDE, BETWEEN, NARROW, PHONE], ids=["wide", "between", "narrow", "phone"])
def test_numbers_stand_there_before_any_script_has_come_and_stay_where_they_are(served, browser, size):
    held = Held(browser, f"{served.url}/glimpse_app?project=shop", size)
    held.page.get_by_text("7", exact=True).first.wait_for()
    before = held.page.evaluate(SEEN)
    assert {"Active sessions", "Bounce rate", "g-map", "g-feed"} <= before.keys()
    page = held.let_through()
    after = page.evaluate(SEEN)
    assert {name: after[name] for name in before} == before
    page.context.close()


@pytest.mark.parametrize(
    "query",
    ["project=shop&view=history", "project=shop&where=name='x'", "project=shop&since=24h", "project=empty", "kiosk=1"],
)
def test_nothing_is_shown_that_the_page_will_not_show(served, browser, query):
    held = Held(browser, f"{served.url}/glimpse_app?{query}")
    held.page.locator("#wait").wait_for()
    assert held.page.locator("#sight").count() == 0
    held.page.context.close()


def test_a_light_page_begins_light(served, browser):
    held = Held(browser, f"{served.url}/glimpse_app?project=shop&theme=light")
    held.page.get_by_text("7", exact=True).first.wait_for()
    ground = "() => getComputedStyle(document.getElementById('sight')).backgroundColor"
    before = held.page.evaluate(ground)
    page = held.let_through()
    shown = "() => getComputedStyle(document.documentElement).backgroundColor"
    assert before == page.evaluate(shown) != "rgb(6, 10, 18)"
    page.context.close()
