"""Python's garbage collector in a server: what lives as long as the process is not looked through again and again.

Modules and what they made are a million objects once the views are imported. Each full look for cycles goes through all
that is known, and holds up whatever the process does meanwhile: half a second.
"""

from __future__ import annotations

import gc


def keep_for_good() -> None:
    """Take all that there is now for what lives as long as the process; not for a notebook, where it is the user's."""
    gc.collect()
    gc.freeze()
