"""What the exports have in common: ids that follow from a row, times, and the names of browsers and systems.

Rule of this module: what is wrong with a row is a `ValueError` that names the column as the vendor does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid5

from glimpse.store.questions import LAST_MS
from glimpse.wire.times import parse_time

Row = Mapping[str, str]
_NAMESPACE = UUID("0b1f6c1e-6a0c-4c7e-9a34-5c1f7d0e2b96")  # ours; with another, what was imported would come again
_MOST_SHOWN = 60
_COUNT = re.compile(r"[0-9]{1,15}")
_VERSION = re.compile(r" [0-9][0-9.]*$| (XP|Vista|NT)$")
_BROWSERS = {
    **dict.fromkeys(("chrome", "crios"), "Chrome"),
    **dict.fromkeys(("chromium-webview",), "Chrome WebView"),
    **dict.fromkeys(("safari", "ios"), "Safari"),
    **dict.fromkeys(("ios-webview",), "Safari WebView"),
    **dict.fromkeys(("firefox", "fxios"), "Firefox"),
    **dict.fromkeys(("edge", "edge-chromium", "edge-ios"), "Edge"),
    "opera": "Opera",
    "opera-mini": "Opera Mini",
    "samsung": "Samsung Internet",
    "yandexbrowser": "Yandex",
    "facebook": "Facebook",
    "instagram": "Instagram",
}
_SYSTEMS = {"Mac OS": "macOS", "Mac OS X": "macOS", "Android OS": "Android", "GNU/Linux": "Linux"}


def id_of(*identity: str) -> str:
    """Return the UUID that belongs to these texts, always the same."""
    return str(uuid5(_NAMESPACE, "\n".join(identity)))


def text_of(row: Row, column: str) -> str | None:
    """Return a text, None when it is empty or missing."""
    return row.get(column) or None


def time_of(row: Row, column: str) -> int:
    """Return a time in epoch ms; one without a zone is UTC."""
    read = parse_time(row[column].strip())
    if read is None or not 0 <= read <= LAST_MS:
        raise ValueError(f"{column} must be a time in ISO 8601; it is {shown(row[column])}")
    return read


def day_of(row: Row, column: str) -> int:
    """Return the beginning of a day, as if it were UTC's, in epoch ms."""
    try:
        day = datetime.strptime(row[column], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{column} must be a day such as 2026-03-01; it is {shown(row[column])}") from None
    return int(day.timestamp()) * 1000


def count_of(row: Row, column: str) -> int | None:
    """Return a whole number, None where the export has none."""
    text = row.get(column)
    if not text:
        return None
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{column} must be a whole number, 0 or more; it is {shown(text)}")
    return int(text)


def shown(value: str) -> str:
    """Return a value as a message has it."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def browser_of(text: str | None) -> str | None:
    """Return a browser by the name it has here, without its version."""
    name = _VERSION.sub("", text or "")
    return _BROWSERS.get(name.lower(), name) or None


def system_of(text: str | None) -> str | None:
    """Return an operating system by the name it has here, without its version."""
    name = _VERSION.sub("", text or "")
    return _SYSTEMS.get(name, name) or None
