"""Where the time of the dashboard's frames goes: one tab in Chromium, traced while events come.

`python bench/dashboard_frames.py --rate 200 --layer events`: how far frames lie apart, each task of the page's main
thread that took longer than 50 ms, what kind of work the tasks are made of, and the functions that took most of it.
Wall time counts what else this machine does; processor time is the page's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from dashboard import DEEP, FLAGS, FRAMES, FRAMES_BAR_MS, WARM_UP_S, WATCHED_S, WHOLE_PAGE, show
from playwright.async_api import Page, async_playwright
from serving import Served

from glimpse.traffic.simulate import Simulation, simulate

TRACED = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "__metadata"]
SAMPLED_EVERY_US = 500
MOST = 18


def main() -> None:
    """Serve, let visitors come, and look at one tab."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200, help="events a second (default: 200)")
    parser.add_argument("--seconds", type=float, default=WATCHED_S, help=f"how long to look (default: {WATCHED_S})")
    parser.add_argument("--layer", default="places", help="places, sessions or events: what the map shows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-frames-") as folder:
        served = Served(Path(folder) / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_RATE_LIMIT="100000")
        try:
            served.start(120)
            asyncio.run(look(served, options))
        finally:
            served.stop(60)


async def look(served: Served, options: argparse.Namespace) -> None:
    """Print where one tab's time goes."""
    visitors = asyncio.create_task(simulate(Simulation(url=served.url, rate=options.rate, seed=7)))
    async with async_playwright() as browsers:
        chromium = await browsers.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = await (await chromium.new_context(viewport={"width": 1440, "height": 900})).new_page()
        await page.add_init_script(DEEP)
        await page.goto(f"{served.url}/glimpse_app?project=demo&layer={options.layer}")
        await page.evaluate(WHOLE_PAGE)
        await asyncio.sleep(WARM_UP_S)
        show(f"frames, {options.layer}, alone", await page.evaluate(FRAMES, options.seconds), FRAMES_BAR_MS, judged=max)
        await chromium.start_tracing(page=page, categories=TRACED)
        await page.evaluate(FRAMES, options.seconds)
        tell_tasks(json.loads(await chromium.stop_tracing())["traceEvents"], options.seconds)
        tell_functions(await sampled(page, options.seconds))
        await chromium.close()
    visitors.cancel()
    print(await visitors)


def tell_tasks(events: list[dict[str, Any]], seconds: float) -> None:
    """Print tasks over the bar, and how much of the processor each kind of work took."""
    mains = [e for e in events if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"]
    done: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X" and event.get("dur"):
            done[event["pid"], event["tid"]].append(event)
    main = max(((e["pid"], e["tid"]) for e in mains), key=lambda one: sum(e["dur"] for e in done[one]))
    alone: Counter[str] = Counter()
    open_: list[tuple[float, str]] = []
    for event in sorted(done[main], key=lambda e: (e["ts"], -e["dur"])):
        while open_ and open_[-1][0] <= event["ts"]:
            open_.pop()
        cpu = event.get("tdur", event["dur"])
        if open_:
            alone[open_[-1][1]] -= cpu
        alone[event["name"]] += cpu
        open_.append((event["ts"] + event["dur"], event["name"]))
    tasks = [e for e in done[main] if e["name"] in {"RunTask", "ThreadControllerImpl::RunTask"}]
    long = sorted((e for e in tasks if e["dur"] > FRAMES_BAR_MS * 1000), key=lambda e: -e["dur"])
    print(f"{len(long)} tasks over {FRAMES_BAR_MS} ms in {seconds:.0f} s; the longest, ms (of the processor):")
    print("  " + ", ".join(f"{e['dur'] / 1e3:.0f} ({e.get('tdur', 0) / 1e3:.0f})" for e in long[:MOST]))
    print("processor time of each kind of work, ms a second:")
    for name, cpu in alone.most_common(MOST):
        print(f"  {cpu / 1e3 / seconds:8.1f}  {name}")


async def sampled(page: Page, seconds: float) -> dict[str, Any]:
    """Return a profile of the page's scripts."""
    line = await page.context.new_cdp_session(page)
    await line.send("Profiler.enable")
    await line.send("Profiler.setSamplingInterval", {"interval": SAMPLED_EVERY_US})
    await line.send("Profiler.start")
    await asyncio.sleep(seconds)
    return (await line.send("Profiler.stop"))["profile"]


def tell_functions(profile: dict[str, Any]) -> None:
    """Print the functions in which the page was, alone and with what they called."""
    nodes = {node["id"]: node for node in profile["nodes"]}
    above = {child: node["id"] for node in profile["nodes"] for child in node.get("children", ())}
    alone, within = Counter[str](), Counter[str]()
    for at, us in zip(profile["samples"], profile["timeDeltas"], strict=True):
        alone[_called(nodes[at])] += us
        stack = set()
        node = at
        while node in above:
            stack.add(_called(nodes[node]))
            node = above[node]
        for name in stack:
            within[name] += us
    whole = profile["endTime"] - profile["startTime"]
    for title, counted in (("in a function alone", alone), ("with what it called", within)):
        print(f"{title}, ms a second:")
        for name, us in counted.most_common(MOST + 12):
            print(f"  {us / whole * 1e3:8.1f}  {name}")


def _called(node: dict[str, Any]) -> str:
    call = node["callFrame"]
    file = call["url"].rsplit("/", 1)[-1].split("?")[0]
    return f"{call['functionName'] or 'a function'} ({file}:{call['lineNumber'] + 1}:{call['columnNumber'] + 1})"


if __name__ == "__main__":
    main()
