"""How the dashboard feels, in Chromium, while simulated visitors send events to a whole Glimpse.

`make bench-dashboard`, or `python bench/dashboard.py --rate 1000 --viewers 20`; `--stored 1000000` measures a change of
the filter where so many events are stored. One viewer is a tab of Chromium; the others read all that they are sent, but
paint nothing, as each has a machine of its own for that. All of it shares this machine: server, Valkey, visitors and a
browser that paints without a graphics card, so figures are upper bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browsing import FIND_SOURCE, FLAGS
from playwright.async_api import BrowserContext, Page, async_playwright
from rivals.month import SINCE, UNTIL, fill
from serving import CHROME, Served, an_event

from glimpse.store import DuckStore
from glimpse.traffic.simulate import Simulation, simulate

WARM_UP_S, WATCHED_S = 10, 15
START_WITHIN_S = 120
FILTER_CHANGES = 6
WAY_BARS_MS = ((200, 250), (1_000, 500))  # up to which rate: how long an event's way may take
PAUSE_S = 0.4
PAINTS = 8
FRAMES_BAR_MS = 50
# Resolves with the time of the frame that follows what it waits for.
PAINTED = """(is_there) => new Promise((done) => {
  const look = () => is_there() ? requestAnimationFrame(() => done(Date.now())) : setTimeout(look, 4)
  look()
})"""
FIRST_NUMBER = f"""() => ({PAINTED})(() => deep("[data-metric='Events a minute']")?.textContent.match(/[1-9]/))
  .then((at) => at - performance.timeOrigin)"""
# Numbers stand there before all the rest does; a country's line is of the last part that is made.
WHOLE_PAGE = f"""() => ({PAINTED})(() => {{
    const countries = !document.getElementById("sight") && deep(".g-top-countries")
    return countries && deep_all(".line", countries).length
  }}).then((at) => at - performance.timeOrigin)"""
LOOK_FROM_THE_START = f"window.first_number = ({FIRST_NUMBER})(); window.whole_page = ({WHOLE_PAGE})()"
# What is timed comes from a town from which no other event does: its dot says how many it has had.
TOWN, ITS_ZONE = "Nuuk", "America/Nuuk"
SEEN = f"""() => {{
  const {{data}} = (window.dots ??= ({FIND_SOURCE})("places"))
  return data.events[data.place.indexOf("{TOWN}")] ?? 0
}}"""
DOT = f"(seen) => (PAINTED)(() => ({SEEN})() > seen)"
FRAMES = """(seconds) => new Promise((done) => {
  const took = []
  let last = performance.now()
  const until = last + seconds * 1000
  const frame = (now) => {
    took.push(now - last)
    last = now
    if (now < until) requestAnimationFrame(frame)
    else done(took)
  }
  requestAnimationFrame(frame)
})"""
DEEP = """window.deep = (selector, root = document) => {
  const found = root.querySelector(selector)
  if (found) return found
  for (const el of root.querySelectorAll("*")) {
    const inside = el.shadowRoot && window.deep(selector, el.shadowRoot)
    if (inside) return inside
  }
  return null
}
window.deep_all = (selector, root = document) => {
  const all = [...root.querySelectorAll("*")]
  const inside = all.flatMap((el) => el.shadowRoot ? window.deep_all(selector, el.shadowRoot) : [])
  const own = root.shadowRoot ? window.deep_all(selector, root.shadowRoot) : []
  return [...root.querySelectorAll(selector), ...inside, ...own]
}"""


# Resolves with the time of the frame in which a change has come to all parts of the page, and each is ready again.
PAGE_READY = """() => new Promise((done) => {
  const cards = () => deep_all(".g-page-history").flatMap((page) => deep_all(".card[data-phase]", page))
  let has_begun = false
  const since = Date.now()
  const look = () => {
    const busy = cards().some((card) => card.dataset.phase !== "ready")
    has_begun ||= busy || Date.now() - since > 3000
    if (has_begun && !busy) requestAnimationFrame(() => done(Date.now()))
    else setTimeout(look, 2)
  }
  look()
})"""


def main() -> None:
    """Serve, let visitors come, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="events a second (default: 200)")
    parser.add_argument("--viewers", type=int, default=10, help="tabs that are open (default: 10)")
    parser.add_argument("--events", type=int, default=40, help="events whose way is timed (default: 40)")
    parser.add_argument("--stored", type=int, default=0, help="measure the filter on so many stored events instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-dashboard-") as folder:
        data = Path(folder) / "data"
        served = Served(data, GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_RATE_LIMIT="100000")
        if options.stored:
            made(data, options.stored)
        try:
            served.start(START_WITHIN_S)
            work = asked(served) if options.stored else measure(served, options.rate, options.viewers, options.events)
            asyncio.run(work)
        finally:
            served.stop(60)


def made(data: Path, events: int) -> None:
    """Fill a store with a month of a busy shop."""
    data.mkdir(parents=True)
    store = DuckStore.open(data)
    fill(store._connection, events)  # noqa: SLF001 - made in place, as a million rows take long otherwise
    store.close()


async def asked(served: Served) -> None:
    """Print how long a page of history takes from a click on a filter until all of its parts are drawn anew."""
    span = f"since={SINCE}&until={UNTIL}&tz=UTC"
    async with async_playwright() as browsers:
        chromium = await browsers.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = await (await chromium.new_context(viewport={"width": 1440, "height": 900})).new_page()
        await page.add_init_script(DEEP)
        await page.goto(f"{served.url}/glimpse_app?project=shop&view=history&{span}")
        await page.locator(".g-breakdown .line").first.wait_for(timeout=60_000)
        await page.evaluate(PAGE_READY)
        took = [await refiltered(page, nth) for nth in range(FILTER_CHANGES)]
        show("filter changed to history drawn anew", took[1:], 400)
        print(f"{'the first, with a filter of a new kind':<42} {took[0]:11.0f} ms")
        await chromium.close()


async def refiltered(page: Page, nth: int) -> float:
    """Return the ms from a click on a country, each time another, to the frame in which every part has its answer."""
    line = page.locator("section[aria-label=Places] .line").nth(nth)
    await line.evaluate("(el) => { window.clicked = Date.now(); el.click() }")
    took = await page.evaluate(f"({PAGE_READY})().then((at) => at - window.clicked)")
    await page.locator(".g-filter .cross").first.click()
    await page.evaluate(PAGE_READY)
    await asyncio.sleep(PAUSE_S)
    return took


async def measure(served: Served, rate: float, viewers: int, events: int) -> None:
    """Print every figure."""
    visitors = asyncio.create_task(simulate(Simulation(url=served.url, rate=rate, seed=7)))
    await asyncio.sleep(WARM_UP_S)
    async with async_playwright() as browsers:
        chromium = await browsers.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        window = await chromium.new_context(viewport={"width": 1440, "height": 900})
        await painted(window, served)  # the first page has the server import the views, and fills the browser's cache
        async with others(served, viewers - 1):
            first, whole = zip(*[await painted(window, served) for _ in range(PAINTS)], strict=True)
            show("first paint with data, warm", first, 1_500)
            show("every part of the live page drawn, warm", whole, 1_500)
            page = await opened(window, served)
            bar = next((bar for most, bar in WAY_BARS_MS if rate <= most), WAY_BARS_MS[-1][1])
            ways = [await way(served, page) for _ in range(events)]
            show(f"event acknowledged to dot drawn, {rate:.0f}/s, {viewers} viewers", ways, bar)
            show("frames of its tab", await page.evaluate(FRAMES, WATCHED_S), FRAMES_BAR_MS, judged=max)
            show("filter changed to all tiles drawn anew", [await filtered(page) for _ in range(5)], 400)
        await chromium.close()
    visitors.cancel()
    print(await visitors)


@asynccontextmanager
async def others(served: Served, viewers: int) -> AsyncIterator[None]:
    """Keep so many viewers without a browser, in a process of their own."""
    script = str(Path(__file__).parent / "viewers.py")
    command = (sys.executable, script, "--url", served.url, "--viewers", str(viewers))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        assert (await process.stdout.readline()).strip() == b"there"
        yield
    finally:
        process.terminate()
        await process.wait()


async def painted(window: BrowserContext, served: Served) -> tuple[float, float]:
    """Return after how many ms a new tab shows numbers, and all the rest."""
    page = await opened(window, served)
    first, whole = await page.evaluate("() => Promise.all([window.first_number, window.whole_page])")
    await page.close()
    return first, whole


async def opened(window: BrowserContext, served: Served) -> Page:
    """Open the dashboard in a tab, and wait until all of it is there."""
    page = await window.new_page()
    await page.add_init_script(f"{DEEP}\n{LOOK_FROM_THE_START}")
    await page.goto(f"{served.url}/glimpse_app?project=demo")
    await page.evaluate("() => window.whole_page")
    return page


async def way(served: Served, page: Page) -> float:
    """Return the ms from an event's answer to the frame in which its dot has it."""
    await asyncio.sleep(PAUSE_S)
    seen = await page.evaluate(SEEN)
    drawn = asyncio.create_task(page.evaluate(DOT.replace("PAINTED", PAINTED), seen))
    await asyncio.sleep(0.05)
    event = an_event("demo", "timed", context={"url": "https://shop.test/", "timezone": ITS_ZONE})
    await asyncio.to_thread(send, served, json.dumps(event).encode())
    answered = time.time() * 1000
    return await drawn - answered


def send(served: Served, body: bytes) -> None:
    """Post one event."""
    with urlopen(Request(f"{served.url}/event", body, {"User-Agent": CHROME})) as answer:
        answer.read()


async def filtered(page: Page) -> float:
    """Return the ms from a click on the first country to the frame in which the list has only that one."""
    line = page.locator(".g-top-countries .line").first
    await line.evaluate("(el) => { window.lines = el.closest('ol'); window.clicked = Date.now(); el.click() }")
    alone = "() => (PAINTED)(() => window.lines.children.length === 1).then((at) => at - window.clicked)"
    took = await page.evaluate(alone.replace("PAINTED", PAINTED))
    await page.locator(".g-filter .clear").click()
    await page.wait_for_function("() => window.lines.children.length > 1")
    return took


def show(
    what: str, ms: Sequence[float], bar: float, *, judged: Callable[[Sequence[float]], float] | None = None
) -> None:
    """Print median, p95 and the worst, and whether the p95, or what is judged instead, is within the bar."""
    p95 = sorted(ms)[ceil(0.95 * len(ms)) - 1]
    verdict = "held" if (judged(ms) if judged else p95) <= bar else "MISSED"
    print(
        f"{what:<55} p50 {median(ms):6.0f} ms   p95 {p95:6.0f} ms   most {max(ms):6.0f} ms   bar {bar:.0f}: {verdict}",
        flush=True,
    )


if __name__ == "__main__":
    main()
