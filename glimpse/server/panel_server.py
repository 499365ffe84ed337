"""How Glimpse lives in `panel serve`: its routes on Panel's port, its start before the first request, its orderly end.

The joints are private to Bokeh and Panel: `BaseServer.start`, `BaseServer.stop`, `_tornado`, `_http`. The test
tests/contract/test_panel_internals.py holds each assumption.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bokeh.embed.bundle import extension_dirs
from bokeh.server.server import BaseServer
from tornado.routing import Rule

from glimpse.collect.routes import routes
from glimpse.errors import GlimpseError, SettingsError
from glimpse.server import served
from glimpse.server.access_log import log_without_address
from glimpse.server.composition import Glimpse
from glimpse.server.early_head import OpensPage, PageWithEarlyHead
from glimpse.server.event_loop import use_uvloop
from glimpse.server.first_page import FirstPage, FirstViewer
from glimpse.server.garbage import keep_for_good
from glimpse.server.guard import ForbiddenPage, Stranger
from glimpse.server.periodic import call_every
from glimpse.server.signals import ForkedChildren, answer_before_the_loop
from glimpse.server.silent_viewers import cut_silent_viewers
from glimpse.server.slow_clients import SlowClients
from glimpse.server.threads import give_way_soon
from glimpse.settings import Settings

if TYPE_CHECKING:
    from tornado.platform.asyncio import BaseAsyncIOLoop

log = logging.getLogger("glimpse.server")

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_S = 0.3  # a request under way has its answer by then
_PARENT_WATCH_S = 1


def take_part(apps: list[str]) -> None:
    """Take part in the server that this process is about to build. Starts nothing yet."""
    try:
        settings = Settings.from_environment()
    except SettingsError as problem:
        sys.exit(f"glimpse: {problem}")
    use_uvloop()
    give_way_soon()
    _show_log_lines()
    children = answer_before_the_loop()
    parent = os.getpid()
    start, stop = BaseServer.start, BaseServer.stop

    def start_with_glimpse(self: BaseServer) -> None:
        if children.is_leaving:
            sys.exit(0)
        glimpse = Glimpse(settings)
        _open(self, glimpse, apps, children)
        start(self)
        _watch_signals(self, glimpse, parent)

    def stop_with_glimpse(self: BaseServer, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - Bokeh's signature
        _close(self)
        stop(self, wait)

    BaseServer.start = start_with_glimpse
    BaseServer.stop = stop_with_glimpse


def _loop_of(server: BaseServer) -> asyncio.AbstractEventLoop:
    return cast("BaseAsyncIOLoop", server.io_loop).asyncio_loop


def _open(server: BaseServer, glimpse: Glimpse, apps: list[str], children: ForkedChildren) -> None:
    """Start Glimpse while the kernel holds the first connections: none is answered before all routes are there."""
    http, loop = server._http, _loop_of(server)  # noqa: SLF001
    listeners = list(http._sockets.values())  # noqa: SLF001
    for listener in listeners:
        server.io_loop.remove_handler(listener)
    for number in _STOP_SIGNALS:  # not the loop's: uvloop hears none while it is not running, between start and serving
        signal.signal(number, lambda *_: glimpse.leave_soon())
    _start(glimpse, loop, children)
    _add_routes(server, glimpse, apps)
    server.io_loop.add_callback(SlowClients(http).watch)
    keep_for_good()
    http.add_sockets(listeners)
    served.glimpse = glimpse
    log.info("ready to take events")


def _start(glimpse: Glimpse, loop: asyncio.AbstractEventLoop, children: ForkedChildren) -> None:
    """Return when Glimpse has started; end the process when it can't, or when a signal came meanwhile."""
    reason = None
    try:
        loop.run_until_complete(glimpse.start())
    except (GlimpseError, OSError) as problem:
        reason = str(problem)
    except Exception as problem:
        log.exception("the start failed")
        reason = f"{type(problem).__name__}: {problem}"
    except BaseException:
        loop.run_until_complete(glimpse.stop())
        raise
    is_told_to_stop = glimpse.is_stopping
    if reason or is_told_to_stop:
        loop.run_until_complete(glimpse.stop())
    if is_told_to_stop:
        sys.exit(0)
    if reason:
        children.fail(reason)


def _add_routes(server: BaseServer, glimpse: Glimpse, apps: list[str]) -> None:
    application, prefix = server._tornado, server.prefix  # noqa: SLF001
    paths = [f"/{Path(app).stem if Path(app).suffix else Path(app).name}" for app in apps]
    glimpse.parts.dashboard_path = prefix + paths[0]
    application.settings["log_function"] = log_without_address
    cut_silent_viewers(application.settings)
    # Given this way they come before Panel's own routes, "/" among them.
    application.add_handlers(r".*", [*routes(glimpse.parts, prefix)])
    application.add_handlers(
        r".*",
        [
            Rule(Stranger(prefix, paths, glimpse.settings), ForbiddenPage),
            Rule(FirstViewer(prefix, paths), FirstPage),
            *_pages(server, paths, glimpse),
        ],
    )
    _serve_files_of("geoviews")
    _let_loopback_names_in(application.websocket_origins, server.port)


def _pages(server: BaseServer, paths: list[str], glimpse: Glimpse) -> list[Rule]:
    application, prefix = server._tornado, server.prefix  # noqa: SLF001

    def sight(arguments: dict[str, list[bytes]]) -> str:
        from glimpse.views.first_sight import first_sight  # noqa: PLC0415 - a page was made before: the views are here

        return first_sight(glimpse.window, arguments)

    shared: dict[str, Any] = {"heads": {}, "sight": sight}
    return [
        Rule(
            OpensPage(prefix + path),
            PageWithEarlyHead,
            shared | {"application_context": context, "bokeh_websocket_path": f"{prefix}{path}/ws"},
        )
        for path in paths
        if (context := application.applications.get(path)) is not None
    ]


def _serve_files_of(package: str) -> None:
    """Serve a Bokeh extension's scripts also before this process has rendered a page that uses them.

    Another process may have rendered it, and this one be asked for the script.
    """
    found = find_spec(package)
    if found and found.submodule_search_locations:
        extension_dirs.setdefault(package, Path(found.submodule_search_locations[0]) / "dist")


def _let_loopback_names_in(origins: set[str], port: int | None) -> None:
    """Let a page of 127.0.0.1 work as one of localhost does: Bokeh's default is the latter alone."""
    if f"localhost:{port}" in origins:
        origins.update({f"127.0.0.1:{port}", f"[::1]:{port}"})


def _watch_signals(server: BaseServer, glimpse: Glimpse, parent: int) -> None:
    loop = server.io_loop

    def leave() -> None:
        log.info("stopping: taking what is under way to the store")
        loop.stop()

    def install() -> None:  # after Bokeh has installed its own
        for number in _STOP_SIGNALS:
            _loop_of(server).add_signal_handler(number, leave)
        if os.getpid() != parent:  # one of several: without the parent nobody would tell it to stop
            call_every(_PARENT_WATCH_S, lambda: None if os.getppid() == parent else leave())
        if glimpse.is_stopping:  # a signal came since the start had ended
            leave()

    loop.add_callback(install)


def _close(server: BaseServer) -> None:
    glimpse, served.glimpse = served.glimpse, None
    loop = _loop_of(server)
    if glimpse is None or loop.is_closed() or loop.is_running():
        return
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, log.info, "already stopping")
    loop.run_until_complete(_stop_in_order(server, glimpse))


async def _stop_in_order(server: BaseServer, glimpse: Glimpse) -> None:
    http = server._http  # noqa: SLF001
    http.stop()
    await asyncio.sleep(_GRACE_S)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(http.close_all_connections(), 1)
    await glimpse.stop()


def _show_log_lines() -> None:
    """Let Glimpse's own lines through; `panel serve` sets up the handler that prints them."""
    logging.getLogger("glimpse").setLevel(logging.INFO)
