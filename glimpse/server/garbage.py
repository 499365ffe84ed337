"""Python's garbage collector in a server: what lives as long as the process is not looked through again and again.

Modules and what they made are a million objects once the views are imported. Each full look for cycles goes through all
that is known, and holds up whatever the process does meanwhile: half a second.
"""

from __future__ import annotations

import asyncio
import gc


def keep_for_good() -> None:
    """Take all that there is now for what lives as long as the process; not for a notebook, where it is the user's."""
    gc.collect()
    gc.freeze()


def drop_what_a_page_left() -> None:
    """Free what was made and thrown away while a page was built, once it is sent: a tenth of all, in small circles.

    Only what is young is looked through, a few milliseconds; later it is as old as the page, and waits for a full look.
    """
    asyncio.get_running_loop().call_soon(gc.collect, 1)
