"""Find the place of a network in a City database, in memory, behind an LRU cache.

A lookup never raises: without a database, or with a broken one, every place is None and `problem` says why.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import maxminddb
import msgspec

from glimpse import resources
from glimpse.geo.networks import address_of
from glimpse.settings import Settings

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

logger = logging.getLogger(__name__)

CACHE_SIZE = 50_000
CHECK_EVERY_S = 1.0
UPDATED_NAME = "city.mmdb"
"""What `glimpse geo update` leaves in the data directory; it is preferred to the bundled database."""


class Place(msgspec.Struct, frozen=True):
    """Where something is. What isn't known is None; coordinates are both known or both None."""

    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None
    city: str | None = None
    time_zone: str | None = None  # IANA
    lat: float | None = None
    lon: float | None = None


def open_places(settings: Settings) -> PlaceLookup:
    """Open the database the settings name, else the updated one in the data directory, else the bundled one."""
    if settings.geoip_db is not None:
        return PlaceLookup(settings.geoip_db, cache_size=settings.geo_cache_size)
    updated = Path(settings.data_dir) / UPDATED_NAME
    return PlaceLookup(updated, fallback=bundled_database(), cache_size=settings.geo_cache_size)


def bundled_database() -> Path | None:
    """Return the compact database that comes with Glimpse."""
    try:
        return resources.path("geo/places.mmdb")
    except FileNotFoundError:
        return None


class PlaceLookup:
    """Places by network, from GeoLite2, GeoIP2, DB-IP or Glimpse's own compact City file.

    Parameters
    ----------
    path
        The database. It may appear, change or vanish at any time: call `refresh_if_replaced` from a periodic task.
    fallback
        The database to use while there is none at ``path``.
    cache_size
        How many networks the cache holds.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        fallback: Path | None = None,
        cache_size: int = CACHE_SIZE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem: str | None = None
        self._path, self._fallback, self._clock = path, fallback, clock
        self._reader: maxminddb.Reader | None = None
        self._identity: _Identity | None = None
        self._checked_at = clock()
        self._hits_before = self._misses_before = 0
        self.generation = 0  # another number: places found before may be others now
        self._cache_size = cache_size
        self._cached = self._cache_over(None)
        self._open(self._identity_of_file())

    @property
    def hits(self) -> int:
        """How many lookups the cache answered."""
        return self._hits_before + self._cached.cache_info().hits

    @property
    def misses(self) -> int:
        """How many lookups went to the database."""
        return self._misses_before + self._cached.cache_info().misses

    @property
    def database(self) -> str | None:
        """Type and build date of the open database, or None."""
        if self._reader is None:
            return None
        meta = self._reader.metadata()
        return f"{meta.database_type} of {time.strftime('%Y-%m-%d', time.gmtime(meta.build_epoch))}"

    def find(self, network: str | None) -> Place | None:
        """Return the place of a network such as ``81.2.69.0/24``, or of an address."""
        return None if network is None else self._cached(network)

    def find_many(self, networks: Iterable[str | None]) -> list[Place | None]:
        """Return the place of each network, in order."""
        cached = self._cached
        return [None if network is None else cached(network) for network in networks]

    def refresh_if_replaced(self) -> bool:
        """Open the database again if another file is there now. Looks at most once a second.

        Returns
        -------
        Whether it was opened again.
        """
        now = self._clock()
        if now - self._checked_at < CHECK_EVERY_S:
            return False
        self._checked_at = now
        identity = self._identity_of_file()
        if identity == self._identity:
            return False
        self._open(identity)
        return True

    def close(self) -> None:
        """Free the database; every further place is None."""
        self._switch_to(None)

    def _look_up(self, reader: maxminddb.Reader | None, network: str) -> Place | None:
        if reader is None:
            return None
        try:
            return _place(reader.get(address_of(network)))
        except ValueError:  # no address at all
            return None
        except Exception as error:  # noqa: BLE001 - a damaged file can fail in any way; events go on without places
            self._report(f"{self._in_use()} is damaged: {error}")
            return None

    def _in_use(self) -> Path:
        return self._fallback if self._fallback is not None and not self._path.exists() else self._path

    def _identity_of_file(self) -> _Identity | None:
        path = self._in_use()
        try:
            stat = path.stat()
        except OSError:
            return None
        return path, stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _open(self, identity: _Identity | None) -> None:
        self._identity = identity
        reader, problem = _open_city_database(self._in_use())
        self._switch_to(reader)
        if problem is None:
            self.problem = None
            logger.info("places come from %s", self.database)
        else:
            self._report(problem)

    def _switch_to(self, reader: maxminddb.Reader | None) -> None:
        """Answer from another database, from one assignment on.

        Lookups may be under way in another thread: what they still find in the old database goes to the old cache.
        """
        info = self._cached.cache_info()
        self._reader, self._cached = reader, self._cache_over(reader)
        self.generation += 1
        self._hits_before += info.hits
        self._misses_before += info.misses

    def _cache_over(self, reader: maxminddb.Reader | None) -> _lru_cache_wrapper[Place | None]:
        return lru_cache(self._cache_size)(partial(self._look_up, reader))

    def _report(self, problem: str) -> None:
        """Note a problem, and log it once."""
        if problem != self.problem:
            logger.warning("no places: %s", problem)
        self.problem = problem


_Identity = tuple[Path, int, int, int]


def _open_city_database(path: Path) -> tuple[maxminddb.Reader | None, str | None]:
    """Return a reader, or what is wrong."""
    try:
        reader = _read_into_memory(path)
    except FileNotFoundError:
        return None, f"{path} is missing"
    except Exception as error:  # noqa: BLE001 - a damaged file can fail in any way
        return None, f"{path} can't be read: {error}"
    kind = reader.metadata().database_type
    if "City" in kind:
        return reader, None
    reader.close()
    return None, f"{path} is a {kind} database, not a City one"


def _read_into_memory(path: Path) -> maxminddb.Reader:
    """Return a reader on a copy in memory: the file may be overwritten while it is read.

    The compiled reader, five times as fast, reads only what is mapped. Where the system can make a file in memory,
    that is what it maps: a file on disk that were cut short would end the process.
    """
    if not hasattr(os, "memfd_create") or find_spec("maxminddb.extension") is None:
        return maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    with os.fdopen(os.memfd_create("glimpse-places"), "wb") as copy:
        copy.write(path.read_bytes())
        copy.flush()
        name = f"/proc/self/fd/{copy.fileno()}"
        return maxminddb.open_database(name, maxminddb.MODE_MMAP_EXT)


def _place(found: Any) -> Place | None:
    """Return the place of a record, as MaxMind's schema of a City database has it; None is an unknown address."""
    if found is None:
        return None
    location = found.get("location", {})
    lat, lon = location.get("latitude"), location.get("longitude")
    if lat is None or lon is None or (lat == 0 and lon == 0):
        lat = lon = None
    subdivisions = found.get("subdivisions")
    region = _name(subdivisions[0]) if subdivisions else None
    country, city = found.get("country", {}).get("iso_code"), _name(found.get("city", {}))
    place = Place(country, region, city, location.get("time_zone"), lat, lon)
    return None if place == _NOWHERE else place


def _name(part: Any) -> str | None:
    return part.get("names", {}).get("en")


_NOWHERE = Place()
