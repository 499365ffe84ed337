"""The sessions page: a list, and beside it one session's journey, which can be played as it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import param

from glimpse.views.address import Choices, is_project, said_text
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.asked_page import AskedPage
from glimpse.views.labels import event_label
from glimpse.views.land_path import WHOLE, land_path, unit_of
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope
from glimpse.views.tokens import ThemeName

MOST = 200
MOST_STEPS = 1_000
_FACTS = ("id", "project", "started_at", "duration_s", "pages", "events", "is_bounce", "entry_page", "exit_page")
_PLACE = ("city", "region", "country", "source", "browser", "os", "device")


class SessionLines(AskedPicture):
    """The drawing of the list."""

    _esm = script("words", "durations", "rows", "sessions")
    _stylesheets = style("asked", "sessions")


class JourneySteps(AskedPicture):
    """The drawing of one journey."""

    land = param.String("", doc="The small map's land, as an SVG path in its units.")
    whole = param.Integer(WHOLE, doc="How many units the world is wide.")
    _esm = script("words", "durations", "journey")
    _stylesheets = style("asked", "journey")


class SessionList(AskedView):
    """The sessions that started in a span, newest first; one of them is open."""

    says = ("session", "sessions_find")

    def __init__(self, ask: Ask, scope: Scope, **params: Any) -> None:
        self._choose: Callable[[str, str], None] = lambda _project, _id: None
        self._open = self._first = ("", "")  # project and id: what was chosen, and what is shown until then
        self._find, self._heard = "", 0  # what is searched for, and how often an address has said it
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return SessionLines(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-sessions"]

    async def _answer(self, scope: Scope) -> Any:
        rows = await self._ask("sessions", scope, limit=MOST + 1)
        if not self._open[1]:
            self._show_newest(rows[:MOST])
        return {
            "tz": scope.tz,
            "open": self._open[1] or self._first[1],
            "more": len(rows) > MOST,
            "find": self._find,
            "heard": self._heard,
            "rows": [{name: row.get(name) for name in (*_FACTS, *_PLACE)} for row in rows[:MOST]],
        }

    def _show_newest(self, rows: Rows) -> None:
        """Have the newest session shown where none is chosen; it stays for as long as it is listed."""
        listed = [(row["project"], row["id"]) for row in rows]
        if self._first not in listed:
            self._first = listed[0] if listed else ("", "")
            self._choose(*self._first)

    def on_choice(self, choose: Callable[[str, str], None]) -> None:
        """Call with project and id of each session that is clicked on, and of the newest until then."""
        self._choose = choose

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"open": str(session_id), "project": str(project)}:
                self._open_one(project, session_id)
            case {"find": str(text)}:
                self._find = text

    def _open_one(self, project: str, session_id: str) -> None:
        self._open = (project, session_id)
        self._choose(project, session_id)

    def _said(self) -> dict[str, tuple[str, ...]]:
        opened = {"session": ("/".join(self._open),)} if self._open[1] else {}
        return opened | said_text("sessions_find", self._find)

    def _hear(self, said: Choices) -> None:
        self._find = said.get("sessions_find", ("",))[0]
        self._heard += 1
        project, _, session_id = said.get("session", ("",))[0].partition("/")
        if is_project(project) and session_id and (project, session_id) != self._open:
            self._open_one(project, session_id)


class Journey(AskedView):
    """One session's pages and events in order, with the times between."""

    def __init__(self, ask: Ask, scope: Scope, session: str = "", **params: Any) -> None:
        self.session = session
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return JourneySteps(land=land_path(), sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-journey"]

    async def _answer(self, scope: Scope) -> Any:
        if not self.session:
            return {"session": "", "steps": []}
        steps = await self._ask("journey", Scope(scope.project), session=self.session, limit=MOST_STEPS)
        return {
            "session": self.session,
            "tz": scope.tz,
            "who": (facts := _facts_of(steps)),
            "at": None if facts["lat"] is None or facts["lon"] is None else unit_of(facts["lat"], facts["lon"]),
            "steps": [_step(event) for event in steps],
        }

    def open(self, project: str, session: str) -> None:
        """Show another session's journey."""
        self.session = session
        self.scope = Scope(project, tz=self.scope.tz)
        if self._turn:  # the page may not be shown yet
            self.reload()


def _facts_of(steps: Rows) -> dict[str, Any]:
    """Return what is known of the session's place and device: the first that is known of each."""
    names = (*_PLACE, "lat", "lon")
    return {name: next((step[name] for step in steps if step.get(name) is not None), None) for name in names}


def _step(event: dict[str, Any]) -> dict[str, Any]:
    kept = {name: event.get(name) for name in ("time", "name", "page", "title", "properties")}
    return kept | {"label": event_label(event["name"])}


class SessionsPage(AskedPage):
    """List and journey."""

    def __init__(self, ask: Ask, *, theme: ThemeName) -> None:
        shared: dict[str, Any] = {"is_alone": False, "theme": theme}
        self.list = SessionList(ask, Scope(), **shared)
        self.journey = Journey(ask, Scope(), **shared)
        self.list.on_choice(self.journey.open)
        super().__init__("sessions_page", [self.list, self.journey])

    def show(self, scope: Scope, *, compares: bool) -> None:  # noqa: ARG002 - a list has nothing to be compared with
        """Go on to another scope; the journey that is open stays."""
        self.list.show_scope(scope)
        self.journey.show_scope(replace(self.journey.scope, tz=scope.tz))
