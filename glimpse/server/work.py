"""`glimpse work`: drains and keeps the store, without a port of its own.

Servers beside it take events and show them: `glimpse collect`, and `panel serve` with `GLIMPSE_DRAIN=0`. A second
`glimpse work` on the same data folder waits, and takes over when the first one ends. Where they store in a ClickHouse,
each on a folder of its own, they share the work.
"""

from __future__ import annotations

import asyncio
import logging
import signal

from glimpse.server.composition import Glimpse
from glimpse.server.garbage import keep_for_good
from glimpse.server.threads import give_way_soon
from glimpse.settings import Settings

log = logging.getLogger("glimpse.server")

_STOPS = (signal.SIGTERM, signal.SIGINT)


async def work(settings: Settings) -> None:
    """Drain until a signal comes, then take what is under way to the store.

    Raises
    ------
    SettingsError
        When the data folder can't be written.
    BufferUnavailable
        When the buffer can't be had.
    """
    give_way_soon()
    told_to_stop = asyncio.Event()
    glimpse = Glimpse(settings)

    def leave() -> None:
        glimpse.leave_soon()
        told_to_stop.set()

    loop = asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, leave)
    try:
        await glimpse.start()
        keep_for_good()
        if not glimpse.is_owner:
            log.info("another process drains on %s; this one takes over when that ends", settings.data_dir.resolve())
        await told_to_stop.wait()
        log.info("stopping: taking what is under way to the store")
    finally:
        await glimpse.stop()
