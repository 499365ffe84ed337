"""Take the pictures in docs/ anew: `make screenshots`. A server of its own, simulated visitors, and Chromium.

What they show has really come over HTTP and gone through all of Glimpse: two hours of visits at once, then others as
they come, for `--minutes` before the pictures are taken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Page, async_playwright
from tqdm import tqdm

from glimpse import resources
from glimpse.traffic.simulate import Simulation, simulate

DOCS = Path(__file__).parent
WIDE, PHONE = (1440, 900), (390, 844)
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
START_WITHIN_S = 60
PAST_S = 7200
LOOKED_AT_S = 6  # what moves on the page has begun to


class Picture(NamedTuple):
    """A file, and what is on it."""

    name: str
    path: str
    size: tuple[int, int]
    shown: str  # a selector that is there when the page is
    click: str = ""  # what is clicked on before


PAGES = {
    "live": "canvas",
    "history": ".g-breakdown .line",
    "sessions": ".g-sessions .row",
    "explore": ".g-paths .node",
    "performance": ".g-vitals .card",
    "projects": ".g-page-projects .row",
    "operations": ".g-page-operations tbody tr",
}
PICTURES = (
    Picture("live-map.png", "/glimpse_app?project=demo", WIDE, "canvas"),
    Picture("dashboard-empty.png", "/glimpse_app?project=my-site", WIDE, "canvas"),
    Picture("demo-shop.png", "/demo", WIDE, "#products"),
    *(
        Picture(
            f"pictures/{page}-{width}-{theme}.png",
            f"/glimpse_app?project=demo&view={page}&since=1h&theme={theme}",
            size,
            shown,
            ".g-sessions .row" if page == "sessions" and size == WIDE else "",
        )
        for page, shown in PAGES.items()
        for width, size in (("wide", WIDE), ("phone", PHONE))
        for theme in ("dark", "light")
    ),
)
AT_ONCE = 3
OPEN_WITHIN_MS = 120_000  # the first page imports the views


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process, its output in a file."""
    with log.open("wb") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """Serve in a process of its own; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", str(resources.path("glimpse_app.py")), "--port", str(port)]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GLIMPSE_", "REDIS_"))}
    own |= {"GLIMPSE_DATA_DIR": str(folder / "data"), "GLIMPSE_ALLOW_HEADLESS": "1"}
    server = started(command, own, folder / "server.log")
    url = f"http://localhost:{port}"
    try:
        for _ in range(START_WITHIN_S * 10):
            if await asyncio.to_thread(answers, url):
                break
            await asyncio.sleep(0.1)
        else:
            raise TimeoutError((folder / "server.log").read_text())
        yield url
    finally:
        server.terminate()
        server.wait(20)


def answers(url: str) -> bool:
    """Whether a server answers there."""
    try:
        with urllib.request.urlopen(f"{url}/check", timeout=5) as answer:
            return answer.status == 200
    except OSError:  # refused, or slow to answer
        return False


async def take(page: Page, url: str, picture: Picture) -> None:
    """Open a page, let it move, and save what it looks like."""
    await page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
    await page.goto(url + picture.path, timeout=OPEN_WITHIN_MS)
    await page.wait_for_selector(picture.shown, timeout=OPEN_WITHIN_MS)
    if picture.click:
        await page.locator(picture.click).nth(2).click()
    await asyncio.sleep(LOOKED_AT_S)
    (DOCS / picture.name).parent.mkdir(exist_ok=True)
    await page.screenshot(path=DOCS / picture.name)
    print(f"docs/{picture.name}: {picture.size[0]} x {picture.size[1]}, {(DOCS / picture.name).stat().st_size:,} bytes")


async def take_all(url: str, names: list[str]) -> None:
    """Take the pictures, each in a browser context of its own."""
    async with async_playwright() as browsers:
        chromium = await browsers.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        turn = asyncio.Semaphore(AT_ONCE)

        async def take_one(picture: Picture) -> None:
            async with turn:
                context = await chromium.new_context()
                await take(await context.new_page(), url, picture)
                await context.close()

        await asyncio.gather(*(take_one(picture) for picture in PICTURES if not names or picture.name in names))
        await chromium.close()


async def main(minutes: float, rate: float, names: list[str]) -> None:
    """Serve, simulate, wait, and take the pictures while visitors go on."""
    with tempfile.TemporaryDirectory(prefix="glimpse-pictures-") as folder:
        async with served(Path(folder)) as url:
            visitors = asyncio.create_task(simulate(Simulation(url=url, rate=rate, seed=2026, past_s=PAST_S)))
            for _ in tqdm(range(round(minutes * 60)), desc="Visitors come", unit="s"):
                await asyncio.sleep(1)
            await take_all(url, names)
            visitors.cancel()
            print(await visitors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.5, help="how long visitors come before (default: 1.5)")
    parser.add_argument("--rate", type=float, default=40, help="events a second (default: 40)")
    parser.add_argument("names", nargs="*", help="only these pictures")
    options = parser.parse_args()
    asyncio.run(main(options.minutes, options.rate, options.names))
