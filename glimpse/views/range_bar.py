"""Which time is looked at, in which zone, and whether beside the time before."""

from __future__ import annotations

import param

from glimpse.views.parts import Picture, script, style


class RangeBar(Picture):
    """The drawing; the browser sets all of it."""

    since = param.String("", doc="ISO 8601, epoch ms, or a time back from now; what the page has as usual, if empty.")
    until = param.String("", doc="Likewise; now, if empty.")
    tz = param.String("", doc="An IANA time zone; the browser's, if empty.")
    zone = param.String("", doc="The browser's own.")
    compare = param.String("", doc="'before': beside the span before.")
    can_compare = param.Boolean(default=True, doc="Whether the page that is shown has something to compare with.")
    is_live = param.Boolean(default=False, doc="Whether the live page is shown, whose usual time is its window.")
    told = param.String("", doc="Of the live page's span: empty, `loading`, or why there are no numbers.")
    _esm = script("range_bar")
    _stylesheets = style("range_bar")
