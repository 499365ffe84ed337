"""A moment as people write it: an age, an ISO 8601 time, epoch milliseconds; the same in the API, commands and Python.

Rule of this module: what it returns any store can hold.
"""

from __future__ import annotations

import re

from glimpse.errors import QueryError
from glimpse.filters.rules import LAST_MS
from glimpse.wire.times import parse_time

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGO = re.compile(r"([0-9]{1,9}) ?([smhd])")
_EPOCH_MS = re.compile(r"[0-9]{1,15}")


def moment(value: str | int, name: str, now_ms: int) -> int:
    """Return epoch milliseconds of an age (`90m`, `24h`, `7d`), an ISO 8601 time (UTC without a zone), or a number.

    Raises
    ------
    QueryError
        For anything else; the message has the name and what is allowed.
    """
    found = value if isinstance(value, int) else _read(value.strip(), now_ms)
    if found is None or not 0 <= found <= LAST_MS:
        raise QueryError(
            f"{name} must be ISO 8601, epoch milliseconds, or an age such as 90m, 24h, 7d; it is {str(value)[:80]!r}"
        )
    return found


def _read(text: str, now_ms: int) -> int | None:
    if ago := _AGO.fullmatch(text):
        return max(0, now_ms - int(ago[1]) * _UNITS_MS[ago[2]])
    # A + in a query that was not escaped arrives as a space; no ISO time ends with " 02:00".
    return int(text) if _EPOCH_MS.fullmatch(text) else parse_time(re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", text))
