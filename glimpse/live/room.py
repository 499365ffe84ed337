"""How many rows all filters that are looked through live hold together, and how many they may.

Rule of this module: it only counts. Who has to let go of what is decided in `open_filters.py`.
"""

from __future__ import annotations


class Room:
    """Whoever holds a row takes one, and gives it back when it lets go."""

    __slots__ = ("most", "taken")

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """Whether there is none left."""
        return self.taken >= self.most
