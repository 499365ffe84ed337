"""Places clustered by zoom: all that lie in one square of the screen, some 18 pixels wide, are one dot.

Rule of this module: what is sent to a browser is bounded by its screen, never by how many places there are. Squares
nest (each is a quarter of the one above), and only those of the part of the world that is looked at are drawn: at most
some 4,000 dots on the widest screen. What the server does grows with the places, by some 0.25 µs each and tick, once
for all viewers that look at the same part (`bench/viewer_tick.py --places 40000`: 9 ms); there lies the limit of this
way, at 100,000 places or so, of which a window of 30 minutes has to hear first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from glimpse.live import PlaceNow
from glimpse.views.place_rows import SUMMED, Numbers, PlaceRows

WORLD_M = 2 * 20_037_508.342789244
LEVELS = range(3, 17)  # at 16 a square is 600 m wide, less than what makes two positions one place
TILE = 32  # squares on a side of what is asked for as a whole: so a small pan needs nothing new
MOST_TILES = 16  # on a side
_ANCHORS_EVERY_MS = 1_000
_STAYS = 1.25  # by how much a place must have more events than the one that names its dot
_MOST_EMPTY = 64

EMBER_PX = 4.0  # a place where somebody was
LARGEST_PX = 46.0
SMALLEST_PX = 3.0
# Up to so many dots: their scale, and how wide the largest may be.
_SCALES = ((12, 1.4, LARGEST_PX), (60, 1.1, LARGEST_PX), (200, 0.9, 34.0), (600, 0.65, 26.0), (10**9, 0.5, 22.0))
_STEP = 0.8
GONE, IDLE, ACTIVE = 0.0, 1.0, 2.0
CHANGING = ("size", "status", "heard", *SUMMED, "places")
COLUMNS = ("x", "y", *CHANGING, "place", "country")


@dataclass(frozen=True)
class Frame:
    """The part of the world that is looked at, and how closely: a level's tiles `[west, east]` and `[south, north]`."""

    level: int
    west: int
    south: int
    east: int
    north: int

    @property
    def square_m(self) -> float:
        """How wide a square is."""
        return WORLD_M / 2**self.level


WHOLE = Frame(6, 0, 0, 1, 1)  # until a browser says how large it is


def read_frame(said: str) -> Frame | None:
    """Return what a browser says it looks at; None if that can't be."""
    try:
        level, west, south, east, north = msgspec.json.decode(said, type=tuple[int, int, int, int, int])
    except msgspec.MsgspecError:
        return None
    tiles = max(1, 2**level // TILE) if level in LEVELS else 0
    is_there = all(0 <= low <= high < min(tiles, low + MOST_TILES) for low, high in ((west, east), (south, north)))
    return Frame(level, west, south, east, north) if is_there else None


def crowd_scale(dots: int, most: float = 1.0) -> float:
    """Return how large dots are drawn: a few must be seen, thousands must leave the map to be seen.

    In steps, so that one more place or session does not change every dot.

    Parameters
    ----------
    most
        Open sessions at the dot that has most.
    """
    scale, largest_px = next((scale, px) for upto, scale, px in _SCALES if dots <= upto)
    shrink = min(1.0, largest_px / (_full_px(most) * scale))
    return scale * _STEP ** ceil(log(shrink, _STEP))


def dots_px(open_sessions: Numbers, scale: float = 1.0) -> Numbers:
    """Return dots' diameters: the area grows with the sessions there."""
    crowd = np.minimum(LARGEST_PX, _full_px(open_sessions) * scale)
    return np.maximum(SMALLEST_PX, np.where(open_sessions > 0, crowd, EMBER_PX * scale))


def _full_px(open_sessions: Any) -> Any:
    return 7.0 + 4.0 * np.sqrt(np.maximum(open_sessions - 1, 0))


class Cells:
    """The dots of one frame, with the version at which each changed. A square keeps its row while it has places."""

    def __init__(self, places: PlaceRows, frame: Frame) -> None:
        self._places = places
        self.frame = frame
        self.version = 0
        self.generation = 0
        self._seen = -1
        self._start_anew()

    def _start_anew(self) -> None:
        self._places_were = self._places.generation
        self.generation += 1
        self.scale = crowd_scale(0)
        self._dots: dict[int, int] = {}  # square -> row
        self._dot_of = np.zeros(0, dtype=np.int64)  # by place: its dot's row + 1, or 0 for one outside
        self._anchors = np.zeros(0, dtype=np.int64)  # by dot: the place that it is drawn at and named by
        self._anchored_at = 0
        self._numbers = np.zeros((len(CHANGING), 0))
        self._changed_at = np.zeros(0, dtype=np.int64)
        self._moved_at = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._anchors)

    def take(self) -> None:
        """Take up a newer state of the places; of the same, nothing is done."""
        if self._seen == self._places.version:
            return
        self._seen = self._places.version
        self.version += 1
        if self._places_were != self._places.generation:
            self._start_anew()
        self._assign()
        self._sum()
        if np.count_nonzero(self._column("places") == 0) > max(_MOST_EMPTY, len(self) // 4):
            self._start_anew()
            self._assign()
            self._sum()

    def _assign(self) -> None:
        """Find the squares of places that are new."""
        east, north = self._places.metres[:, len(self._dot_of) :]
        across = np.floor((east + WORLD_M / 2) / self.frame.square_m).astype(np.int64)
        up = np.floor((north + WORLD_M / 2) / self.frame.square_m).astype(np.int64)
        frame = self.frame
        inside = (across >= frame.west * TILE) & (across < (frame.east + 1) * TILE)
        inside &= (up >= frame.south * TILE) & (up < (frame.north + 1) * TILE)
        found = [
            self._dots.setdefault(square, len(self._dots)) + 1 if is_inside else 0
            for square, is_inside in zip((across * 2**frame.level + up).tolist(), inside.tolist(), strict=True)
        ]
        self._dot_of = np.concatenate([self._dot_of, np.array(found, dtype=np.int64)])
        if new := len(self._dots) - len(self._anchors):
            self._anchors = np.concatenate([self._anchors, np.full(new, -1)])
            self._numbers = np.concatenate([self._numbers, np.full((len(CHANGING), new), -1.0)], axis=1)
            self._changed_at = np.concatenate([self._changed_at, np.zeros(new, dtype=np.int64)])
            self._moved_at = np.concatenate([self._moved_at, np.zeros(new, dtype=np.int64)])
            self._anchored_at = 0

    def _sum(self) -> None:
        there = self._places.there
        count, active, events = (self._by_dot(column) for column in self._places.summed)
        heard = np.zeros(len(self) + 1)
        np.maximum.at(heard, self._dot_of, self._places.heard)
        places = self._by_dot(there.astype(np.float64))
        self.scale = crowd_scale(int(np.count_nonzero(places)), float(count.max(initial=1)))
        size = np.where(places > 0, dots_px(count, self.scale), 0.0)
        status = np.where(active > 0, ACTIVE, np.where(count > 0, IDLE, GONE))
        newer = np.stack([size, status, heard[1:], count, active, events, places])
        self._changed_at[np.any(newer != self._numbers, axis=0)] = self.version
        self._numbers = newer
        if self._places.as_of - self._anchored_at >= _ANCHORS_EVERY_MS:
            self._choose_anchors(there)

    def _by_dot(self, column: Numbers) -> Numbers:
        return np.bincount(self._dot_of, weights=column, minlength=len(self) + 1)[1:].astype(np.float64)

    def _choose_anchors(self, there: NDArray[np.bool_]) -> None:
        """Draw each dot where most of its events come from; it does not move for a little more elsewhere."""
        self._anchored_at = self._places.as_of
        weights = np.where(there, self._places.summed[2] + 1, 0.0)
        weights[self._anchors[self._anchors >= 0]] *= _STAYS
        order = np.argsort(weights, kind="stable")
        anchors = np.full(len(self) + 1, -1)
        anchors[self._dot_of[order]] = order  # the last one stays, which has most
        moved = anchors[1:] != self._anchors
        self._anchors = anchors[1:]
        self._moved_at[moved] = self._changed_at[moved] = self.version

    def _column(self, name: str) -> Numbers:
        return self._numbers[CHANGING.index(name)]

    # -- what is drawn -------------------------------------------------------------------------------------------

    def changed_since(self, version: int) -> list[int]:
        """Return the rows that changed after a version."""
        return np.flatnonzero(self._changed_at > version).tolist()

    def columns(self, rows: slice | list[int]) -> dict[str, Any]:
        """Return some rows in full."""
        anchors = self._anchors[rows]
        named = [self._places.at(row) for row in anchors.tolist()]
        east, north = self._places.metres[:, anchors]
        return {
            "x": east,
            "y": north,
            **dict(zip(CHANGING, self._numbers[:, rows], strict=True)),
            "place": [place.city or place.region or "Somewhere" if place else "" for place in named],
            "country": [(place.country or "") if place else "" for place in named],
        }

    def changes(self, rows: list[int]) -> Numbers:
        """Return some rows' numbers, a line for each of `CHANGING`, below a line that says which rows they are."""
        return np.vstack([np.array(rows, dtype=np.float64), self._numbers[:, rows]])

    def moved(self, rows: list[int], since: int) -> list[int]:
        """Return which of some rows stand elsewhere since a version, or are named otherwise."""
        return [row for row in rows if self._moved_at[row] > since]

    def moves(self, rows: list[int]) -> dict[str, Any]:
        """Return some rows in full, and which rows they are."""
        return {"row": np.array(rows, dtype=np.float64)} | self.columns(rows)

    def dots_at(self, rows: list[int]) -> Numbers:
        """Return easting, northing and diameter (one row each) of the dots of some places."""
        dots = sorted({int(self._dot_of[row]) - 1 for row in rows} - {-1})
        return np.vstack([self._places.metres[:, self._anchors[dots]], self._column("size")[dots]])

    def place(self, row: int) -> PlaceNow | None:
        """Return one of the places, by its row among all."""
        return self._places.at(row)

    def places_in(self, dot: int) -> list[int]:
        """Return the rows of the places that a dot stands for."""
        return np.flatnonzero((self._dot_of == dot + 1) & self._places.there).tolist()
