"""The page around the dashboard: a bare document of our own, so that nothing is fetched that isn't on this server.

Panel's own templates bring fonts from elsewhere, and a look of their own. What stands in the address: `address.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import panel as pn
from panel.template import Template

from glimpse.live import ALL_PROJECTS, Window
from glimpse.views.address import DEFAULTS, read_address, read_choices, search_of
from glimpse.views.closed import empty_when_closed
from glimpse.views.dashboard import Dashboard
from glimpse.views.tokens import root_css

_TEMPLATE = (Path(__file__).parent / "page.html").read_text("utf-8")
# What Panel has a browser load for parts that no page of ours has, a third of all script; and what stands in for the
# browser's own modules, which reads every part's script once more than they do.
_UNUSED = ("/bokeh-gl.", "/datatabulator/", "/es-module-shims@")
_CHOSEN = [name for name in DEFAULTS if name in Dashboard.param]


class _Page(Template):
    """A page that is not written out: Panel does so with all that is on it, twice, for a view that nobody asks for."""

    def __repr__(self) -> str:
        return "Glimpse"


def asked(window: Window) -> dict[str, Any]:
    """Return what the page's address asks of a dashboard."""
    said = read_address(pn.state.session_args)
    chosen = {name: said[name] for name in _CHOSEN if name in said}
    return chosen | {"project": project_of(window, said), "choices": read_choices(pn.state.session_args)}


def project_of(window: Window, said: Mapping[str, str]) -> str:
    """Return the project that an address says; without one, the only one there is, or all."""
    there = window.projects()
    return said.get("project") or (there[0] if len(there) == 1 else ALL_PROJECTS)


def page(dashboard: Dashboard) -> Template:
    """Return the whole page, to be made servable; the address follows what a viewer chooses."""
    dashboard.pull.prepare()
    template = _Page(_TEMPLATE, location=True)
    template.add_variable("theme", dashboard.theme)
    template.add_variable("theme_css", root_css("dark", "html") + root_css("light", "html[data-theme=light]"))
    template.add_variable("needed", needed)
    template.add_panel("dashboard", dashboard)
    document = pn.state.curdoc
    if document is not None:
        # The status line says it, in its own words.
        document.config.notify_connection_status = False
        empty_when_closed(document, template, dashboard)
    dashboard.param.watch(lambda _: _write_address(dashboard), [*_CHOSEN, "choices"])
    return template


def needed(tags: str) -> str:
    """Return the tags of scripts and style sheets without those that no part of the dashboard is made of."""
    return "\n".join(line for line in tags.splitlines() if not any(name in line for name in _UNUSED))


def _write_address(dashboard: Dashboard) -> None:
    location: Any = pn.state.location
    if location is not None:
        location.search = search_of({name: getattr(dashboard, name) for name in _CHOSEN}, dashboard.choices)
