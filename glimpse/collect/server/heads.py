"""Heads of requests that come again and again: a client's next event brings the same one, byte for byte.

Such a head is looked up and not parsed. Rule of this module: remembered is only what the parser has read as one whole
request, and for a minute, as it holds the client's address.
"""

from __future__ import annotations

import msgspec

from glimpse.collect.dialects import Dialect
from glimpse.collect.server.target import Target

MOST_HEADS = 4096
LONGEST_HEAD = 2048
FORGET_EVERY_S = 60.0
# What changes how a request is framed, or how its connection goes on.
_CHANGING = frozenset({"Transfer-Encoding", "Expect", "Upgrade"})
_USUAL_CONNECTION = "keep-alive"


class Head(msgspec.Struct, frozen=True):
    """What a head says."""

    method: str
    target: Target
    headers: dict[str, str]
    size: int  # of the body that follows
    dialect: Dialect | None  # that takes what is sent so


class Heads:
    """Heads by their bytes."""

    def __init__(self) -> None:
        self.known: dict[bytes, Head] = {}
        self._forget_at = 0.0

    def remember(self, text: bytes, head: Head) -> None:
        """Keep a head, if it is one that says all of its request."""
        if len(text) > LONGEST_HEAD or not _CHANGING.isdisjoint(head.headers):
            return
        if head.headers.get("Connection", _USUAL_CONNECTION).lower() != _USUAL_CONNECTION:
            return
        if len(self.known) >= MOST_HEADS:
            self.known.clear()
        self.known[text] = head

    def forget(self, now: float) -> None:
        """Forget all of them, once a minute."""
        if now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY_S
            self.known.clear()
