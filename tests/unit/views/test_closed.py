"""What is left of a page that is closed, while Python's collector looks for no circles."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import ref

import panel as pn
import pytest
from bokeh.application.handlers.document_lifecycle import DocumentLifecycleHandler
from bokeh.application.handlers.function import FunctionHandler
from bokeh.core.types import ID
from bokeh.document import Document
from bokeh.model import Model
from bokeh.server.contexts import ApplicationContext
from live_events import make_event
from panel.io.application import Application
from panel.io.state import set_curdoc
from tornado.httputil import HTTPServerRequest, RequestStartLine
from tornado.ioloop import IOLoop

from glimpse.live import Window
from glimpse.views import closed
from glimpse.views.dashboard import Dashboard
from glimpse.views.page import page

NOW = 1_700_000_000_000
# Of some 14,000. What is thrown away while a page is built is left to the collector; of a page's own models this keeps
# one or two, emptied.
MOST_OBJECTS_LEFT = 4_000


@pytest.fixture
def uncollected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(closed, "AFTER_S", 0.0)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Pages:
    """One application, as `panel serve` has it; a page of it is opened and closed as Bokeh does it."""

    def __init__(self) -> None:
        self.window = Window(minutes=30, max_events=1_000, now_ms=lambda: NOW)
        self.window.append([make_event(NOW, city="London")])
        self.shown: list[ref[Any]] = []
        application = Application(FunctionHandler(self._show), DocumentLifecycleHandler())
        self._context = ApplicationContext(application, io_loop=IOLoop.current(), url="/dash")
        self._opened = 0

    def _show(self, document: Document) -> None:
        with set_curdoc(document):
            dashboard = Dashboard(self.window, "shop")
            page(dashboard).server_doc(document)
        self.shown += [ref(dashboard), ref(dashboard.live.live_map), *map(ref, dashboard.layout.select())]

    async def open_and_close(self) -> list[ref[Model]]:
        self._opened += 1
        request = HTTPServerRequest(start_line=RequestStartLine("GET", "/dash", "HTTP/1.0"))
        session = await self._context.create_session_if_needed(ID(f"page-{self._opened}"), request)
        models = [ref(model) for model in session.document.models]
        session.request_expiration()
        await self._context._cleanup_sessions(0)
        assert not list(self._context.sessions)
        return models


@pytest.mark.usefixtures("uncollected")
async def test_what_a_closed_page_was_made_of_is_freed_without_a_look_for_circles():
    pages = Pages()
    await pages.open_and_close()  # what is made once, is made
    await asyncio.sleep(0.1)
    gc.collect()
    before = len(gc.get_objects())
    models = await pages.open_and_close()
    assert len(models) > 100
    await gone(models, but=2)
    await gone(pages.shown)
    assert len(gc.get_objects()) < before + MOST_OBJECTS_LEFT


@pytest.mark.usefixtures("uncollected")
async def test_what_viewers_share_stays_when_one_of_them_goes():
    pages = Pages()
    models = await pages.open_and_close()
    await gone(models, but=2)
    models = await pages.open_and_close()  # on the same board, with the same borders and themes
    assert len(models) > 100
    assert pages.window.numbers("shop").per_minute


@pytest.mark.usefixtures("uncollected")
async def test_no_full_look_for_circles_is_left_to_panel_which_would_hold_up_all_others():
    pages, tasks = Pages(), pn.state._scheduled
    models = await pages.open_and_close()
    assert [name for name in tasks if name.endswith("gc.collect")]
    await gone(models, but=2)
    assert not [name for name in tasks if name.endswith("gc.collect")]


async def gone(those: Sequence[ref[Any]], but: int = 0) -> None:
    """Let the loop's turns pass in which a page is emptied."""
    for _ in range(200):
        left = [type(alive).__name__ for one in those if (alive := one()) is not None]
        if len(left) <= but:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{len(left)} left: {left}")
