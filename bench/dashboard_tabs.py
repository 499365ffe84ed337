"""What tabs leave behind, and what one costs that never reads.

`python bench/dashboard_tabs.py --tabs 500 --in-chromium 40`: a whole Glimpse, whose pages are opened three at a time
and closed: most over HTTP and WebSocket as a browser does it, with all of the document pulled, some in Chromium itself,
where each draws its map. Then one that says it is ready and reads nothing more, while events come. Memory is the server
process' resident set; dashboards and documents are counted in it by weak references, over a route that only the bench's
app has. The server's one thread makes the tabs, one after the other: its processor's time for one is told, and what is
longer on the clock is what else this machine does.
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
ROUTES = [("/left", Left, {})]
"""
PULL = {"msgid": "2", "msgtype": "PULL-DOC-REQ"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=500)
    parser.add_argument("--in-chromium", type=int, default=40, help="how many of them are Chromium's (default: 40)")
    parser.add_argument("--no-silent", action="store_true", help="leave out the one that never reads")
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
    for part in (json.dumps(PULL), "{}", "{}"):
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
    """Open a socket by hand, say that the page is ready, and never read; print what it costs and when it is cut."""
    for _ in range(40):  # the window itself grows with its events: let it have most of them
        await asyncio.to_thread(served.post, [an_event("demo") for _ in range(200)])
    before = resident(served)
    _, line = await connected(served.url, served.port, keeps=4096)
    began, most = time.monotonic(), 0
    while time.monotonic() - began < 90:
        await asyncio.to_thread(served.post, [an_event("demo") for _ in range(40)])
        most = max(most, resident(served) - before)
        await asyncio.sleep(0.15)
        if (await asyncio.to_thread(served.get, "/left"))["Dashboard"] == 0:
            break
    took = time.monotonic() - began
    verdict("one that never reads is gone after", took, 60, "s")
    verdict("the process held, with what came in that time, up to", most / 1e6, 2, "MB more")
    with suppress(OSError):
        line.close()


if __name__ == "__main__":
    main()
