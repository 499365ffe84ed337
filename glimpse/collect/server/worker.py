"""One worker: a process that takes events on a socket it was given, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
from collections.abc import Callable

import uvloop

from glimpse.collect.server.blackboard import Blackboard
from glimpse.collect.server.collector import Collector
from glimpse.settings import Settings

_OBJECTS_BETWEEN_LOOKS = 50_000  # of the collector's; requests under way at once hold fewer
_FILES_BESIDES_CONNECTIONS = 64


def run_worker(
    url: str, settings: Settings, listening: socket.socket, lifeline: int, board: Blackboard, number: int
) -> None:
    """Serve until SIGTERM or SIGINT comes, or the other end of the lifeline is gone: the supervisor has died."""
    _allow_files(settings.max_connections + _FILES_BESIDES_CONNECTIONS)
    # What lives as long as the process need not be looked through again and again; requests leave no cycles.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, 20, 100)
    uvloop.run(_serve(lambda: Collector(url, settings, board=board, number=number), listening, lifeline))


async def _serve(made: Callable[[], Collector], listening: socket.socket, lifeline: int) -> None:
    loop, is_over = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, is_over.set)
    loop.add_reader(lifeline, is_over.set)
    collector = made()
    await collector.start(listening)
    await is_over.wait()
    loop.remove_reader(lifeline)
    await collector.stop()


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        with contextlib.suppress(ValueError, OSError):  # as many as there are, then
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
            )
