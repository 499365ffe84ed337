"""The bar on top: the name, which project, which page, light or dark."""

from __future__ import annotations

import param

from glimpse.views.parts import Picture, script, style


class TopBar(Picture):
    """The drawing; the browser sets `project`, `theme` and `view`."""

    projects = param.List(default=[], item_type=str)
    project = param.String("*")
    theme = param.Selector(default="dark", objects=["dark", "light"])
    view = param.String("live")
    views = param.Dict(default={}, doc="Which pages there are, and what they are called.")
    _esm = script("top_bar")
    _stylesheets = style("top_bar")


class GettingStarted(Picture):
    """What an empty dashboard shows: the tag to put on a site."""

    project = param.String("*")
    sdk_url = param.String("", doc="Where the tracker is; beside the page, if empty.")
    is_shown = param.Boolean(default=False)
    _esm = script("tag_box", "getting_started")
    _stylesheets = style("tag_box", "getting_started")
