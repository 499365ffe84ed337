"""What tabs leave behind, and what one costs that never reads.

`python bench/dashboard_tabs.py --tabs 500`: a whole Glimpse, whose pages are opened over HTTP and WebSocket as a
browser does it, three at a time, and closed; then one that says it is ready and reads nothing more, while events
come. Memory is the server process' resident set; objects are counted in it, by a route that only the bench's app has.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from serving import Served, an_event
from viewers import connected, opened

AT_ONCE = 3
TELL_EVERY = 60  # tabs
START_WITHIN_S = 120
COUNTED = """
import gc
from tornado.web import RequestHandler
class Left(RequestHandler):
    def get(self):
        from glimpse.views.dashboard import Dashboard
        from bokeh.document import Document
        for _ in range(3):
            gc.collect()
        there = gc.get_objects()
        self.write({kind.__name__: sum(isinstance(one, kind) for one in there) for kind in (Dashboard, Document)})
ROUTES = [("/left", Left, {})]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=500)
    parser.add_argument("--no-silent", action="store_true", help="leave out the one that never reads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-tabs-") as name:
        folder = Path(name)
        (folder / "counted.py").write_text(COUNTED)
        served = Served(
            folder / "data",
            flags=("--plugins", "counted", "--unused-session-lifetime", "6000", "--check-unused-sessions", "500"),
        )
        served.environment["PYTHONPATH"] = str(folder)
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
    before = resident(served)
    began = time.monotonic()
    for first in range(0, options.tabs, TELL_EVERY):
        tabs = min(TELL_EVERY, options.tabs - first)
        await open_and_close(served, tabs)
        more = (resident(served) - before) / 1e6
        print(
            f"{first + tabs:6} tabs, {time.monotonic() - began:4.0f} s: {more:6.1f} MB more, the last not gone",
            flush=True,
        )
    left = await gone(served)
    after = resident(served)
    took, more = time.monotonic() - began, (after - before) / 1e6
    print(f"{options.tabs} tabs opened and closed in {took:.0f} s, left: {left}")
    verdict("memory after them", more, 20, "MB more")
    verdict("objects left", sum(left.values()), 0, "")
    if not options.no_silent:
        await stay_silent(served)


def verdict(what: str, found: float, bar: float, unit: str) -> None:
    """Print a figure, and whether it is within its bar."""
    print(f"{what:<55} {found:8.1f} {unit}   bar {bar:g}: {'held' if found <= bar else 'MISSED'}", flush=True)


async def open_and_close(served: Served, tabs: int) -> None:
    for first in range(0, tabs, AT_ONCE):
        lines = await asyncio.gather(*(opened(served.url) for _ in range(min(AT_ONCE, tabs - first))))
        await asyncio.to_thread(served.post, an_event("demo"))
        await asyncio.sleep(0.15)
        for line in lines:
            line.close()


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
