"""GoatCounter's export, versions 1 and 2: one hit a row, https://www.goatcounter.com/help/export.

Rule of this module: its rows have no id and whole seconds, so equal ones of a second are told apart by their number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from glimpse.enrich.source import describe_source
from glimpse.events import PAGE_VIEW, Event
from glimpse.transfer.readers.vendors.facts import Row, browser_of, id_of, shown, system_of, text_of, time_of

NEEDS = frozenset({"Path", "Event", "Session", "Bot", "Referrer", "Date"})
_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_NO_SESSION = frozenset({"", "00000000-0000-0000-0000-000000000000"})
_COUNTRY = re.compile(r"[A-Z]{2}")
_SIZE = re.compile(r"([0-9]+)[,x] ?([0-9]+)(,.*)?")


class GoatCounter:
    """Reads the rows of one file, in their order."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._date = ""
        self._same: Counter[tuple[str, ...]] = Counter()  # rows of this second

    def read(self, row: Row) -> Sequence[Event]:
        """Return a row as one event; none for a bot's, which GoatCounter does not count either."""
        if row["Bot"] not in ("", "0"):
            return []
        is_event, at = _is_event(row), time_of(row, "Date")
        if not row["Path"].strip():
            raise ValueError("Path is missing")
        own = id_of("goatcounter", self._project, *self._identity(row))
        session = row["Session"]
        event = Event(
            id=own,
            project=self._project,
            session_id=own if session in _NO_SESSION else id_of("goatcounter", self._project, "session", session),
            name=row["Path"] if is_event else PAGE_VIEW,
            time=at,
            received_at=at,
            page=None if is_event else row["Path"],
            title=text_of(row, "Title"),
            browser=browser_of(text_of(row, "Browser")),
            os=system_of(text_of(row, "System")),
            screen=_screen_of(row.get("Screen size", "")),
            **_place_of(row.get("Location", "")),
            **_source_of(row["Referrer"], row.get("Referrer scheme", "")),
        )
        return [event]

    def _identity(self, row: Row) -> tuple[str, ...]:
        if row["Date"] != self._date:
            self._date, self._same = row["Date"], Counter()
        told = tuple(row[column] for column in ("Date", "Session", "Event", "Path"))
        self._same[told] += 1
        return (*told, str(self._same[told]))


def _is_event(row: Row) -> bool:
    flag = _FLAGS.get(row["Event"].lower())
    if flag is None:
        raise ValueError(f"Event must be true or false; it is {shown(row['Event'])}")
    return flag


def _screen_of(text: str) -> str | None:
    size = _SIZE.fullmatch(text)
    return f"{size[1]}x{size[2]}" if size else None


def _place_of(location: str) -> dict[str, Any]:
    country, _, region = location.partition("-")
    if not _COUNTRY.fullmatch(country):
        return {}
    return {"country": country, "context": {"regionCode": location} if region else {}}  # a code, where we have names


def _source_of(referrer: str, scheme: str) -> dict[str, Any]:
    """Return where a hit came from: `h` is an address without its scheme, `c` a campaign, `g` a name of their own."""
    match scheme:
        case "h" if referrer:
            return describe_source(f"https://{referrer}", None)._asdict()
        case "c" if referrer:
            return describe_source(None, None, {"source": referrer})._asdict()
        case "g" if referrer:
            return describe_source(None, f"?{urlencode({'ref': referrer})}")._asdict()
    return {}
