"""Write an MMDB file: a search tree over both IP versions, and its data section.

Source: MaxMind DB File Format Specification 2.0.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from glimpse.errors import GeoDataError
from glimpse.geo.nodes import NodeTable
from glimpse.geo.pruning import NOWHERE

_METADATA_START: Final = b"\xab\xcd\xefMaxMind.com"
_SEPARATOR: Final = b"\x00" * 16
_RECORD_LIMIT: Final = 1 << 24
_MAP, _STRING, _DOUBLE, _UINT16, _UINT32, _UINT64, _ARRAY = 7, 2, 3, 5, 6, 9, 11
NODE_BYTES: Final = 6
_SHORTEST_SHARED: Final = 3
_NOWHERE_REFERENCE: Final = -1 - NOWHERE

Value = Any
"""A str, int, float, list, or a dict with str keys."""


class DataSection:
    """The records of all labels, encoded; a part that occurs more than once is written once and pointed to.

    Parameters
    ----------
    records
        Record of each label; None for no record.
    """

    def __init__(self, records: Sequence[Value | None]) -> None:
        self.content = bytearray()
        self._offsets: dict[Any, int] = {}
        self._uses: Counter[Any] = Counter()
        for record in records:
            self._count(record)
        self.record_offsets = [None if record is None else self._add(record) for record in records]

    def _count(self, value: Value) -> None:
        key = _hashable(value)
        self._uses[key] += 1
        if self._uses[key] == 1 and isinstance(value, (dict, list)):
            for part in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
                self._count(part)

    def _add(self, value: Value) -> int:
        key = _hashable(value)
        offset = self._offsets.get(key)
        if offset is None:
            encoded = encode(value, self._part)
            offset = self._offsets[key] = len(self.content)
            self.content += encoded
        return offset

    def _part(self, value: Value) -> bytes:
        is_short = isinstance(value, (float, int)) or (isinstance(value, str) and len(value) < _SHORTEST_SHARED)
        if is_short or self._uses[_hashable(value)] == 1:
            return encode(value, self._part)
        return _pointer(self._add(value))


def encode(value: Value, part: Callable[[Value], bytes] | None = None) -> bytes:
    """Encode one value; its parts by ``part``, or in place."""
    inner = part or encode
    match value:
        case str():
            raw = value.encode()
            return _control(_STRING, len(raw)) + raw
        case float():
            return _control(_DOUBLE, 8) + struct.pack(">d", value)
        case int():
            return _unsigned(_UINT16 if value < 1 << 16 else _UINT32, value)
        case dict():
            return _control(_MAP, len(value)) + b"".join(inner(key) + inner(item) for key, item in value.items())
        case list():
            return _control(_ARRAY, len(value)) + b"".join(inner(item) for item in value)
    raise TypeError(f"no MMDB type for {type(value).__name__}")


def _control(kind: int, size: int) -> bytes:
    """Write type and size: kinds from 8 on in a second byte, sizes from 29 on after it."""
    short, more = (
        (size, b"") if size < 29 else (29, bytes([size - 29])) if size < 285 else (30, (size - 285).to_bytes(2))
    )
    return (bytes([kind << 5 | short]) if kind <= 7 else bytes([short, kind - 7])) + more


def _unsigned(kind: int, value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 7) // 8)
    return _control(kind, len(raw)) + raw


def _pointer(offset: int) -> bytes:
    if offset < 2048:
        return struct.pack(">H", 0x2000 | offset)
    if offset < 526_336:
        return (0x28 << 16 | (offset - 2048)).to_bytes(3)
    return (0x30 << 24 | (offset - 526_336)).to_bytes(4)


def _hashable(value: Value) -> Any:
    if isinstance(value, dict):
        return tuple((key, _hashable(item)) for key, item in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def write(path: Path, ipv4: NodeTable, ipv6: NodeTable, data: DataSection, metadata: Mapping[str, Value]) -> int:
    """Write a database and return its size in bytes.

    Parameters
    ----------
    ipv4, ipv6
        The trees below 0.0.0.0/0 and below 2000::/3.

    Raises
    ------
    GeoDataError
        More than 24 bits can address.
    """
    children = _joined(ipv4, ipv6)
    count = len(children)
    if count + len(_SEPARATOR) + len(data.content) >= _RECORD_LIMIT:
        raise GeoDataError(f"{count} nodes and {len(data.content)} bytes of data are too many for records of 24 bits")
    start = count + len(_SEPARATOR)
    targets = np.array([count if offset is None else start + offset for offset in data.record_offsets], np.int64)
    tree = np.where(children < 0, targets[np.where(children < 0, -1 - children, 0)], children)
    facts = {"node_count": count, "record_size": 24, "ip_version": 6, **metadata}
    content = b"".join((_packed(tree), _SEPARATOR, data.content, _METADATA_START, _encode_metadata(facts)))
    path.write_bytes(content)
    return len(content)


def _joined(ipv4: NodeTable, ipv6: NodeTable) -> NDArray[np.int64]:
    """Hang both trees into one of 128 bits, root first.

    IPv4 is at ::/96 and, as MaxMind's own files have it, again at ::ffff:0:0/96.
    """
    count4, count = len(ipv4), len(ipv4) + len(ipv6)
    nowhere = _NOWHERE_REFERENCE
    trunk: list[tuple[int, int]] = []

    def put(left: int, right: int) -> int:
        trunk.append((left, right))
        return count + len(trunk) - 1

    plain = mapped = ipv4.root
    for _ in range(81, 96):
        plain, mapped = put(plain, nowhere), put(nowhere, mapped)
    top = put(plain, mapped)
    for _ in range(3, 80):
        top = put(top, nowhere)
    top = put(top, int(_moved(np.array(ipv6.root), count4)))
    root = put(put(top, nowhere), nowhere)
    table = np.concatenate((ipv4.children, _moved(ipv6.children, count4), np.array(trunk, np.int64)))[::-1]
    return np.where(table >= 0, root - table, table)


def _moved(references: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Renumber references to nodes after a table that comes first."""
    return np.where(references >= 0, references + by, references)


def _encode_metadata(facts: Mapping[str, Value]) -> bytes:
    """Encode the metadata map, where some fields have a type of their own and nothing is a pointer."""
    kinds = {"node_count": _UINT32, "build_epoch": _UINT64}
    pairs = [
        encode(key) + (_unsigned(kinds[key], value) if key in kinds else encode(value)) for key, value in facts.items()
    ]
    return _control(_MAP, len(facts)) + b"".join(pairs)


def _packed(tree: NDArray[np.int64]) -> bytes:
    """Pack records into three bytes each."""
    return tree.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
