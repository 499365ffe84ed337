"""What there is of each value of something: pages, sources, places, technology, events and their properties."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

import param

from glimpse.filters import to_text
from glimpse.views.address import Choices, heard_tab, said_tab, said_text
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.labels import event_label
from glimpse.views.parts import script, style
from glimpse.views.properties import property_fields
from glimpse.views.saved_file import file_of
from glimpse.views.scope import Scope
from glimpse.views.steps import called

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
            "Source": ("session.source", "sessions"),
            "Channel": ("session.channel", "sessions"),
            "Referrer": ("session.referrer", "sessions"),
            "Campaign": ("session.utm_campaign", "sessions"),
            "UTM source": ("session.utm_source", "sessions"),
            "Medium": ("session.utm_medium", "sessions"),
            "Term": ("utm_term", "sessions"),
            "Content": ("utm_content", "sessions"),
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
_MOST_KEYS = 40
_MOST_COMPARED = 1000  # values, for conversion and the span before: what is seen most is not always what is most there
_COUNTS = ("events", "page_views", "sessions")
_SORTED_BY = ("", *_COUNTS, "conversion")


class BreakdownLines(AskedPicture):
    """The drawing; `file` is what the browser is to save."""

    title = param.String("", doc="What the card is called.")
    file = param.Dict(default={}, doc="Name, type and content in base64.")
    _esm = script("words", "tabs", "rows", "save", "breakdown")
    _stylesheets = style("asked", "breakdown")


class Breakdown(AskedView):
    """One card; `of` says of what.

    Parameters
    ----------
    of
        `pages`, `sources`, `places`, `technology` or `events`.
    """

    can_compare: ClassVar[bool] = True
    cards: ClassVar[dict[str, Card]] = CARDS
    nothing: ClassVar[str] = "Nothing in this span"  # what an empty card says

    def __init__(self, ask: Ask, scope: Scope, *, of: str = "pages", **params: Any) -> None:
        self._of = of
        self.says = (of, f"{of}_by", f"{of}_find")
        self._title, tabs = self.cards[of]
        self._tabs = dict(tabs)
        self._tab = next(iter(tabs))
        self._tabs_of: Scope | None = None  # where they are those of a span
        self._rows: Rows = []
        self._sorted = self._find = ""  # by what, and what is searched for; empty is as usual
        self._heard = 0  # how often an address has said that
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        self._lines = BreakdownLines(title=self._title, sizing_mode="stretch_both", margin=0)
        return self._lines

    def _classes(self) -> list[str]:
        return ["g-breakdown"]

    async def _answer(self, scope: Scope) -> Any:
        if self._of == "events":
            await self._learn_properties(replace(scope, where=None, goal=None))
            self._tab = self._tab if self._tab in self._tabs else next(iter(self._tabs))
        field, by = self._tabs[self._tab]
        rows, reached, before = await asyncio.gather(
            self._ask("breakdown", scope, field=field, top=TOP, by=by),
            self._conversions(scope, field),
            self._before(scope, field, by),
        )
        rows = rows if reached is None else with_conversion(rows, reached)
        self._rows = rows = rows if before is None else with_before(rows, before)
        return {
            "tabs": list(self._tabs),
            "tab": self._tab,
            "field": field,
            "by": by,
            "goal": "" if scope.goal is None else called(scope.goal),
            "compares": before is not None,
            "nothing": self.nothing,
            "sorted": self._sorted,
            "find": self._find,
            "heard": self._heard,
            "rows": [row | {"shown": _shown(field, row)} for row in rows],
        }

    async def _conversions(self, scope: Scope, field: str) -> Rows | None:
        if scope.goal is None:
            return None
        return await self._ask("conversion", scope, goal=to_text(scope.goal), field=field, top=_MOST_COMPARED)

    async def _before(self, scope: Scope, field: str, by: str) -> Rows | None:
        if not self.compares:
            return None
        return await self._ask("breakdown", scope.before, field=field, top=_MOST_COMPARED, by=by)

    async def _learn_properties(self, span: Scope) -> None:
        """Have a tab for each property that events of a span have: the same through every filter, so asked once."""
        if self._tabs_of != span:
            found = property_fields(await self._ask("properties", span))
            named = {key: (field, "events") for key, field in found[:_MOST_KEYS] if key != "Name"}
            self._tabs, self._tabs_of = CARDS[self._of][1] | named, span

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"tab": str(tab)} if tab in self._tabs:
                self._tab, self._sorted = tab, ""
                self.reload()
            case {"by": str(column)} if column in _SORTED_BY:
                self._sorted = column
            case {"find": str(text)}:
                self._find = text
            case {"save": "csv" | "parquet" as kind}:
                project = self.scope.project.strip("*") or "all"
                self._lines.file = file_of(self._rows, f"{project}-{self._of}-{self._tab.lower()}", kind)

    def _said(self) -> dict[str, tuple[str, ...]]:
        tab = said_tab(self._of, self._tab, self._tabs)
        return tab | said_text(f"{self._of}_by", self._sorted) | said_text(f"{self._of}_find", self._find)

    def _hear(self, said: Choices) -> None:
        # Which properties there are is known with the answer alone.
        is_any = self._of == "events" and said.get(self._of)
        self._tab = said[self._of][0] if is_any else heard_tab(self._of, said, self._tabs)
        column, self._find = (said.get(f"{self._of}_{what}", ("",))[0] for what in ("by", "find"))
        self._sorted = column if column in _SORTED_BY else ""
        self._heard += 1


def _shown(field: str, row: dict[str, Any]) -> str | None:
    if row["is_other"]:
        return "All others"
    if row["value"] is None:
        return "Direct" if field in ("session.source", "session.referrer") else "Unknown"
    return event_label(row["value"]) if field == "name" else str(row["value"])


def with_conversion(rows: Rows, reached: Rows) -> Rows:
    """Return a breakdown's rows with how many of their sessions reached a goal, and which share; None if not known."""
    of_value = {row["value"]: row for row in reached}
    empty: dict[str, Any] = {"reached": None, "conversion": None}
    of = [empty if row["is_other"] else of_value.get(row["value"], empty) for row in rows]
    return [row | {name: one[name] for name in empty} for row, one in zip(rows, of, strict=True)]


def with_before(rows: Rows, before: Rows) -> Rows:
    """Return a breakdown's rows with each count of the span before, as `sessions_before`.

    It is None of all others, which were others then, and of what may be among those that were others then.
    """
    there = {row["value"]: row for row in before if not row["is_other"]}
    missing = dict.fromkeys(_COUNTS, None if any(row["is_other"] for row in before) else 0)
    of = [dict.fromkeys(_COUNTS) if row["is_other"] else there.get(row["value"], missing) for row in rows]
    return [row | {f"{name}_before": one[name] for name in _COUNTS} for row, one in zip(rows, of, strict=True)]
