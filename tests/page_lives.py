"""Many page lives under trouble: no network, 5xx, slow and lost answers, tabs that are closed, left or killed.

Rule of this module: chance comes from one seed, and what a page made is written down in the page before it is sent.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, async_playwright
from playwright.async_api import Error as PlaywrightError
from serving import Served
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tracked_pages import FLAGS

# The record is kept before an event is queued, so also of a page that dies; the path names the life.
START = """
glimpse.init({ project: location.hostname.split('.')[0], beforeSend(event) {
  const life = location.pathname.split('/')[1]
  localStorage.made = `${localStorage.made || ''}${event.id} ${life} ${event.event}\n`
  return event
} })
"""
PAGE = """<!doctype html><title>A page</title><link rel="icon" href="data:,">
<script src="/sdk/glimpse.js"></script><script src="/start.js"></script><p>Words.</p>"""
HAS_SEEN_A_FAILURE = "() => Object.keys(localStorage).some((key) => key.endsWith(':failed'))"
CRASHED_WITHIN_S = 2
CLOSED_WITHIN_TRIES = 100
SETTLED_WITHIN_S = 15


@dataclass
class Trouble:
    """How often what goes wrong; as shares of all requests, or of all page lives."""

    refused: float = 0.05
    slow: float = 0.1
    lost_answer: float = 0.02
    offline: float = 0.1
    killed: float = 0.1
    is_over: bool = False


@dataclass
class Delivery:
    """What became of the events that the pages made."""

    lives: int = 0
    made: int = 0
    stored: int = 0
    twice: int = 0
    missing: Counter[str] = field(default_factory=Counter)  # by the event's name and the end of its page

    @property
    def share(self) -> float:
        """How many of those made are stored."""
        return self.stored / self.made if self.made else 0


class _Forward(RequestHandler):
    """Hands requests on to Glimpse, or does to them what the trouble says."""

    def initialize(
        self, glimpse: Served, trouble: Trouble, chance: random.Random, under_way: set[asyncio.Future[Any]]
    ) -> None:
        self.glimpse, self.trouble, self.chance, self.under_way = glimpse, trouble, chance, under_way

    async def get(self) -> None:
        if self.request.path.startswith("/sdk/"):
            answer = await self._ask("GET")
            self.set_header("Content-Type", "text/javascript")
            self.finish(answer.body)
        elif self.request.path == "/start.js":
            self.set_header("Content-Type", "text/javascript")
            self.finish(START)
        else:
            self.finish(PAGE)

    async def post(self) -> None:
        if self._is_hit(self.trouble.slow):
            await asyncio.sleep(self.chance.uniform(0.2, 2))
        if self._is_hit(self.trouble.refused):
            self.set_status(self.chance.choice([500, 502, 503]))
            self.finish()
            return
        answer = await self._ask("POST", self.request.body)
        if self._is_hit(self.trouble.lost_answer):
            self.detach().close()
            return
        self.set_status(answer.code)
        with suppress(StreamClosedError):
            self.finish(answer.body)

    def _is_hit(self, share: float) -> bool:
        return not self.trouble.is_over and self.chance.random() < share

    async def _ask(self, method: str, body: bytes | None = None) -> Any:
        headers = {"User-Agent": self.request.headers["User-Agent"]}
        url = f"http://127.0.0.1:{self.glimpse.port}{self.request.path}"
        asking = asyncio.ensure_future(
            AsyncHTTPClient().fetch(HTTPRequest(url, method, headers, body), raise_error=False)
        )
        self.under_way.add(asking)
        asking.add_done_callback(self.under_way.discard)
        return await asking


class _Visitor:
    """One browser profile, whose pages live one after the other."""

    def __init__(self, context: BrowserContext, origin: str, trouble: Trouble, chance: random.Random) -> None:
        self.context, self.origin, self.trouble, self.chance = context, origin, trouble, chance
        self.project = str(urlsplit(origin).hostname).partition(".")[0]
        self.page: Page | None = None
        self.ends: list[str] = []  # of its page lives

    async def see_a_failure(self) -> None:
        """Stay on a page until it has learnt that what it sends may get lost."""
        page = self.page = await self.context.new_page()
        await page.goto(f"{self.origin}/{len(self.ends)}/")
        self.ends.append("first")
        await self.context.set_offline(True)
        await page.evaluate("glimpse.track('deed')")
        await page.wait_for_function(HAS_SEEN_A_FAILURE)
        await self.context.set_offline(False)

    async def live(self) -> None:
        """Open a page, or go on to the next one; do something there; and mostly leave it."""
        page = self.page = self.page or await self.context.new_page()
        life = len(self.ends)
        await page.goto(f"{self.origin}/{life}/{self.chance.randrange(9)}")
        is_offline = self.chance.random() < self.trouble.offline
        for step in range(self.chance.randint(1, 4)):
            if is_offline and step == 1:
                await self.context.set_offline(True)
            await page.evaluate(self._deed(life))
            await page.wait_for_timeout(self.chance.uniform(0, 200))
        end = await self._leave(page)
        self.ends.append(f"{end} offline" if is_offline else end)
        if is_offline:
            await self._come_online()

    async def _come_online(self) -> None:
        for _ in range(CLOSED_WITHIN_TRIES):
            with suppress(PlaywrightError):  # a page is on its way out
                await self.context.set_offline(False)
                return
            await asyncio.sleep(0.05)

    def _deed(self, life: int) -> str:
        if self.chance.random() < 0.3:
            return f"history.pushState({{}}, '', '/{life}/{self.chance.randrange(9)}'); 0"
        return f"for (let n = 0; n < {self.chance.randint(1, 6)}; n++) glimpse.track('deed', {{ n }}); 0"

    async def _leave(self, page: Page) -> str:
        way = self.chance.random()
        if way < self.trouble.killed:
            await _kill(page)
            await page.close()
        elif way < 0.6:
            await page.close(run_before_unload=self.chance.random() < 0.5)
        else:
            return "left"
        self.page = None
        return "killed" if way < self.trouble.killed else "closed"

    async def made(self) -> dict[str, str]:
        """Return what all pages made, once the last of them has had time to send what is left.

        By the event's id: its name, and how its page ended.
        """
        page = self.page or await self.context.new_page()
        for _ in range(2):  # what the page before kept as it went may come after the first look
            await page.goto(f"{self.origin}/{len(self.ends)}/")
            self.ends.append("last")
            await page.evaluate("glimpse.flush()")
        lines = str(await page.evaluate("localStorage.made")).splitlines()
        rows = (line.split(" ", 2) for line in lines)
        return {id_: f"{name} of a page {self.ends[int(life)]}" for id_, life, name in rows}


async def _kill(page: Page) -> None:
    is_gone = asyncio.Event()
    page.once("crash", lambda _: is_gone.set())
    crashing = asyncio.ensure_future(_crash(page))  # its answer never comes
    with suppress(TimeoutError):
        await asyncio.wait_for(is_gone.wait(), CRASHED_WITHIN_S)
    crashing.cancel()


async def _crash(page: Page) -> None:
    with suppress(PlaywrightError, asyncio.CancelledError):
        await (await page.context.new_cdp_session(page)).send("Page.crash")


async def deliver(
    glimpse: Served, lives: int, visitors: int = 6, seed: int = 1, *, has_failed_before: bool = False
) -> Delivery:
    """Live so many page lives, then let the trouble end, and compare what was made with what is stored.

    Parameters
    ----------
    has_failed_before
        Whether each browser has seen a request fail when the lives begin, so that it keeps what it sends.
    """
    trouble, chance = Trouble(), random.Random(seed)
    under_way: set[asyncio.Future[Any]] = set()
    given = {"glimpse": glimpse, "trouble": trouble, "chance": chance, "under_way": under_way}
    app = Application([(".*", _Forward, given)], log_function=lambda _: None)
    server, sockets = HTTPServer(app), bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
            everybody = [
                _Visitor(
                    await browser.new_context(),
                    f"http://lives{seed}-{number}.localhost:{port}",
                    trouble,
                    random.Random(seed * 1000 + number),
                )
                for number in range(visitors)
            ]
            made = await _live_all(everybody, lives // visitors, has_failed_before=has_failed_before)
            await browser.close()
        return await _compare(glimpse, made, lives)
    finally:
        server.stop()
        await server.close_all_connections()
        await asyncio.gather(*under_way, return_exceptions=True)  # what the last pages said as they went


async def _live_all(everybody: list[_Visitor], lives: int, *, has_failed_before: bool) -> dict[str, dict[str, str]]:
    async def live(visitor: _Visitor) -> None:
        if has_failed_before:
            await visitor.see_a_failure()
        for life in range(lives):
            await visitor.live()
            if visitor is everybody[0] and life % 20 == 19:
                print(f"{life * len(everybody):6,} page lives", file=sys.stderr)

    await asyncio.gather(*map(live, everybody))
    everybody[0].trouble.is_over = True
    return {visitor.project: await visitor.made() for visitor in everybody}


async def _compare(glimpse: Served, made: dict[str, dict[str, str]], lives: int) -> Delivery:
    found = Delivery(lives)
    for project, events in made.items():
        rows = await _settled(lambda project=project: asyncio.to_thread(glimpse.stored, project), set(events))
        stored = Counter(row["id"] for row in rows)
        found.made += len(events)
        found.stored += len(events.keys() & stored.keys())
        found.twice += sum(count - 1 for count in stored.values())
        found.missing.update(told for id_, told in events.items() if id_ not in stored)
    return found


async def _settled(look: Callable[[], Awaitable[list[dict[str, Any]]]], wanted: set[str]) -> list[dict[str, Any]]:
    """Return the rows once all that was wanted is there, or after a while what is."""
    for _ in range(SETTLED_WITHIN_S * 2):
        rows = await look()
        if wanted <= {row["id"] for row in rows}:
            return rows
        await asyncio.sleep(0.5)
    return await look()
