"""What tabs leave behind, and what one costs that never reads.

`python bench/dashboard_tabs.py --tabs 500 --in-chromium 40`: a whole Glimpse, whose pages are opened three at a time
and closed: most over HTTP and WebSocket as a browser does it, with all of the document pulled, some in Chromium itself,
where each draws its map. Then five that say they are ready, ask for the page and read nothing more, while events come;
what as many events take without them is measured before, and taken off. Memory is the server process' resident set;
dashboards, documents and what is kept to be sent are counted in it, over routes that only the bench's app has. The
server's one thread makes the tabs, one after the other: its processor's time for one is told, and what is longer on the
clock is what else this machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.async_api import Browser, async_playwright
from serving import Served, an_event
from tornado.websocket import WebSocketClientConnection
from viewers import connected, opened

AT_ONCE = 3
OPEN_WITHIN_MS = 60_000
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
TELL_EVERY = 60  # tabs
START_WITHIN_S = 120
COUNTED = """
import gc
from weakref import WeakSet
from bokeh.document import Document
from panel.io import document as panels
from tornado.web import RequestHandler
from glimpse.views.dashboard import Dashboard
made = {Dashboard: WeakSet(), Document: WeakSet()}
def noting(kind):
    begin = kind.__init__
    def init(self, *given, **named):
        begin(self, *given, **named)
        made[kind].add(self)
    kind.__init__ = init
for kind in made:
    noting(kind)
class Left(RequestHandler):
    def get(self):
        for _ in range(3):
            gc.collect()
        self.write({kind.__name__: len(those) for kind, those in made.items()})
class Kept(RequestHandler):
    def get(self):
        unread = 0
        for document in made[Document]:
            context = getattr(document, "session_context", None)
            for one in context.session._subscribed_connections if context and context.session else ():
                socket = one._socket.ws_connection
                unread += len(socket.stream._write_buffer) if socket else 0
                kept = getattr(panels, "_WRITE_MSGS", {})  # which Panel 1.9 has
                unread += sum(len(m.content_json) for m in kept.get(document, {}).get(one, ()))
        self.write({"dashboards": len(made[Dashboard]), "bytes": unread})
ROUTES = [("/left", Left, {}), ("/kept", Kept, {})]
"""
PULL = (json.dumps({"msgid": "2", "msgtype": "PULL-DOC-REQ"}), "{}", "{}")
SILENT = 5
ALONE_S = 40
AT_A_TIME = 40  # events


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=500)
    parser.add_argument("--in-chromium", type=int, default=40, help="how many of them are Chromium's (default: 40)")
    parser.add_argument("--no-silent", action="store_true", help="leave out those that never read")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-tabs-") as name:
        folder = Path(name)
        (folder / "counted.py").write_text(COUNTED)
        served = Served(
            folder / "data",
            flags=("--plugins", "counted", "--unused-session-lifetime", "6000", "--check-unused-sessions", "500"),
        )
        served.environment["PYTHONPATH"] = f"{folder}{os.pathsep}{Path(__file__).parents[1]}"
        try:
            served.start(START_WITHIN_S)
            asyncio.run(measure(served, options))
        except Exception:
            print(served.said()[-3000:])
            raise
        finally:
            served.stop(60)


async def measure(served: Served, options: argparse.Namespace) -> None:
    served.post([an_event("demo") for _ in range(20)])
    await open_and_close(served, min(24, options.tabs))  # what is made once, is made
    await gone(served)
    before, used = resident(served), processor_s(served)
    began = time.monotonic()

    def tell(tabs: int) -> None:
        more = (resident(served) - before) / 1e6
        print(f"{tabs:6} tabs, {time.monotonic() - began:4.0f} s: {more:6.1f} MB more, the last not gone", flush=True)

    others = options.tabs - options.in_chromium
    for first in range(0, others, TELL_EVERY):
        tabs = min(TELL_EVERY, others - first)
        await open_and_close(served, tabs)
        tell(first + tabs)
    each = (processor_s(served) - used) / max(1, others)
    if options.in_chromium:
        await open_in_chromium(served, options.in_chromium)
        tell(options.tabs)
    left = await gone(served)
    after = resident(served)
    took, more = time.monotonic() - began, (after - before) / 1e6
    print(f"{options.tabs} tabs, {options.in_chromium} of Chromium, opened and closed in {took:.0f} s, left: {left}")
    print(f"the server's processor time for one that is no Chromium's: {each:.2f} s")
    verdict("memory after them", more, 20, "MB more")
    verdict("objects left", sum(left.values()), 0, "")
    if not options.no_silent:
        await stay_silent(served)


def verdict(what: str, found: float, bar: float, unit: str) -> None:
    """Print a figure, and whether it is within its bar."""
    print(f"{what:<55} {found:8.1f} {unit}   bar {bar:g}: {'held' if found <= bar else 'MISSED'}", flush=True)


async def open_and_close(served: Served, tabs: int) -> None:
    for first in range(0, tabs, AT_ONCE):
        lines = await asyncio.gather(*(pulled(served) for _ in range(min(AT_ONCE, tabs - first))))
        await asyncio.to_thread(served.post, an_event("demo"))
        await asyncio.sleep(0.15)
        for line in lines:
            line.close()


async def pulled(served: Served) -> WebSocketClientConnection:
    """Open a tab, and read all that is on it."""
    line = await opened(served.url)
    for part in PULL:
        await line.write_message(part)
    while (frame := await line.read_message()) is not None:
        if isinstance(frame, str) and '"PULL-DOC-REPLY"' in frame:
            break
    return line


async def open_in_chromium(served: Served, tabs: int) -> None:
    """Open tabs in Chromium, each until its map is drawn, and close them."""
    async with async_playwright() as browsers:
        chromium = await browsers.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for first in range(0, tabs, AT_ONCE):
            await asyncio.gather(*(look_once(chromium, served.url) for _ in range(min(AT_ONCE, tabs - first))))
        await chromium.close()


async def look_once(chromium: Browser, url: str) -> None:
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.goto(f"{url}/glimpse_app?project=demo", timeout=OPEN_WITHIN_MS)
    await page.wait_for_selector(".g-canvas canvas", timeout=OPEN_WITHIN_MS)
    await page.wait_for_selector(".g-feed li.row", timeout=OPEN_WITHIN_MS)
    await context.close()


async def gone(served: Served) -> dict[str, int]:
    """Wait until Bokeh has let go of the sessions; return what is left."""
    deadline = time.monotonic() + 40
    while True:
        await asyncio.sleep(1.5)
        left = await asyncio.to_thread(served.get, "/left")
        if not any(left.values()) or time.monotonic() > deadline:
            return left


def resident(served: Served) -> int:
    assert served.process
    pages = int(Path(f"/proc/{served.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def processor_s(served: Served) -> float:
    """Return how much of a processor's time the server has used."""
    assert served.process
    fields = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def stay_silent(served: Served) -> None:
    """Have sockets say that their page is ready, ask for it, and never read; print what they cost and when they end."""
    for _ in range(40):  # the window itself grows with its events: let it have most of them
        await asyncio.to_thread(served.post, [an_event("demo") for _ in range(200)])
    before, began, posts = resident(served), time.monotonic(), 0
    while time.monotonic() - began < ALONE_S:
        await post_some(served)
        posts += 1
    for_one = (resident(served) - before) / posts
    print(f"the process grew by {posts * for_one / 1e6:.1f} MB with {posts * AT_A_TIME} events and nobody there")
    before, began, posts = resident(served), time.monotonic(), 0
    lines = [await connected(served.url, served.port, keeps=4096, pulls=PULL * 2) for _ in range(SILENT)]
    kept, most, there = 0, 0.0, SILENT
    while there and time.monotonic() - began < 90:
        await post_some(served)
        posts += 1
        seen = await asyncio.to_thread(served.get, "/kept")
        kept, there = max(kept, seen["bytes"]), seen["dashboards"]
        most = max(most, resident(served) - before - posts * for_one)
    verdict("those that never read are gone after", time.monotonic() - began, 60, "s")
    verdict("for each is kept to be sent, up to", kept / SILENT / 1e6, 2, "MB")
    verdict("the process grew for each, beyond its events, up to", most / SILENT / 1e6, 2, "MB")
    for _, line in lines:
        with suppress(OSError):
            line.close()


async def post_some(served: Served) -> None:
    await asyncio.to_thread(served.post, [an_event("demo") for _ in range(AT_A_TIME)])
    await asyncio.sleep(0.15)


if __name__ == "__main__":
    main()
