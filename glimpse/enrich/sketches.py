"""What is known of events that say the same: a page's views, clicks and heartbeats differ in name and time only.

Rule of this module: a sketch holds only what follows from its key; what a single event says is put in afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from glimpse.events import Event, PackedEvent

MOST_SKETCHES = 8_000  # of some 1.5 kB each; at most twice as many are kept
MOST_PACKED_BYTES = 4_096  # a larger context is worked out each time

Key = tuple[bytes, str, str | None, bool]  # context as packed, user agent, network, whether a private peer sent it
_copied: Callable[[Event], Event] = cast("Any", Event).__copy__  # what copy.copy calls, in half the time


class Sketches:
    """Events with all that follows from their keys. The young were asked for lately; the old go when the young age."""

    def __init__(self, most: int = MOST_SKETCHES) -> None:
        self._most = most
        self._young: dict[Key, Event] = {}
        self._old: dict[Key, Event] = {}

    def drawn(
        self, admitted: Sequence[PackedEvent], sketch: Callable[[Sequence[PackedEvent]], list[Event]]
    ) -> list[Event]:
        """Return an event of its own for each one admitted, with all that is known of those that say the same.

        Parameters
        ----------
        sketch
            Makes what is not known yet: called at most once, with one event of each key.
        """
        keys = [(bytes(event.context), event.user_agent, event.network, event.is_private_peer) for event in admitted]
        found = list(map(self._young.get, keys))
        new = {key: event for key, event, known in zip(keys, admitted, found, strict=True) if known is None}
        if new:
            made = {key: self._old[key] for key in new if key in self._old}
            unknown = {key: event for key, event in new.items() if key not in made}
            made |= zip(unknown, sketch(list(unknown.values())), strict=True) if unknown else {}
            self._remember(made)
            found = [known or made[key] for key, known in zip(keys, found, strict=True)]
        return [_copied(known) for known in found if known is not None]

    def _remember(self, made: dict[Key, Event]) -> None:
        if len(self._young) + len(made) > self._most:
            self._old, self._young = self._young, {}
        self._young.update((key, event) for key, event in made.items() if len(key[0]) <= MOST_PACKED_BYTES)
