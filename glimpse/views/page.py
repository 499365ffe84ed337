"""The page around the dashboard: a bare document of our own, so that nothing is fetched that isn't on this server.

Panel's own templates bring fonts from elsewhere, and a look of their own. View address: `?project=`, `?theme=`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import panel as pn
from panel.template import Template

from glimpse.live import ALL_PROJECTS, Window
from glimpse.views.dashboard import Dashboard
from glimpse.views.tokens import ThemeName, root_css

_TEMPLATE = (Path(__file__).parent / "page.html").read_text("utf-8")
_PROJECT = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def asked_project(window: Window) -> str:
    """Return the project that the page's address names; else the only one there is, or all."""
    asked = _argument("project")
    if asked == ALL_PROJECTS or _PROJECT.fullmatch(asked):
        return asked
    there = window.projects()
    return there[0] if len(there) == 1 else ALL_PROJECTS


def asked_theme() -> ThemeName:
    """Return the theme that the page's address names; dark, if none."""
    return "light" if _argument("theme") in {"light", "default"} else "dark"


def page(dashboard: Dashboard) -> Template:
    """Return the whole page, to be made servable; the address follows what a viewer chooses."""
    template = Template(_TEMPLATE, location=True)
    template.add_variable("theme", dashboard.theme)
    template.add_variable("theme_css", root_css("dark", "html") + root_css("light", "html[data-theme=light]"))
    template.add_panel("dashboard", dashboard)
    document = pn.state.curdoc
    if document is not None:
        # The status line says it, in its own words.
        document.config.notify_connection_status = False
    dashboard.param.watch(lambda _: _write_address(dashboard), ["project", "theme"])
    return template


def _argument(name: str) -> str:
    values = pn.state.session_args.get(name, [b""])
    return values[0].decode("utf-8", "replace")


def _write_address(dashboard: Dashboard) -> None:
    location: Any = pn.state.location
    if location is not None:
        location.update_query(project=dashboard.project, theme=dashboard.theme)
