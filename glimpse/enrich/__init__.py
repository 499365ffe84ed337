"""What is known of an event beyond what its client said. `STEPS` reads in the order it runs: start here.

Each step takes a batch of (admitted, event) pairs and fills fields of the events. To add one, write
`put_something(batch, tools)` here or in a module of its own, and give it its place in `STEPS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import msgspec

from glimpse.enrich.device import Devices
from glimpse.enrich.source import describe_source
from glimpse.events import AdmittedEvent, Event
from glimpse.geo.places import Place, PlaceLookup
from glimpse.geo.zones import main_city_of

Pair = tuple[AdmittedEvent, Event]
Batch = Sequence[Pair]


class Tools(msgspec.Struct):
    """What the steps look things up in."""

    places: PlaceLookup
    devices: Devices


def put_page(batch: Batch, _tools: Tools) -> None:
    """Fill url (without query), host, page and title, from the context's address."""
    for admitted, event in batch:
        url = _text(admitted.context, "url")
        parts = _split(url)
        event.host = parts.hostname if parts else None
        event.page = _text(admitted.context, "path") or (parts.path or "/" if parts and parts.netloc else None)
        event.url = (
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts and parts.netloc else None
        )
        event.title = _text(admitted.context, "title")


def put_source(batch: Batch, _tools: Tools) -> None:
    """Fill referrer, source, channel and the UTM fields."""
    for admitted, event in batch:
        url = _text(admitted.context, "url")
        utm = admitted.context.get("utm")
        found = describe_source(_text(admitted.context, "referrer"), url, utm if isinstance(utm, dict) else None)
        event.referrer, event.source, event.channel = found.referrer, found.source, found.channel
        event.utm_source, event.utm_medium, event.utm_campaign = found.utm_source, found.utm_medium, found.utm_campaign
        event.utm_term, event.utm_content = found.utm_term, found.utm_content


def put_device(batch: Batch, tools: Tools) -> None:
    """Fill browser, os, device, language, screen and viewport."""
    for admitted, event in batch:
        known = tools.devices.describe(_text(admitted.context, "userAgent") or admitted.user_agent)
        event.browser, event.os, event.device = known.browser, known.os, known.device
        event.language = _text(admitted.context, "language")
        event.screen = _size(admitted.context.get("screen"))
        event.viewport = _size(admitted.context.get("viewport"))


def put_place(batch: Batch, tools: Tools) -> None:
    """Fill the place from the network; for a private peer, the main city of its time zone."""
    found = tools.places.find_many([admitted.network for admitted, _ in batch])
    for (admitted, event), place in zip(batch, found, strict=True):
        if place is not None:
            _put(event, place, "network")
        elif admitted.is_private_peer and (city := main_city_of(_text(admitted.context, "timezone"))):
            _put(event, city, "timezone")


def put_rest(batch: Batch, _tools: Tools) -> None:
    """Keep properties, and what of the context has no column."""
    for admitted, event in batch:
        event.properties = admitted.properties
        event.context = {k: v for k, v in admitted.context.items() if k not in _IN_COLUMNS}


STEPS: tuple[Callable[[Batch, Tools], None], ...] = (put_page, put_source, put_device, put_place, put_rest)

_IN_COLUMNS = frozenset(
    {"url", "path", "title", "referrer", "utm", "userAgent", "language", "screen", "viewport"},
)


class Enricher:
    """Runs the steps over a batch and keeps the seconds that each has taken."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.seconds = dict.fromkeys((step.__name__ for step in STEPS), 0.0)

    def enrich(self, admitted: Sequence[AdmittedEvent]) -> list[Pair]:
        """Return each admitted event with what is known of it; sessions are not given yet."""
        batch = [
            (a, Event(id=a.id, project=a.project, name=a.name, time=a.time, received_at=a.received_at))
            for a in admitted
        ]
        for step in STEPS:
            began = time.perf_counter()
            step(batch, self.tools)
            self.seconds[step.__name__] += time.perf_counter() - began
        return batch


def _put(event: Event, place: Place, place_source: str) -> None:
    event.country, event.region, event.city, event.time_zone = place.country, place.region, place.city, place.time_zone
    event.lat, event.lon, event.place_source = place.lat, place.lon, place_source


def _text(context: dict[str, object], key: str) -> str | None:
    value = context.get(key)
    return value if isinstance(value, str) and value else None


def _split(url: str | None):  # noqa: ANN202 - urlsplit's own type
    try:
        return urlsplit(url) if url else None
    except ValueError:
        return None


def _size(value: object) -> str | None:
    if isinstance(value, str):
        return value[:32] or None
    if (
        isinstance(value, dict)
        and isinstance(value.get("width"), int | float)
        and isinstance(value.get("height"), int | float)
    ):
        return f"{value['width']:.0f}x{value['height']:.0f}"
    return None
