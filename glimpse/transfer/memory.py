"""What of an export's memory the C library keeps.

Rule of this module: where the C library is another than GNU's, all stays as it is.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # as in malloc.h
_LARGE_BYTES = 128 * 1024  # where it begins by itself, and goes up from with what is freed
_ARENAS = 2


def give_back_soon() -> None:
    """Have what is large go back to the system when it is freed, and threads share what is kept of the rest."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        tell(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        tell(_M_ARENA_MAX, _ARENAS)
