"""What goes into the stream and comes out: a request's receipt, the commands that write it, an entry read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from glimpse.events import AdmittedEvent, PackedEvent

GROUP = "glimpse"
DEAD = "glimpse:dead"

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[PackedEvent])
_counts_decoder = msgspec.msgpack.Decoder(dict[str, int])

# An entry is taken as a whole: one of all that sixty connections have brought while the loop was busy would keep it
# busy for as long again.
MOST_EVENTS_AN_ENTRY = 200

Command = tuple[str | bytes | int, ...]


def stream_of(shard: int) -> str:
    """Return the key of a shard's stream. The number in braces puts all of a shard's keys on one node of a cluster."""
    return f"glimpse:events:{{{shard}}}"


def ledger_of(shard: int) -> str:
    """Return the key of a shard's counters."""
    return f"glimpse:ledger:{{{shard}}}"


def lease_of(shard: int) -> str:
    """Return the key that says who drains a shard."""
    return f"glimpse:lease:{{{shard}}}"


STREAM, LEDGER = stream_of(0), ledger_of(0)  # all there is, unless there are more shards


class Receipt(msgspec.Struct, gc=False):  # never in a cycle
    """What one request brought: events to keep, and counts by (project or '', reason) of the others."""

    admitted: list[AdmittedEvent]
    rejected: dict[tuple[str, str], int] = {}
    dropped: dict[tuple[str, str], int] = {}


class Entry(msgspec.Struct):
    """One stream entry: events that arrived in one turn of an edge's loop, or some of them."""

    id: str
    packed: list[PackedEvent]
    shard: int = 0
    damage: str | None = None  # why it can't be decoded, or must not be taken
    payload: bytes = b""  # when it can't be decoded
    counts: dict[str, int] = {}  # then too: events by project
    replayed: dict[str, int] = {}  # events by project that stood among the dead letters

    @property
    def events(self) -> list[AdmittedEvent]:
        """The events with their contexts."""
        return [event.unpacked() for event in self.packed]


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return a stream id as numbers, which order as the stream does."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


def next_id(entry_id: str) -> str:
    """Return the id that follows immediately."""
    milliseconds, sequence = entry_order(entry_id)
    return f"{milliseconds}-{sequence + 1}"


def commands_for(receipts: Sequence[Receipt], shard: int = 0) -> list[Command]:
    """Return what writes these receipts to a shard: as few entries as hold their events, and every count."""
    stream, ledger = (STREAM, LEDGER) if shard == 0 else (stream_of(shard), ledger_of(shard))
    commands: list[Command] = []
    events = [event for receipt in receipts for event in receipt.admitted]
    for first in range(0, len(events), MOST_EVENTS_AN_ENTRY):
        some = events[first : first + MOST_EVENTS_AN_ENTRY]
        projects = dict(Counter([event.project for event in some]))
        commands.append(("XADD", stream, "*", "e", _encode(some), "n", _encode(projects)))
        commands += [("HINCRBY", ledger, f"{project}|accepted|", count) for project, count in projects.items()]
    commands += [("HINCRBY", ledger, field, count) for field, count in _unwanted(receipts).items()]
    return commands


def _unwanted(receipts: Sequence[Receipt]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for receipt in receipts:
        for (project, reason), count in receipt.rejected.items():
            counts[f"{project}|rejected|{reason}"] += count
        for (project, reason), count in receipt.dropped.items():
            counts[f"{project}|dropped|{reason}"] += count
    return counts


def decode_entry(entry_id: bytes, fields: dict[bytes, bytes], shard: int = 0) -> Entry:
    """Return an entry's events, or what is wrong with it."""
    payload, name = fields.get(b"e", b""), entry_id.decode()
    replayed = decode_counts(fields.get(b"r"))
    try:
        return Entry(name, _decoder.decode(payload), shard, replayed=replayed)
    except msgspec.DecodeError as problem:
        counts = decode_counts(fields.get(b"n"))
        return Entry(name, [], shard, f"undecodable entry: {problem}", payload, counts, replayed)


def decode_counts(field: bytes | None) -> dict[str, int]:
    """Return an entry's number of events by project; nothing where it can't be told."""
    try:
        return _counts_decoder.decode(field) if field else {}
    except msgspec.DecodeError:
        return {}
