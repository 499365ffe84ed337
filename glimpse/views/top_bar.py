"""The bar on top: the name, which project, light or dark."""

from __future__ import annotations

import param

from glimpse.views.parts import Picture, script, style


class TopBar(Picture):
    """The drawing; the browser sets `project` and `theme`."""

    projects = param.List(default=[], item_type=str)
    project = param.String("*")
    theme = param.Selector(default="dark", objects=["dark", "light"])
    _esm = script("top_bar")
    _stylesheets = style("top_bar")


class GettingStarted(Picture):
    """What an empty dashboard shows: the tag to put on a site."""

    project = param.String("*")
    sdk_url = param.String("", doc="Where the tracker is; beside the page, if empty.")
    is_shown = param.Boolean(default=False)
    _esm = script("getting_started")
    _stylesheets = style("getting_started")
