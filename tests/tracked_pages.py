"""Pages of made-up sites that carry the tracker, and a record in the page itself of every event that it made.

Each site is `<project>.localhost`: an origin of its own (so its storage too), and a secure one, as real sites are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from serving import Served
from waiting import wait_until

# The record is kept before an event is queued, so also of a page that dies.
START = """
const made = (id) => {
  try { localStorage.made = (localStorage.made || '') + id + ' ' } catch {}
  (window.made ||= []).push(id)
}
glimpse.init({ project: location.hostname.split('.')[0], ...window.more,
  beforeSend: (event) => { made(event.id); return event } })
"""
PAGE = """<!doctype html><title>A page</title><link rel="icon" href="data:,">
<script src="GLIMPSE/sdk/glimpse.js"></script><script src="/start.js"></script><p>Words.</p>"""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


class Site:
    """A site at many host names, all with the same pages."""

    def __init__(self, port: int, glimpse: Served) -> None:
        self.port = port
        self.glimpse = glimpse

    def url(self, project: str, path: str = "/") -> str:
        return f"http://{project}.localhost:{self.port}{path}"


@contextmanager
def site(glimpse: Served, headers: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[Site]:
    """Serve the pages; `headers` by path."""
    page = PAGE.replace("GLIMPSE", glimpse.url).encode()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/start.js"
            body = START.encode() if is_script else page
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
            self.send_header("Content-Length", str(len(body)))
            for name, value in ((headers or {}).get(self.path) or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(server.server_port, glimpse)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    """Start a Chromium that keeps pages in its back-forward cache."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[*FLAGS, *flags],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        try:
            yield running
        finally:
            running.close()


class Visit:
    """One visitor of one site, in a browser profile of its own."""

    def __init__(self, context: BrowserContext, site: Site, project: str) -> None:
        self.context = context
        self.site = site
        self.project = project
        self.page = context.new_page()

    def open(self, path: str = "/", page: Page | None = None) -> Page:
        """Open a page, and wait until its first view has been answered."""
        page = page or self.page
        with page.expect_response("**/event"):
            page.goto(self.site.url(self.project, path))
        return page

    def stored(self) -> list[dict[str, Any]]:
        return self.site.glimpse.stored(self.project)

    def stored_names(self) -> list[str]:
        return sorted(event["name"] for event in self.stored())

    def made(self) -> list[str]:
        """Return the ids of all events that the site's pages made, and close them."""
        for page in self.context.pages[1:]:
            page.close()
        page = self.context.new_page()
        page.goto(self.site.url(self.project, "/start.js"))  # no page, so no tracker
        return str(page.evaluate("localStorage.made || ''")).split()

    def session(self) -> CDPSession:
        return self.context.new_cdp_session(self.page)


def wait_for_books(visit: Visit, made: list[str], timeout_s: float = 10) -> None:
    """Wait until the store has each event that was made, and then see that it has each once, and no other."""
    wait_until(
        lambda: {event["id"] for event in visit.stored()} >= set(made),
        timeout_s=timeout_s,
        what=f"the store has the {len(made)} events of {visit.project}",
    )
    assert sorted(event["id"] for event in visit.stored()) == sorted(made)
