"""The projects page: each with its tag, whether its events come, and all that is set for it."""

from __future__ import annotations

from typing import Any

import msgspec

from glimpse.errors import ProjectError
from glimpse.events import is_layer
from glimpse.live import Window
from glimpse.projects.record import PROJECT_SETTINGS, ProjectSettings, checked_changes, checked_id, shown
from glimpse.views.backstage import Backstage, BackstagePage, BackstagePicture
from glimpse.views.parts import script, style

LOOK_EVERY_S = 0.25  # so that a first event lights up when it comes
MOST = 500
_encode = msgspec.json.Encoder().encode
_ROWS = [
    {"field": row.field, "word": row.word, "help": row.help, "choices": row.choices, "many": row.is_list}
    for row in PROJECT_SETTINGS
]
_FIELDS = {row.field for row in PROJECT_SETTINGS}
_NOT_FROM_HERE = "Projects are changed in a browser on the server's own machine, or with `glimpse project`."


class ProjectForms(BackstagePicture):
    """The drawing."""

    _esm = script("tag_box", "projects_page")
    _stylesheets = style("asked", "tag_box", "forms", "projects_page")


class ProjectsPage(BackstagePage):
    """A list of projects, and the one that is chosen."""

    def __init__(self, window: Window, backstage: Backstage) -> None:
        self._window = window
        self._backstage = backstage
        super().__init__("projects", ProjectForms(sizing_mode="stretch_width", margin=0), LOOK_EVERY_S)

    # -- what is shown -----------------------------------------------------------------------------------------------

    async def _state(self) -> str:
        registry = self._backstage.registry
        registered = {project.id: project for project in registry.registered()}
        live, stored = set(self._window.projects()), set(self._backstage.stored())
        known = [name for name in sorted({*registered, *live, *stored}) if not is_layer(name)]
        lines = [
            self._line(name, registered.get(name), is_live=name in live, is_stored=name in stored)
            for name in known[:MOST]
        ]
        return _encode(
            {
                "may_change": self._backstage.may_change,
                "is_open": registry.is_open,
                "sdk_url": self._backstage.sdk_url,
                "rows": _ROWS,
                "projects": lines,
            }
        ).decode()

    def _line(self, name: str, settings: ProjectSettings | None, *, is_live: bool, is_stored: bool) -> dict[str, Any]:
        numbers = self._window.numbers(name) if is_live else None
        has_events = numbers is not None and numbers.events > 0
        return {
            "id": name,
            "is_registered": settings is not None,
            "is_welcome": self._backstage.registry.of(name) is not None,
            "values": {row.field: shown(getattr(settings, row.field)) for row in PROJECT_SETTINGS} if settings else {},
            "state": "live" if has_events else "quiet" if is_stored or is_live else "waiting",
            "events_last_minute": numbers.events_last_minute if numbers else 0,
            "here": numbers.open_sessions if numbers else 0,
            "events": numbers.events if numbers else 0,
        }

    # -- what is asked for -------------------------------------------------------------------------------------------

    async def _answer(self, what: dict[str, Any]) -> dict[str, Any]:
        if not self._backstage.may_change:
            return {"told": _NOT_FROM_HERE, "is_problem": True}
        match what:
            case {"do": "add", "project": str(project), "values": dict(values)}:
                return await self._add(project, values)
            case {"do": "change", "project": str(project), "values": dict(values)}:
                return await self._change(project, values)
            case {"do": "remove", "project": str(project)}:
                await self._backstage.registry.remove(project)
                return {"done": "remove", "project": project, "told": f"{project} is off the list. Its events stay."}
            case _:
                return {"told": "The page asked for something that there is not.", "is_problem": True}

    async def _add(self, project: str, values: dict[str, Any]) -> dict[str, Any]:
        changes, errors = _checked(values)
        try:
            checked_id(project)
        except ProjectError as problem:
            errors["id"] = str(problem)
        if errors:
            return {"do": "add", "errors": errors}
        is_first = self._backstage.registry.is_open
        await self._backstage.registry.add(project, changes)
        more = " From now on events of projects that are not registered are dropped." if is_first else ""
        return {"done": "add", "project": project, "told": f"{project} is registered.{more}"}

    async def _change(self, project: str, values: dict[str, Any]) -> dict[str, Any]:
        changes, errors = _checked(values)
        if errors:
            return {"do": "change", "project": project, "errors": errors}
        await self._backstage.registry.change(project, changes)
        return {"done": "change", "project": project, "told": "Saved. All servers know it within a second."}


def _checked(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what settings become, and what is wrong with those that can't be, by field."""
    changes: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in _FIELDS & values.keys():
        try:
            changes |= checked_changes({field: str(values[field])})
        except ProjectError as problem:
            errors[field] = str(problem)
    return changes, errors
