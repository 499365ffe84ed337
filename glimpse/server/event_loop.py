"""The event loop that servers and workers run on: uvloop, where it is there.

Rule of this module: nothing of Panel, and nothing that starts a loop.
"""

from __future__ import annotations

import asyncio


def use_uvloop() -> None:
    """Have every loop made from now on be uvloop's; where there is none, as on Windows, asyncio's own stays."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
