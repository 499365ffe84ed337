"""What happens where: one object a place, for as long as anybody is there or an event of the span came from it."""

from __future__ import annotations

from functools import lru_cache
from math import floor

from glimpse.events import Event
from glimpse.live.numbers import PlaceNow

Key = tuple[float, float]


@lru_cache(50_000)
def place_key(lat: float, lon: float) -> Key:
    """Return what makes two positions one place: about a kilometre, rounded as the question `places` does."""
    return floor(lat * 100 + 0.5) / 100, floor(lon * 100 + 0.5) / 100


class PlaceCounts:
    """One place, and how many are there."""

    __slots__ = ("_over", "active", "count", "events", "fixed", "key", "last_event_at", "lat", "lon", "seen", "shown")

    def __init__(self, key: Key, event: Event, over: list[Key]) -> None:
        self.key = key
        self._over = over  # takes the keys of places that may be over, so that nobody has to look through all
        # The very position of the first event; others may be of the same place too.
        self.lat, self.lon = event.lat, event.lon
        self.fixed = (event.lat, event.lon, event.city, event.region, event.country)
        self.count = 0
        self.active = 0
        self.events = 0
        self.last_event_at = 0
        self.shown: PlaceNow | None = None  # None: something has changed since

    def count_session(self, n: int, *, is_active: bool) -> None:
        """Count a session in or out."""
        self.count += n
        self.active += n if is_active else 0
        self.shown = None
        if self.is_over:
            self._over.append(self.key)

    def count_events(self, n: int, heard: int) -> None:
        """Count events in, of which the last was heard then."""
        self.events += n
        self.last_event_at = max(self.last_event_at, heard)
        self.shown = None

    def uncount_events(self, n: int) -> None:
        """Let events go that have left the span."""
        self.events -= n
        self.shown = None
        if self.is_over:
            self._over.append(self.key)

    @property
    def is_over(self) -> bool:
        """Whether nobody is there and nothing was."""
        return not (self.count or self.events)

    def now(self) -> PlaceNow:
        """Return its numbers: the same object until one of them changes."""
        if self.shown is None:
            lat, lon, city, region, country = self.fixed
            self.shown = PlaceNow(
                self.key, lat or 0.0, lon or 0.0, city, region, country, self.count, self.active, self.events,
                self.last_event_at,
            )  # fmt: skip
        return self.shown


class Places:
    """The places of one project."""

    def __init__(self) -> None:
        self._places: dict[Key, PlaceCounts] = {}
        self._over: list[Key] = []

    def find(self, event: Event) -> PlaceCounts | None:
        """Return the place of an event; None when it is not known where that is."""
        if event.lat is None or event.lon is None:
            return None
        key = place_key(event.lat, event.lon)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = PlaceCounts(key, event, self._over)
        return place

    def __getitem__(self, key: Key) -> PlaceCounts:
        return self._places[key]

    def now(self) -> list[PlaceNow]:
        """Return every place's numbers, in the order in which they came up."""
        for key in self._over:
            if (place := self._places.get(key)) and place.is_over:
                del self._places[key]
        self._over.clear()
        return [place.shown or place.now() for place in self._places.values()]
