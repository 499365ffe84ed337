"""What history is asked about: a project, a span in a time zone, a filter; and the span before, to compare with.

Rule of this module: a span is fixed when it is asked for, so that all parts of a page answer for the same one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from glimpse.filters import Filter
from glimpse.live import ALL_PROJECTS

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
_BACK = re.compile(r"([0-9]{1,4})([mhd])")
_UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
LAST_MS = 253_402_300_799_999  # the end of year 9999
_LONGEST_MS = 3_660 * DAY_MS
# Up to how long a span is drawn by which unit.
_DRAWN_BY = ((3 * HOUR_MS, "minute"), (4 * DAY_MS, "hour"), (120 * DAY_MS, "day"), (730 * DAY_MS, "week"))


@dataclass(frozen=True)
class Scope:
    """Whose data, of when: `[since, until)`, epoch ms UTC."""

    project: str = ALL_PROJECTS
    since: int = 0
    until: int = LAST_MS
    where: Filter | None = None
    tz: str = "UTC"
    goal: Filter | None = None  # what its sessions are there for, where that is shown

    @property
    def before(self) -> Scope:
        """The span of the same length that ends where this one begins."""
        return replace(self, since=2 * self.since - self.until, until=self.since)

    @property
    def unit(self) -> str:
        """How long the steps of a chart are."""
        return next((unit for most, unit in _DRAWN_BY if self.until - self.since <= most), "month")


def span_of(since: str, until: str, tz: str, now: int) -> tuple[int, int]:
    """Return a span as an address says it; the last 24 h where that is no span.

    Parameters
    ----------
    since, until
        ISO 8601, epoch ms, or a time back from now such as `24h`; an empty `until` is now.
    tz
        The zone that a time without one is of.
    """
    end = _moment(until, tz, now) if until else now
    start = _moment(since, tz, now) if since else None
    if start is None or end is None or not 0 < end - start <= _LONGEST_MS:
        return now - DAY_MS, now
    return start, end


def _moment(text: str, tz: str, now: int) -> int | None:
    if back := _BACK.fullmatch(text):
        return now - int(back[1]) * _UNITS[back[2]]
    if text.isdigit():
        return int(text)
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((said if said.tzinfo else said.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC).timestamp() * 1000)
