"""What a network is for the geo code: the prefix the edge keeps of an address.

The edge replaces an address by its /24 or /48 (so that no address leaves the request handler); finer detail than that
is never looked up, and need not be stored.
"""

from __future__ import annotations

from typing import Final

LOOKED_UP_PREFIX: Final = {4: 24, 6: 48}
"""The longest prefix that is ever looked up, by IP version."""

KEY_BITS: Final = {4: 32, 6: 64}
"""How many leading bits of an address are kept when networks are handled as arrays."""


def address_of(network: str) -> str:
    """Return the address part of ``203.0.113.0/24``, or of a bare address."""
    return network.partition("/")[0]
