"""Events as a busy site has them: visits that begin, go from page to page, and end, thousands of them at once.

Each is given in both forms that `bench/pipeline_race.py` needs: as Glimpse's buffer holds it, and as a job of BullMQ.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from heapq import heapify, heapreplace
from uuid import UUID

from glimpse.events import AdmittedEvent
from glimpse.traffic.browsers import pick_browser

OPEN_VISITS = 5_000  # at any moment
PAGES = ("/", "/hats", "/hats/felt", "/hats/straw", "/cart", "/checkout", "/about", "/journal/on-brims")
REFERRERS = ("", "", "https://www.google.com/", "https://news.ycombinator.com/", "https://t.co/abc")
ZONES = (("de-DE", "Europe/Berlin"), ("en-US", "America/New_York"), ("en-IN", "Asia/Kolkata"), ("ja-JP", "Asia/Tokyo"))
ON_A_PAGE = ("click", "heartbeat", "add_to_cart", "heartbeat", "scroll_depth")
SPAN_MS = 50_000  # in which all of them come


def make_events(count: int, seed: int = 1, open_visits: int = OPEN_VISITS) -> list[AdmittedEvent]:
    """Return events in the order in which they come, the last a few seconds ago."""
    chance = random.Random(seed)
    began_at = time.time_ns() // 1_000_000 - SPAN_MS - 5_000
    visits = [(chance.random() * open_visits, number, _visit(chance)) for number in range(open_visits)]
    heapify(visits)
    events: list[AdmittedEvent] = []
    while len(events) < count:
        turn, number, visit = visits[0]
        at = began_at + len(events) * SPAN_MS // count
        event = next(visit, None)
        if event is None:  # who leaves is followed by another
            visit = _visit(chance)
            event = next(visit)
        events.append(_at(event, at))
        heapreplace(visits, (turn + open_visits * (0.2 + 1.6 * chance.random()), number, visit))
    return events


def as_jobs(events: list[AdmittedEvent]) -> Iterator[str]:
    """Return the lines of the file that the seed's `enqueue.mjs` reads: address, user agent, event."""
    for event in events:
        address = (event.network or "").replace("0/24", "7")
        body = {
            "projectId": event.project,
            "event": event.name,
            "timestamp": event.time,
            "sessionId": event.client_session,
            "properties": event.properties,
            "context": event.context,
        }
        yield f"{address}\t{event.user_agent}\t{json.dumps(body, separators=(',', ':'))}"


def _at(event: AdmittedEvent, time_ms: int) -> AdmittedEvent:
    facts = {name: getattr(event, name) for name in event.__struct_fields__}
    return AdmittedEvent(**facts | {"time": time_ms, "received_at": time_ms})


def _visit(chance: random.Random) -> Iterator[AdmittedEvent]:
    """Return a visitor's events: on each page its view, what is done there, and the leave."""
    session, browser, referrer = str(_uuid(chance)), pick_browser(chance), chance.choice(REFERRERS)
    network = f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.0/24"
    (language, zone), (width, height, ratio) = chance.choice(ZONES), browser.screen
    before = ""
    for _ in range(1 + chance.randrange(5)):
        page = chance.choice(PAGES)
        context = {
            "url": f"https://shop.example{page}?utm_source=news&utm_medium=email",
            "path": page,
            "title": f"{page} - Example shop",
            "referrer": referrer,
            "previousPath": before,
            "viewport": browser.viewport,
            "screen": {"width": width, "height": height, "colorDepth": 24, "pixelRatio": ratio},
            "userAgent": browser.user_agent,
            "language": language,
            "timezone": zone,
            "connection": {"effectiveType": "4g", "downlink": 10, "rtt": 50, "saveData": False},
            "pageId": f"{chance.getrandbits(48):012x}",
        }
        for name in ("page_view", *chance.sample(ON_A_PAGE, chance.randrange(1, 5)), "page_leave"):
            yield AdmittedEvent(
                project="shop",
                id=str(_uuid(chance)),
                name=name,
                time=0,
                received_at=0,
                client_session=session,
                visitor=session,
                visitor_before=None,
                network=network,
                is_private_peer=False,
                user_agent=browser.user_agent,
                properties={"engagedMs": chance.randrange(9000)} if name == "page_leave" else {"section": "hats"},
                context=context,
            )
        before = page


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
