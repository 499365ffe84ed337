"""Rate limits: how many events a second a project, and a client's network, may send.

Rule of this package: the buckets are in Redis, so that a limit holds over all processes, but a request spends tokens
that its process has leased before: one look into a dict, no round trip. Read `limits.py` first, then `bucket.py`,
`leases.py`, `shared.py` and `bucket.lua`. When Redis is away, events are let through: the buffer is away then, too.
"""

from glimpse.collect.limits.limits import Limits
from glimpse.collect.limits.refusals import Refusals
from glimpse.collect.limits.taking import TooMany, Verdict, Waiting

__all__ = ["Limits", "Refusals", "TooMany", "Verdict", "Waiting"]
