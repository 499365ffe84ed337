"""The buffer between edge and drain: Redis streams, a shard each, with their consumer group and their counters.

Rule of this package: an answer to the edge means that Redis has confirmed; nothing is trimmed that is not acknowledged.
`event_buffer.py` has what others use; behind it, `appender.py` writes for the edge and `stream.py` reads for the drain.
"""

from glimpse.buffer.connection import connect
from glimpse.buffer.event_buffer import EventBuffer
from glimpse.buffer.leases import RENEWED_EVERY_S, Leases, owners
from glimpse.buffer.letters import DeadLetters, Letter
from glimpse.buffer.records import DEAD, GROUP, LEDGER, STREAM, Entry, Receipt, entry_order
from glimpse.buffer.room import Room, room_of
from glimpse.buffer.salts import DAY_MS
from glimpse.buffer.shards import shard_of
from glimpse.buffer.shared import LIVE

__all__ = [
    "DAY_MS",
    "DEAD",
    "GROUP",
    "LEDGER",
    "LIVE",
    "RENEWED_EVERY_S",
    "STREAM",
    "DeadLetters",
    "Entry",
    "EventBuffer",
    "Leases",
    "Letter",
    "Receipt",
    "Room",
    "connect",
    "entry_order",
    "owners",
    "room_of",
    "shard_of",
]
