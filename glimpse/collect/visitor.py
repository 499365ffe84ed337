"""A visitor's hash: finds the session of events that bring no session id, and means nothing after a day.

Keyed with a salt that lives in Redis for two days at most: without it the hash can't be tied to an address.
"""

from __future__ import annotations

from hashlib import blake2b

_HASH_BYTES = 16


def visitor_hash(salt: bytes, project: str, address: str, user_agent: str) -> str:
    """Return the hash of a visitor in one project on one day, in hexadecimal."""
    text = f"{project}\0{address}\0{user_agent}".encode("utf-8", "surrogatepass")
    return blake2b(text, key=salt, digest_size=_HASH_BYTES).hexdigest()
