"""`glimpse doctor --site` in front of pages with one fault each: it names the fault, with a browser and without."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from serving import Served, an_event
from waiting import wait_until

from glimpse.doctor import site_check
from glimpse.doctor.finding import Finding, Verdict
from glimpse.project_command import add, remove
from glimpse.settings import Settings

pytestmark = [pytest.mark.server, pytest.mark.browser]

TAG = '<script defer src="GLIMPSE/sdk/glimpse.js" data-project="doctored"></script>'
SILENT = "<script>Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })</script>"
# What is on the page, what its policy says, and what the doctor should say of which part.
PAGES: dict[str, tuple[str, str, str, str]] = {
    "/good": (TAG, "", "events", "for doctored"),
    "/bare": ("<p>Nothing.</p>", "", "tag", "no tag of Glimpse"),
    "/misnamed": (TAG.replace("glimpse.js", "glimpse-0.0.0.js"), "", "tracker", "glimpse-0.0.0.js answers"),
    "/elsewhere": (TAG.replace("data-", 'data-endpoint="/other" data-', 1), "", "events", "is no Glimpse"),
    "/strict": (TAG, "script-src 'self'", "tracker", "Content-Security-Policy forbids"),
    "/mute": (TAG, "script-src GLIMPSE; connect-src 'self'", "events", "Content-Security-Policy forbids"),
    "/stranger": (TAG.replace("doctored", "stranger"), "", "events", "dropped: unknown_project"),
    "/private": (SILENT + TAG, "", "events", "Global Privacy Control"),
}
ONLY_IN_A_BROWSER = ("/stranger", "/private")  # a reader has no events to be dropped, and no wish of a visitor's


@pytest.fixture(scope="module")
def origin(public_glimpse: Served) -> Iterator[str]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, policy, *_ = PAGES.get(self.path, ("", ""))
            self._answer(200 if body else 404, body, policy)

        def do_POST(self) -> None:
            self._answer(404, "no such page", "")

        def _answer(self, status: int, body: str, policy: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            if policy:
                self.send_header("Content-Security-Policy", policy.replace("GLIMPSE", public_glimpse.url))
            self.end_headers()
            self.wfile.write(body.replace("GLIMPSE", public_glimpse.url).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with only_project("doctored", public_glimpse):
        yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def only_project(project: str, glimpse: Served) -> Iterator[None]:
    """Register a project on a server that others use too: until the end, it takes no other."""
    settings = Settings(data_dir=glimpse.data_dir)

    def drops() -> str | None:
        return glimpse.ask("POST", "/event", json.dumps(an_event("stranger")).encode())[1].get("x-glimpse-dropped")

    asyncio.run(add(settings, project, []))
    wait_until(lambda: drops() == "unknown_project", what="the server knows that it is registered")
    yield
    asyncio.run(remove(settings, project))
    wait_until(lambda: drops() is None, what="the server takes any project again")


def last(found: list[Finding]) -> Finding:
    return found[-1]


def test_a_browser_tells_each_fault_of_a_page(origin: str):
    async def look_at_all() -> list[list[Finding]]:
        return await asyncio.gather(*(site_check.examine(origin + path) for path in PAGES))

    for (path, (_, _, part, said)), found in zip(PAGES.items(), asyncio.run(look_at_all()), strict=True):
        assert (last(found).part, said in last(found).told) == (part, True), (path, found)
        assert (last(found).verdict is Verdict.WRONG) is (path not in ("/good", "/private")), (path, found)


@pytest.mark.parametrize("path", [path for path in PAGES if path not in ONLY_IN_A_BROWSER])
def test_without_a_browser_the_page_is_read(origin: str, path: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(site_check, "find_chromium", lambda: None)
    _, _, part, said = PAGES[path]
    found = asyncio.run(site_check.examine(origin + path))
    assert (last(found).part, said in last(found).told) == (part, True), found


def test_a_page_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch, origin: str):
    monkeypatch.setattr(site_check, "find_chromium", lambda: None)
    assert "answers 404" in last(asyncio.run(site_check.examine(f"{origin}/none"))).told
    assert "can't be loaded" in last(asyncio.run(site_check.examine("http://127.0.0.1:9/"))).told
