"""Read the search tree of an MMDB file into arrays, all networks at once.

Iterating a reader yields some 200,000 networks a second; walking the tree level by level as arrays yields millions,
which is what building, measuring and sampling a database need. Single lookups stay with the reader.

Source: MaxMind DB File Format Specification 2.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
from numpy.typing import NDArray

from glimpse.geo.networks import KEY_BITS

_SEPARATOR_BYTES = 16


@dataclass(frozen=True)
class Networks:
    """Networks of one IP version, in no particular order.

    Attributes
    ----------
    keys
        The leading ``depth`` bits of each network, as an integer.
    depths
        Prefix lengths.
    records
        Which record a network has: equal numbers, equal record.
    """

    version: int
    keys: NDArray[np.uint64]
    depths: NDArray[np.uint8]
    records: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keys)

    def address(self, index: int) -> IPv4Address | IPv6Address:
        """Return the first address of a network."""
        return start_of(self.version, int(self.keys[index]), int(self.depths[index]))


def start_of(version: int, key: int, depth: int) -> IPv4Address | IPv6Address:
    """Return the first address under a prefix given as its leading bits."""
    return IPv4Address(key << (32 - depth)) if version == 4 else IPv6Address(key << (128 - depth))


class SearchTree:
    """The search tree of one MMDB file, as a table of left and right records."""

    def __init__(self, path: Path) -> None:
        self.reader = maxminddb.open_database(path, maxminddb.MODE_AUTO)
        meta = self.reader.metadata()
        self.node_count: int = meta.node_count
        self.ip_version: int = meta.ip_version
        self.children = _child_table(path.read_bytes(), meta.node_count, meta.record_size)

    def networks(self, version: int) -> Networks:
        """Walk all networks of an IP version.

        Networks longer than 64 bits are represented by the first of their /64. The IPv4 part of an IPv6 file, and
        the aliases that lead there, don't appear as IPv6.
        """
        start = self._start(version)
        if start is None:
            return _no_networks(version)
        node, key, depth = start
        return self._walk(version, node, key, depth)

    def record(self, networks: Networks, index: int) -> Any:
        """Decode the record of one network."""
        return self.reader.get(networks.address(index))

    def _start(self, version: int) -> tuple[int, int, int] | None:
        """Find the node where an IP version begins, with its prefix: IPv6 is what IANA gives out, 2000::/3."""
        if version == 6:
            return self._descend((0, 0, 1)) if self.ip_version == 6 else None
        if self.ip_version == 4:
            return 0, 0, 0
        found = self._descend((0,) * 96)
        return None if found is None else (found[0], 0, 0)

    def _descend(self, bits: tuple[int, ...]) -> tuple[int, int, int] | None:
        node, key = 0, 0
        for bit in bits:
            if node >= self.node_count:
                return None
            node, key = int(self.children[node, bit]), key << 1 | bit
        return None if node == self.node_count else (node, key, len(bits))

    def _walk(self, version: int, node: int, key: int, depth: int) -> Networks:
        nodes, keys = np.array([node], np.int64), np.array([key], np.uint64)
        found: list[tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]] = []
        while True:
            nodes, keys = _without_ipv4_aliases(version, nodes, keys, depth)
            if depth == KEY_BITS[version]:
                nodes = self._first_leaf(nodes)
            is_leaf = nodes > self.node_count
            found.append((keys[is_leaf], np.full(is_leaf.sum(), depth, np.uint8), nodes[is_leaf]))
            inner = nodes < self.node_count
            nodes, keys = nodes[inner], keys[inner]
            if not len(nodes) or depth == KEY_BITS[version]:
                return Networks(version, *(np.concatenate(column) for column in zip(*found, strict=True)))
            nodes = self.children[nodes].astype(np.int64).ravel()
            keys = np.column_stack((keys << np.uint64(1), keys << np.uint64(1) | np.uint64(1))).ravel()
            depth += 1

    def _first_leaf(self, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Follow each node down to the first leaf below it."""
        nodes = nodes.copy()
        while (inner := nodes < self.node_count).any():
            left, right = self.children[nodes[inner]].astype(np.int64).T
            nodes[inner] = np.where(left == self.node_count, right, left)
        return nodes


def _without_ipv4_aliases(
    version: int, nodes: NDArray[np.int64], keys: NDArray[np.uint64], depth: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Leave out 2002::/16 (6to4) and 2001::/32 (Teredo), which may repeat the whole IPv4 tree."""
    alias = {16: 0x2002, 32: 0x20010000}.get(depth) if version == 6 else None
    if alias is None:
        return nodes, keys
    keep = keys != np.uint64(alias)
    return nodes[keep], keys[keep]


def _no_networks(version: int) -> Networks:
    return Networks(version, np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.int64))


def _child_table(content: bytes, node_count: int, record_size: int) -> NDArray[np.uint32]:
    """Unpack the tree's records of 24, 28 or 32 bits into a table of shape (nodes, 2)."""
    width = record_size // 4
    raw = np.frombuffer(content, np.uint8, node_count * width).reshape(-1, width)
    if record_size == 32:
        return raw.view(">u4").astype(np.uint32)
    last = width - 3
    left, right = _big_endian(raw[:, :3]), _big_endian(raw[:, last:])
    if record_size == 28:
        high = raw[:, 3].astype(np.uint32)
        left |= (high >> 4) << 24
        right |= (high & 0x0F) << 24
    return np.column_stack((left, right))


def _big_endian(three_bytes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    wide = three_bytes.astype(np.uint32)
    return (wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]).astype(np.uint32)
