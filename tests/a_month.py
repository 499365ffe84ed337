"""A month of a shop and a blog, always the same: what questions to the store are asked about.

March 2026: clocks go forward in New York on the 8th and in Berlin on the 29th.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from glimpse.events import HEARTBEAT, PAGE_VIEW, PASSIVE_NAMES, SIGNS_OF_LIFE, Event, ImportedTotal, Session

SINCE = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
UNTIL = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp() * 1000)
PAGES = ("/", "/pricing", "/docs", "/checkout", "/blog/größe", "/it's")
COUNTRIES = ("DE", "FR", "US", None)
PLACES = {"DE": ("Berlin", 52.525, 13.4105), "FR": ("Paris", 48.8534, 2.3488), "US": ("New York", 40.7143, -74.006)}
SOURCES = ("google", "news", None)
DEVICES = ("desktop", "phone")
VITALS = ("LCP", "INP", "CLS", "FCP", "TTFB")
DAY_MS, HOUR_MS = 86_400_000, 3_600_000


@cache
def month() -> tuple[list[Event], list[Session]]:
    """Return the events and their sessions; 600 sessions over 31 days, some before and after, and a layer of bots."""
    chance = random.Random(7)
    events: list[Event] = []
    sessions: list[Session] = []
    for number in range(600):
        project = "shop" if number % 5 else "blog"
        visit = list(_visit(chance, "shop:bots" if number % 50 == 49 else project, number))
        events += visit
        sessions.append(_session_of(visit))
    return events, sessions


def _visit(chance: random.Random, project: str, number: int) -> Iterator[Event]:
    at = chance.randrange(SINCE - DAY_MS, UNTIL + DAY_MS)
    match number % 7:
        case 0:
            at -= at % HOUR_MS + 300  # the last half second of an hour
        case 1:
            at -= at % DAY_MS + HOUR_MS + 300  # and of a day in Berlin, in winter
    facts: dict[str, Any] = {
        "session_id": str(UUID(int=chance.getrandbits(128), version=4)),
        "country": chance.choice(COUNTRIES),
        "source": chance.choice(SOURCES),
        "device": chance.choice(DEVICES),
    }
    city, lat, lon = PLACES.get(facts["country"], (None, None, None))
    facts |= {"city": city, "lat": lat and lat + number % 3 / 100, "lon": lon}  # some in another part of the town
    for _ in range(chance.randint(1, 8)):
        name = chance.choice((PAGE_VIEW, PAGE_VIEW, PAGE_VIEW, "add_to_cart", "buy", "web_vital", HEARTBEAT))
        page = chance.choice(PAGES)
        event_id = str(UUID(int=chance.getrandbits(128), version=4))
        given = {"name": name, "page": page, "time": at, "received_at": at + 40, "properties": _about(chance, name)}
        yield Event(id=event_id, project=project, **facts, **given)
        at += chance.choice((0, 1, 700, 5_000, 45_000, 200_000))


def _about(chance: random.Random, name: str) -> dict[str, object]:
    match name:
        case "buy":
            return {"plan": chance.choice(("free", "pro", 5, True)), "price": chance.choice((0, 9.5, 20))}
        case "add_to_cart":
            return {"item": {"sku": f"A-{chance.randrange(4)}"}}
        case "web_vital":
            return {"metric": chance.choice(VITALS), "value": chance.choice((0.05, 0.3, 150, 900, 2600.5))}
    return {}


def _session_of(visit: list[Event]) -> Session:
    first, last = visit[0], visit[-1]
    seen = [event for event in visit if event.name not in SIGNS_OF_LIFE]
    views = [event for event in seen if event.name == PAGE_VIEW]
    return Session(
        project=first.project,
        id=first.session_id,
        started_at=first.time,
        last_seen_at=last.time,
        entry_page=views[0].page if views else None,
        exit_page=views[-1].page if views else None,
        pages=len(views),
        events=len(seen),
        interactions=sum(event.name not in PASSIVE_NAMES for event in seen),
        country=first.country,
        source=first.source,
        device=first.device,
    )


def imported_totals() -> list[ImportedTotal]:
    """Return two days by page, with a project more on the second, and of a day before the month."""
    about = [
        ("shop", 0, "day", "2026-03-01", 5, 9),
        ("shop", 1, "day", "2026-03-02", 7, None),
        ("shop", -1, "day", "2026-02-28", 3, 3),
        ("shop", 0, "page", "/", 5, 6),
        ("shop", 0, "page", None, 1, 1),
        ("shop", 1, "page", "/", 4, None),
        ("shop", 1, "page", "/docs", 20, None),
        ("blog", 1, "day", "2026-03-02", 100, 200),
    ]
    return [
        ImportedTotal(
            id=str(UUID(int=number)),
            project=project,
            origin="plausible",
            day=SINCE + day * 86_400_000,
            dimension=dimension,
            value=value,
            visitors=visitors,
            page_views=page_views,
        )
        for number, (project, day, dimension, value, visitors, page_views) in enumerate(about)
    ]
