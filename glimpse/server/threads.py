"""Python's threads in a server: the one that answers gets its turn soon, whatever the others do.

Only one of them runs Python at a time. One that makes columns of 20,000 rows, or looks for an answer, gives way after
five milliseconds by default, and so each time that the loop's thread has waited for something.
"""

from __future__ import annotations

import sys

TURN_S = 0.000_5


def give_way_soon() -> None:
    """Let none run longer than half a millisecond while another waits; not for a notebook, which is the user's."""
    if sys.getswitchinterval() > TURN_S:
        sys.setswitchinterval(TURN_S)
