from __future__ import annotations

from pathlib import Path

import maxminddb
import pytest
from city_databases import LONDON, TOKYO, write_database

from glimpse.geo.search_tree import SearchTree, _child_table

RECORDS = {
    "1.0.0.0/24": LONDON,
    "1.0.1.0/25": TOKYO,
    "9.0.0.0/8": LONDON,
    "2001:218::/32": TOKYO,
    "2a00::/12": LONDON,
    "2a10:1:2:3::/64": TOKYO,
}


@pytest.mark.parametrize("version", [4, 6])
def test_walk_finds_what_the_reader_finds(tmp_path: Path, version: int):
    path = write_database(tmp_path / "city.mmdb", RECORDS)
    tree = SearchTree(path)
    networks = tree.networks(version)
    walked = {f"{networks.address(i)}/{networks.depths[i]}": tree.record(networks, i) for i in range(len(networks))}
    assert walked == {network: record for network, record in RECORDS.items() if (":" in network) == (version == 6)}
    with maxminddb.open_database(path) as reader:
        assert len(list(reader)) == len(RECORDS)


def test_equal_records_have_equal_numbers(tmp_path: Path):
    networks = SearchTree(write_database(tmp_path / "city.mmdb", RECORDS)).networks(4)
    assert len(networks) == 3
    assert len(set(networks.records.tolist())) == 2


def test_ipv4_file_has_no_ipv6_networks(tmp_path: Path):
    tree = SearchTree(write_database(tmp_path / "four.mmdb", {"1.0.0.0/24": LONDON}, version=4))
    assert len(tree.networks(6)) == 0
    assert str(tree.networks(4).address(0)) == "1.0.0.0"


def test_network_longer_than_64_bits_stands_for_its_64(tmp_path: Path):
    networks = SearchTree(write_database(tmp_path / "six.mmdb", {"2a10:1:2:3:4::/80": TOKYO})).networks(6)
    assert [(str(networks.address(0)), int(networks.depths[0]))] == [("2a10:1:2:3::", 64)]


@pytest.mark.parametrize(
    ("record_size", "packed"),
    [(24, "000102 f00304"), (28, "000102 5a f00304"), (32, "05000102 0af00304")],
)
def test_records_of_every_size_are_unpacked(record_size: int, packed: str):
    high = {24: (0, 0), 28: (5, 10), 32: (5, 10)}[record_size]
    expected = [[high[0] << 24 | 0x000102, high[1] << 24 | 0xF00304]]
    assert _child_table(bytes.fromhex(packed), 1, record_size).tolist() == expected
