"""The one thing this process serves. The only global of Glimpse: Panel runs app scripts without arguments."""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse

log = logging.getLogger("glimpse.server")

glimpse: Glimpse | None = None

# What the first page needs and no event does, in pieces: a stop never waits for more than one of them.
_VIEWS = ("pandas", "holoviews", "holoviews.plotting.bokeh", "cartopy.crs", "geoviews", "glimpse.views.page")
_IDLE_S = 1.0


async def warm_up() -> None:
    """Import the views on a thread once the first second has gone to events, so that the first page is quick."""
    await asyncio.sleep(_IDLE_S)
    for name in _VIEWS:
        if glimpse is None or glimpse.is_stopping:
            return
        try:
            await asyncio.to_thread(importlib.import_module, name)
        except Exception:
            log.exception("the views can't be imported; the dashboard will not open")
            return
