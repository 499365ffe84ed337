"""What is known of an event beyond what its client said. `STEPS` reads in the order it runs: start here.

Each step takes a batch of (admitted, event) pairs and fills fields of the events. To add one, write
`put_something(batch, tools)` here or in a module of its own, and give it its place in `STEPS`: if what it puts follows
from the context, the user agent and the network alone. Those come again with each event of a page, and what is known
of them is kept (`sketches.py`). What differs from event to event has its place in `OWN_STEPS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from glimpse.enrich.device import Devices
from glimpse.enrich.sketches import Sketches
from glimpse.enrich.source import MOST_REMEMBERED_CHARS, describe_source
from glimpse.events import AdmittedEvent, Event, PackedEvent, SketchedContext, decode_context
from glimpse.geo.places import Place, PlaceLookup
from glimpse.geo.zones import main_city_of

Pair = tuple[AdmittedEvent, Event]
Batch = Sequence[Pair]


class Shared(msgspec.Struct):
    """What events of one page have in common, and all that `STEPS` read of it; named as in `AdmittedEvent`."""

    context: dict[str, Any]
    user_agent: str
    network: str | None
    is_private_peer: bool


Sharers = Sequence[tuple[Shared | AdmittedEvent, Event]]


class Tools(msgspec.Struct):
    """What the steps look things up in."""

    places: PlaceLookup
    devices: Devices


def put_page(batch: Sharers, _tools: Tools) -> None:
    """Fill url (without query), host, page and title, from the context's address."""
    for admitted, event in batch:
        context = admitted.context
        event.host, path, event.url = page_of(_text(context, "url"))
        event.page = _text(context, "path") or path
        event.title = _text(context, "title")


def put_source(batch: Sharers, _tools: Tools) -> None:
    """Fill referrer, source, channel and the UTM fields."""
    for admitted, event in batch:
        context = admitted.context
        utm = context.get("utm")
        found = describe_source(
            _text(context, "referrer"),
            _text(context, "url"),
            utm if isinstance(utm, dict) else None,
            entry=_text(context, "entryReferrer"),
        )
        event.referrer, event.source, event.channel = found.referrer, found.source, found.channel
        event.utm_source, event.utm_medium, event.utm_campaign = found.utm_source, found.utm_medium, found.utm_campaign
        event.utm_term, event.utm_content = found.utm_term, found.utm_content


def put_device(batch: Sharers, tools: Tools) -> None:
    """Fill browser, os, device, language, screen and viewport."""
    for admitted, event in batch:
        known = tools.devices.describe(_text(admitted.context, "userAgent") or admitted.user_agent)
        event.browser, event.os, event.device = known.browser, known.os, known.device
        event.language = _text(admitted.context, "language")
        event.screen = _size(admitted.context.get("screen"))
        event.viewport = _size(admitted.context.get("viewport"))


def put_place(batch: Sharers, tools: Tools) -> None:
    """Fill the place from the network; for a private peer, the main city of its time zone."""
    found = tools.places.find_many([admitted.network for admitted, _ in batch])
    for (admitted, event), place in zip(batch, found, strict=True):
        if place is not None:
            _put(event, place, "network")
        elif admitted.is_private_peer and (city := main_city_of(_text(admitted.context, "timezone"))):
            _put(event, city, "timezone")


def put_rest(batch: Sharers, _tools: Tools) -> None:
    """Keep what of the context has no column."""
    for admitted, event in batch:
        event.context = SketchedContext(_without_columns(admitted.context))


def put_claim(batch: Batch, _tools: Tools) -> None:
    """Fill what the client says of this one event."""
    for admitted, event in batch:
        event.id, event.project, event.name = admitted.id, admitted.project, admitted.name
        event.time, event.received_at, event.properties = admitted.time, admitted.received_at, admitted.properties


def put_identity(batch: Batch, _tools: Tools) -> None:
    """Fill who it was, where the project keeps that; the edge has left it out otherwise."""
    for admitted, event in batch:
        event.user_id, event.anonymous_id, event.traits = admitted.user_id, admitted.anonymous_id, admitted.traits


Step = Callable[[Sharers, Tools], None]
OwnStep = Callable[[Batch, Tools], None]
STEPS: tuple[Step, ...] = (put_page, put_source, put_device, put_place, put_rest)
OWN_STEPS: tuple[OwnStep, ...] = (put_claim, put_identity)

_IN_COLUMNS = frozenset(
    {"url", "path", "title", "referrer", "entryReferrer", "utm", "userAgent", "language", "screen", "viewport"},
)
_SIZE = frozenset({"width", "height"})
# Of these, some of what is in them has a column.
_PARTLY_IN_COLUMNS: dict[str, frozenset[str]] = {
    "screen": _SIZE,
    "viewport": _SIZE,
    "utm": frozenset({"source", "medium", "campaign", "term", "content"}),
}


class Enricher:
    """Runs the steps over a batch and keeps the seconds that each has taken."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._sketches = Sketches()
        self._places_were = tools.places.generation
        self.seconds = dict.fromkeys(("recall", *(step.__name__ for step in (*STEPS, *OWN_STEPS))), 0.0)

    def enrich(self, admitted: Sequence[PackedEvent]) -> list[Pair]:
        """Return each admitted event with what is known of it; sessions are not given yet."""
        began, before = time.perf_counter(), sum(self.seconds.values())
        if self._places_were != self.tools.places.generation:
            self._places_were, self._sketches = self.tools.places.generation, Sketches()
        batch: list[Pair] = list(zip(admitted, self._sketches.drawn(admitted, self._sketch), strict=True))
        self.seconds["recall"] += time.perf_counter() - began - (sum(self.seconds.values()) - before)
        self._run(OWN_STEPS, batch)
        return batch

    def _sketch(self, admitted: Sequence[PackedEvent]) -> list[Event]:
        batch = [
            (
                Shared(decode_context(event.context), event.user_agent, event.network, event.is_private_peer),
                Event(id="", project="", name="", time=0, received_at=0),
            )
            for event in admitted
        ]
        self._run(STEPS, batch)
        return [event for _, event in batch]

    def _run(self, steps: Sequence[Callable[[Any, Tools], None]], batch: Sequence[Any]) -> None:
        for step in steps:
            began = time.perf_counter()
            step(batch, self.tools)
            self.seconds[step.__name__] += time.perf_counter() - began


def _put(event: Event, place: Place, place_source: str) -> None:
    event.country, event.region, event.city, event.time_zone = place.country, place.region, place.city, place.time_zone
    event.lat, event.lon, event.place_source = place.lat, place.lon, place_source


def _without_columns(context: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in context.items() if name not in _IN_COLUMNS}
    for name, columns in _PARTLY_IN_COLUMNS.items():
        whole = context.get(name)
        if isinstance(whole, dict) and not whole.keys() <= columns:
            rest[name] = {key: value for key, value in whole.items() if key not in columns}
    return rest


def _text(context: dict[str, object], key: str) -> str | None:
    value = context.get(key)
    return value if isinstance(value, str) and value else None


Page = tuple[str | None, str | None, str | None]  # host, path, and address without query and credentials


def page_of(url: str | None) -> Page:
    """Return what an address tells; None for what it does not have."""
    if url is None:
        return None, None, None
    return _page_of(url) if len(url) <= MOST_REMEMBERED_CHARS else _page_of.__wrapped__(url)


@lru_cache(20_000)
def _page_of(url: str) -> Page:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None, None, None
    if not parts.netloc:
        return host, None, None
    return host, parts.path or "/", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _size(value: object) -> str | None:
    if isinstance(value, str):
        return value[:32] or None
    if isinstance(value, dict):
        width, height = value.get("width"), value.get("height")
        if isinstance(width, int | float) and isinstance(height, int | float):
            return _size_text(width, height)
    return None


@lru_cache(5_000)
def _size_text(width: float, height: float) -> str:
    return f"{width:.0f}x{height:.0f}"
