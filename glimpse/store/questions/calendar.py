"""Minutes, hours, days, weeks and months of a time zone, as instants, across its changes of the clock.

Rule of this module: an instant belongs to one interval, and each interval begins at an instant. The hour that a clock
shows twice is two intervals; a day may have 23 or 25 hours.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportOperatorIssue=false, reportCallIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from glimpse.errors import QueryError

Unit = Literal["minute", "hour", "day", "week", "month"]
MOST_INTERVALS = 3000
_SECONDS: dict[Unit, int] = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 28 * 86_400}
_DAY_S = 86_400
_LONGEST_S = 32 * _DAY_S
_EVER_S = -(1 << 40)


class _Piece(NamedTuple):
    """From when on a zone's clock is ahead of UTC by how much, in seconds."""

    since_s: int
    offset_s: int


def zone_of(tz: str) -> ZoneInfo:
    """Return a zone by its IANA name.

    Raises
    ------
    QueryError
        When there is none of the name.
    """
    try:
        return ZoneInfo(tz)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError, below
        raise QueryError(f"{tz[:60]!r} is no time zone; use an IANA name such as Europe/Berlin or UTC") from None
    except KeyError:
        raise QueryError(f"there is no time zone {tz[:60]!r}; use an IANA name such as Europe/Berlin or UTC") from None


def span_before(since: int, until: int, tz: str) -> tuple[int, int]:
    """Return the span that ends where one begins: as many days of the zone if it is of whole days, or as long.

    Times are epoch milliseconds, `[since, until)`.
    """
    zone = zone_of(tz)
    begin, end = (datetime.fromtimestamp(at / 1000, zone) for at in (since, until))
    if begin.time() == end.time() == time():
        earlier = begin.date() - (end.date() - begin.date())
        return int(datetime.combine(earlier, time(), zone).timestamp() * 1000), since
    return since - (until - since), since


class Calendar:
    """The intervals of a unit that a span touches. Times are epoch milliseconds, `[since, until)`."""

    def __init__(self, unit: Unit, tz: str, since: int, until: int) -> None:
        self._unit: Unit = unit
        self._zone = zone_of(tz)
        self._since_s, self._until_s = since // 1000, -(-until // 1000)
        if (self._until_s - self._since_s) / _SECONDS[unit] > MOST_INTERVALS:
            raise QueryError(f"more than {MOST_INTERVALS} {unit}s; choose a shorter span or a longer unit")

    def starts(self) -> list[int]:
        """Return when each interval begins; the first is that which holds `since`."""
        if self._until_s <= self._since_s:
            return []
        starts = self._clock_starts() if self._unit in ("minute", "hour") else self._date_starts()
        return [start * 1000 for start in starts]

    def key_of(self, time: Any) -> ir.IntegerValue:
        """Return the interval's number of a column of times, as `key` does."""
        return self.key(time.epoch_seconds().floor().cast("int64"))  # DuckDB rounds where it only casts

    def key(self, seconds: ir.IntegerValue) -> ir.IntegerValue:
        """Return the interval's number of an instant in epoch seconds: equal within one, different between two."""
        if not self.pieces:
            return seconds
        offset = self._by_piece(seconds, [piece.offset_s for piece in self.pieces])
        local = seconds + offset
        match self._unit:
            case "day":
                return _floor(local, _DAY_S)
            case "week":
                return _floor(local + 3 * _DAY_S, 7 * _DAY_S)  # the epoch was a Thursday
            case "month":
                shown = local.as_timestamp("s")
                return (shown.year() * 12 + shown.month()).cast("int64")
        start = seconds - local % _SECONDS[self._unit]
        if len(self.pieces) == 1:
            return start
        return ibis.greatest(start, self._by_piece(seconds, [piece.since_s for piece in self.pieces]))

    @cached_property
    def pieces(self) -> list[_Piece]:
        """How far the zone's clock is ahead, from when on: with the unit, all that `key` depends on."""
        at, end = self._since_s - _LONGEST_S, self._until_s
        pieces = [_Piece(_EVER_S, self._offset(at))]
        while at < end:
            later = min(at + _DAY_S, end)
            if self._offset(later) != pieces[-1].offset_s:
                change = self._change(at, later)
                pieces.append(_Piece(change, self._offset(change)))
            at = later
        return pieces

    # -- inside ----------------------------------------------------------------------------------------------------

    def _change(self, before: int, after: int) -> int:
        """Return the first second of the offset that is in force at `after`."""
        new = self._offset(after)
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (before, middle) if self._offset(middle) == new else (middle, after)
        return after

    def _offset(self, at_s: int) -> int:
        shift = datetime.fromtimestamp(at_s, self._zone).utcoffset()
        return int(shift.total_seconds()) if shift else 0

    def _by_piece(self, seconds: ir.IntegerValue, values: list[int]) -> Any:
        literals = [ibis.literal(value, "int64") for value in values]
        if len(literals) == 1:
            return literals[0]
        ends = [piece.since_s for piece in self.pieces[1:]]
        branches = [(seconds < end, value) for end, value in zip(ends, literals, strict=False)]
        return ibis.cases(*branches, else_=literals[-1])

    def _clock_starts(self) -> Iterator[int]:
        unit = _SECONDS[self._unit]
        ends = [piece.since_s for piece in self.pieces[1:]] + [self._until_s]
        for (begin, offset), end in zip(self.pieces, ends, strict=True):
            at = max(begin, self._since_s)
            at = max(begin, at - (at + offset) % unit)
            while at < end:
                yield at
                at += unit - (at + offset) % unit

    def _date_starts(self) -> Iterator[int]:
        day = self._first_of(datetime.fromtimestamp(self._since_s, self._zone).date())
        while (at := self._midnight(day)) < self._until_s:
            day = self._next(day)
            if self._midnight(day) > at:  # where a zone left out a day, it begins as the next does
                yield at

    def _first_of(self, day: date) -> date:
        match self._unit:
            case "week":
                return day - timedelta(days=day.weekday())
            case "month":
                return day.replace(day=1)
        return day

    def _next(self, day: date) -> date:
        match self._unit:
            case "week":
                return day + timedelta(days=7)
            case "month":
                return (day + timedelta(days=31)).replace(day=1)
        return day + timedelta(days=1)

    def _midnight(self, day: date) -> int:
        """Return a day's first instant; where the clock leaps over midnight, that of the leap."""
        return int(datetime.combine(day, time(), self._zone).astimezone(UTC).timestamp())


def _floor(value: Any, size: int) -> Any:
    return ((value - value % size) / size).cast("int64")
