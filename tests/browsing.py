"""Debian's Chromium, driven by Playwright; every page is watched for errors and for requests that leave loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_HARMLESS = ("GL Driver Message",)  # software rendering says so

# Bokeh's models in the page: the map's columns are what is drawn, so what they hold is on the map.
FIND_SOURCE = """
(column) => {
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values())
    if (model.type === "ColumnDataSource" && (model.name === column || column in model.data)) return model
  return null
}
"""


class Watched:
    """Pages of one browser, and what went wrong in any of them."""

    def __init__(self, browser: Browser, names: Sequence[str] = ()) -> None:
        self._browser = browser
        self._here = {"127.0.0.1", "localhost", *names}
        self.errors: list[str] = []
        self.strays: list[str] = []

    def open(self, url: str, size: dict[str, int] = WIDE, **options: Any) -> Page:
        """Open an address in a context of its own, as another visitor would."""
        options = {"timezone_id": "Europe/Vienna", "locale": "en-GB"} | options
        context = self._browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda line: self._note(line.type, line.text))
        page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        page.on("request", lambda request: self._look(request.url))
        page.goto(url)
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and not any(words in text for words in _HARMLESS):
            self.errors.append(text)

    def _look(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in self._here:
            self.strays.append(url)


@contextmanager
def chromium(*names: str) -> Iterator[Watched]:
    """Start a browser, to which the given host names are this machine."""
    here = f"--host-resolver-rules={','.join(f'MAP {name} 127.0.0.1' for name in names)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*FLAGS, *([here] * bool(names))]
        )
        try:
            yield Watched(browser, names)
        finally:
            browser.close()


def wait_for_map(page: Page) -> None:
    """Wait until the dashboard is there, its map drawn."""
    page.wait_for_function(f"() => window.Bokeh && Bokeh.documents.length && ({FIND_SOURCE})('places')", timeout=30_000)


def places_on_map(page: Page) -> list[str]:
    return page.evaluate(f"() => [...({FIND_SOURCE})('places').data.place].filter(Boolean)")


def names_in_feed(page: Page) -> list[str]:
    return page.locator(".g-feed li.row").evaluate_all("rows => rows.map(row => row.dataset.event)")


def tile(page: Page, metric: str) -> str:
    return page.locator(f'[data-metric="{metric}"]').inner_text()
