"""What one viewer costs the server in processor time: a look when nothing changed, and a refresh when everything did.

`python bench/viewer_tick.py`: a served dashboard's document with its messages encoded, as a WebSocket would send them,
on a window of 10,000 sessions in 2,500 places that takes 1,000 events a second.
`--places 40000` is a map with as many.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from statistics import median
from typing import Any
from uuid import UUID

from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent
from bokeh.protocol import Protocol

from glimpse.events import Event
from glimpse.live import Window
from glimpse.views.board import board_of
from glimpse.views.dashboard import Dashboard
from glimpse.views.page import page

SESSIONS, PER_TICK, TICKS = 10_000, 100, 100
MANY, MANY_TICKS = 100, 5
NAMES = ["page_view"] * 6 + ["element_viewed", "add_to_cart", "purchase", "outbound_click", "page_leave"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=2_500)
    places = parser.parse_args().places
    n_sessions = max(SESSIONS, places)
    r = random.Random(7)
    now = [1_790_000_000_000]
    window = Window(minutes=30, max_events=200_000, now_ms=lambda: now[0])
    visitors = [(str(UUID(int=r.getrandbits(128))), r.uniform(-50, 65), r.uniform(-170, 175)) for _ in range(places)]
    sessions = [(str(UUID(int=r.getrandbits(128))), *r.choice(visitors)[1:]) for _ in range(n_sessions)]
    window.restore([made(r, r.choice(sessions), now[0] - r.randrange(1_700_000)) for _ in range(100_000)])
    window.append([made(r, session, now[0], "heartbeat") for session in sessions])

    first, other = Viewer(window), Viewer(window)
    append, count, refresh, second = [], [], [], []
    for _ in range(TICKS):
        now[0] += 100
        fresh = [made(r, r.choice(sessions), now[0]) for _ in range(PER_TICK)]
        append.append(timed(lambda: window.append(fresh)))  # noqa: B023 - called at once
        count.append(timed(lambda: board_of(window, "demo")))
        refresh.append(timed(first.tick))
        second.append(timed(other.tick))
    idle = timed(lambda: [first.pull.tick() for _ in range(1000)]) / 1000
    show("append 100 events (once for all viewers)", append)
    show("numbers and board (once for all viewers)", count)
    show("refresh of the first viewer, all parts change, encoded", refresh, 5)
    show("refresh of one more viewer", second, 5)
    show("a look when nothing changed", [idle], 0.1)
    print(f"{'sent to one viewer in a refresh':<58} {first.sent_bytes / 1024:8.1f} KiB in {first.sent_frames} frames")
    gc.collect()
    show_many(window, now, r, sessions)


def show_many(window: Window, now: list[int], r: random.Random, sessions: list[tuple[str, float, float]]) -> None:
    """Print the processor time of one tick of 100 viewers of one project, for whom everything has changed."""
    viewers = [Viewer(window) for _ in range(MANY)]
    took = []
    for _ in range(MANY_TICKS):
        now[0] += 1_000
        window.append([made(r, r.choice(sessions), now[0]) for _ in range(10 * PER_TICK)])
        took.append(sum(timed(viewer.tick) for viewer in viewers))
    show(f"a tick of {MANY} viewers, one a second of one core", took, 1000)


def made(r: random.Random, session: tuple[str, float, float], at: int, name: str | None = None) -> Event:
    event_id = str(UUID(int=r.getrandbits(128)))
    return Event(
        id=event_id, project="demo", session_id=session[0], name=name or r.choice(NAMES), time=at,
        received_at=at, url="https://shop.example/", page=f"/p/{r.randrange(400)}", title="Shop", city="Somewhere",
        country="GB", lat=session[1], lon=session[2], source=r.choice(["google", None, "news"]), browser="Chrome",
        os="Windows", context={"pageId": session[0]},
    )  # fmt: skip


class Viewer:
    """A dashboard whose page is told of changes as Panel does it: all of a tick in one message, arrays in their own."""

    def __init__(self, window: Window) -> None:
        dashboard = Dashboard(window, "demo")
        self.pull = dashboard.pull
        self._timeline = dashboard.live.timeline
        self._document: Document = page(dashboard).server_doc(Document())
        self._protocol = Protocol()
        self.sent_bytes = self.sent_frames = 0
        self.tick()

    def tick(self) -> None:
        """Look, as if 100 ms had passed, and encode what a browser is to be sent."""
        self.pull._refreshed_at = self._timeline._redrawn_at = 0.0  # noqa: SLF001 - in truth bars wait longer
        callbacks = self._document.callbacks
        self._document.hold("combine")
        self.pull.tick()
        events = [event for event in callbacks._held_events if isinstance(event, DocumentPatchedEvent)]  # noqa: SLF001
        callbacks._held_events, callbacks._hold = [], None  # noqa: SLF001
        if events:
            message = self._protocol.create("PATCH-DOC", events)
            told = [message.header_json, message.metadata_json, message.content_json]
            told += [part for buffer in message.buffers for part in (json.dumps(buffer.ref), buffer.to_bytes())]
            self.sent_bytes, self.sent_frames = sum(map(len, told)), len(told)


def timed(work: Any) -> float:
    start = time.process_time()  # what else this machine does is not a viewer's cost
    work()
    return time.process_time() - start


def show(what: str, seconds: list[float], bar_ms: float | None = None) -> None:
    p95 = sorted(seconds)[int(len(seconds) * 0.95)] * 1e3
    verdict = "" if bar_ms is None else f"   bar {bar_ms:g}: {'held' if p95 <= bar_ms else 'MISSED'}"
    print(f"{what:<58} {median(seconds) * 1e3:8.2f} ms   p95 {p95:.2f} ms{verdict}")


if __name__ == "__main__":
    main()
