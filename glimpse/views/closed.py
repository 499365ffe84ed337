"""A page that is closed: what it was made of is freed at once, and not when Python looks for circles.

A page is some 14,000 objects of Panel's, Bokeh's, HoloViews' and ours, which refer to each other all round. Left to the
collector, hundreds of pages wait for it, the process grows by what they hold, and then one look takes half a second.
Emptied, they go as soon as nothing else refers to them.

Rule of this module: only what belongs to one page alone is emptied, and only when nothing runs any more that is its.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import panel as pn
import param
from bokeh.document import Document
from bokeh.model import Model
from holoviews.plotting.plot import Plot
from panel.reactive import Syncable
from panel.template.base import BaseTemplate
from panel.viewable import Viewable, Viewer

from glimpse.views.pull import Pull

AFTER_S = 1.0  # what was cancelled has ended by then, and Panel and Bokeh have done what they do themselves
AT_ONCE = 16  # objects in one turn of the loop: a third of a millisecond
_OWN = (Model, Syncable, Viewable, Viewer, BaseTemplate, Plot, Pull)
_OURS = "glimpse.views."  # classes of ours, which hold such as these; some that are not `_OWN` are shared by viewers


def empty_when_closed(document: Document, *shown: object) -> None:
    """Take a page apart once its session is over.

    Parameters
    ----------
    document
        The page's.
    shown
        What is on it; all that is found from there, by attributes, is taken to be this page's.
    """
    _begin_what_is_nobodys()
    models = document.models
    destroy = models.destroy

    def end() -> None:
        # Now all of it still hangs together: a moment later Panel lets go of some of its parts.
        del models.destroy
        remains = [*models, *document.config.references(), *_found_from([*shown, *_around(document)]), document]
        destroy()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # nothing runs that could do it later
            return
        loop.call_later(AFTER_S, _empty, loop, remains)

    models.destroy = end


def _begin_what_is_nobodys() -> None:
    """Start Panel's timer for all pages now, in nobody's name.

    The first page that hears of a browser starts it, and what a task is started in it keeps: that page's document.
    """
    with contextlib.suppress(RuntimeError):  # without a loop nothing runs that could start it
        asyncio.get_running_loop()
        contextvars.Context().run(pn.state._schedule_busy_cleanup)  # noqa: SLF001


def _around(document: Document) -> list[object]:
    """Return what Panel itself puts around a page: its place in the address, and a root above all that is on it."""
    roots = [view for view, _, of, _ in pn.state._views.values() if of is document]  # noqa: SLF001
    return [*roots, pn.state._locations.get(document)]  # noqa: SLF001


def _empty(loop: asyncio.AbstractEventLoop, remains: list[Any]) -> None:
    """Empty some, and the others in the turns that follow, so that nothing waits for it."""
    some = remains[:AT_ONCE]
    del remains[:AT_ONCE]
    for one in some:
        vars(one).clear()
    if remains:
        loop.call_soon(_empty, loop, remains)
        return
    with contextlib.suppress(KeyError):  # Panel would look for circles, through all that the others' pages are made of
        pn.state.cancel_task("gc.collect")


def _found_from(shown: Iterable[object]) -> list[object]:
    """Return all that is a page's own, but what only models refer to."""
    seen: dict[int, object] = {}
    unseen = list(shown)
    while unseen:
        one = unseen.pop()
        if id(one) not in seen:
            seen[id(one)] = one
            unseen += (held for held in _held_by(one) if _leads_on(type(held)))
    return [one for one in seen.values() if _is_own(type(one))]


def _held_by(one: object) -> Iterator[object]:
    """Return what an object holds: itself, as a parameter, or in lists and dictionaries, also such within such."""
    if isinstance(one, Model):
        return
    values: list[Any] = [*getattr(one, "__dict__", {}).values()]
    if isinstance(one, param.Parameterized):
        values += one._param__private.values.values()  # noqa: SLF001
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, (list, tuple)):
            values += value
        else:
            yield value


@cache
def _is_own(kind: type) -> bool:
    return issubclass(kind, _OWN) or (issubclass(kind, param.Parameterized) and kind.__module__.startswith(_OURS))


@cache
def _leads_on(kind: type) -> bool:
    return _is_own(kind) or kind.__module__.startswith(_OURS)
