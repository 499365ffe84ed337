"""What there is of each value of something: pages, sources, places, technology, events and their properties."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any, ClassVar

import param

from glimpse.views.asked import Ask, AskedPicture, AskedView, Rows
from glimpse.views.labels import event_label
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope

TOP = 200
# A card's title and its tabs: what each is called, the field, what it is counted by.
Card = tuple[str, dict[str, tuple[str, str]]]
CARDS: dict[str, Card] = {
    "pages": (
        "Pages",
        {
            "Top": ("page", "page_views"),
            "Entry": ("session.entry_page", "sessions"),
            "Exit": ("session.exit_page", "sessions"),
        },
    ),
    "sources": (
        "Sources",
        {
            "Source": ("source", "sessions"),
            "Channel": ("channel", "sessions"),
            "Referrer": ("referrer", "sessions"),
            "Campaign": ("utm_campaign", "sessions"),
            "Medium": ("utm_medium", "sessions"),
        },
    ),
    "places": (
        "Places",
        {"Country": ("country", "sessions"), "Region": ("region", "sessions"), "City": ("city", "sessions")},
    ),
    "technology": (
        "Technology",
        {
            "Browser": ("browser", "sessions"),
            "System": ("os", "sessions"),
            "Device": ("device", "sessions"),
            "Screen": ("screen", "sessions"),
            "Language": ("language", "sessions"),
        },
    ),
    "events": ("Events", {"Name": ("name", "events")}),
}
_MOST_KEYS = 12
_LOOKED_THROUGH = 300  # events, for which properties there are
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take it for a formula


class BreakdownLines(AskedPicture):
    """The drawing; `file` is what the browser is to save."""

    file = param.Dict(default={}, doc="Name, type and content in base64.")
    _esm = script("breakdown")
    _stylesheets = style("asked", "breakdown")


class Breakdown(AskedView):
    """One card; `of` says of what.

    Parameters
    ----------
    of
        `pages`, `sources`, `places`, `technology` or `events`.
    """

    cards: ClassVar[dict[str, Card]] = CARDS
    nothing: ClassVar[str] = "Nothing in this span"  # what an empty card says

    def __init__(self, ask: Ask, scope: Scope, *, of: str = "pages", **params: Any) -> None:
        self._of = of
        self._title, tabs = self.cards[of]
        self._tabs = dict(tabs)
        self._tab = next(iter(tabs))
        self._rows: Rows = []
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        self._lines = BreakdownLines(sizing_mode="stretch_both", margin=0)
        return self._lines

    def _classes(self) -> list[str]:
        return ["g-breakdown"]

    async def _answer(self, scope: Scope) -> Any:
        if self._of == "events":
            self._tabs = CARDS[self._of][1] | await self._properties(scope)
            self._tab = self._tab if self._tab in self._tabs else next(iter(self._tabs))
        field, by = self._tabs[self._tab]
        rows = self._rows = await self._ask("breakdown", scope, field=field, top=TOP, by=by)
        return {
            "title": self._title,
            "tabs": list(self._tabs),
            "tab": self._tab,
            "field": field,
            "by": by,
            "nothing": self.nothing,
            "rows": [row | {"shown": _shown(field, row)} for row in rows],
        }

    async def _properties(self, scope: Scope) -> dict[str, tuple[str, str]]:
        """Return a tab for each property that recent events have."""
        events = await self._ask("events", scope, limit=_LOOKED_THROUGH)
        seen: dict[str, int] = {}
        for event in events:
            for key, value in (event.get("properties") or {}).items():
                if isinstance(value, str | int | float | bool) and key.isidentifier():
                    seen[key] = seen.get(key, 0) + 1
        keys = sorted(seen, key=lambda key: (-seen[key], key))[:_MOST_KEYS]
        return {key: (f"properties.{key}", "events") for key in keys if key != "Name"}

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"tab": str(tab)} if tab in self._tabs:
                self._tab = tab
                self.reload()
            case {"save": "csv" | "parquet" as kind}:
                self._lines.file = self._file(kind)

    def _file(self, kind: str) -> dict[str, Any]:
        content = as_csv(self._rows).encode() if kind == "csv" else as_parquet(self._rows)
        name = f"{self.scope.project.strip('*') or 'all'}-{self._of}-{self._tab.lower()}.{kind}"
        mime = "text/csv" if kind == "csv" else "application/vnd.apache.parquet"
        return {"name": name, "type": mime, "content": base64.b64encode(content).decode()}


def _shown(field: str, row: dict[str, Any]) -> str | None:
    if row["is_other"]:
        return "All others"
    if row["value"] is None:
        return "Direct" if field in ("source", "referrer") else "Unknown"
    return event_label(row["value"]) if field == "name" else str(row["value"])


def as_csv(rows: Rows) -> str:
    """Return rows as a spreadsheet reads them; what would be a formula there becomes text."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(rows[0] if rows else [])
    out.writerows([_plain(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def as_parquet(rows: Rows) -> bytes:
    """Return rows as a Parquet file."""
    import pyarrow as pa  # noqa: PLC0415 - only who saves one pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()
