from __future__ import annotations

from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pytest

from glimpse.errors import GeoDataError
from glimpse.geo import mmdb_file
from glimpse.geo.mmdb_file import DataSection, encode
from glimpse.geo.nodes import NodeTable

METADATA = {
    "binary_format_major_version": 2,
    "binary_format_minor_version": 0,
    "build_epoch": 1_700_000_000,
    "database_type": "Test-City",
    "description": {"en": "test"},
    "languages": ["en"],
}
EMPTY = NodeTable(np.empty((0, 2), np.int64), -1)


def read_back(tmp_path: Path, records: list[Any], tree: NodeTable) -> maxminddb.Reader:
    path = tmp_path / "out.mmdb"
    mmdb_file.write(path, tree, EMPTY, DataSection([None, *records]), METADATA)
    return maxminddb.open_database(path, maxminddb.MODE_MEMORY)


@pytest.mark.parametrize(
    "value",
    [
        *("x" * size for size in (0, 1, 28, 29, 30, 284, 285, 286, 5000)),
        *(0, 1, 255, 65_535, 65_536, 2**32 - 1),
        *(0.0, -0.125, 179.9999),
        {},
        [],
        {"names": {"en": "Zürich"}, "list": [1, "a", {"b": 2.5}]},
        {f"key {n}": n for n in range(400)},
    ],
    ids=repr,
)
def test_value_is_read_back_by_the_common_reader(tmp_path: Path, value: Any):
    tree = NodeTable(np.array([[-2, -1]]), 0)
    reader = read_back(tmp_path, [value], tree)
    assert reader.get("1.2.3.4") == value
    assert reader.get("200.0.0.0") is None


def test_parts_that_repeat_are_written_once_and_read_everywhere(tmp_path: Path):
    # Enough of them that pointers of one, two and three further bytes occur.
    records = [{"city": f"city {n:06}", "country": {"name": f"country {n % 9000:06}"}} for n in range(36_000)]
    data = DataSection(records)
    assert len(data.content) < sum(len(encode(record)) for record in records)
    assert len(data.content) > 526_336
    reader = read_back(tmp_path, [records[0], *records], NodeTable(np.array([[-2 - len(records), -3 - 20]]), 0))
    assert reader.get("1.2.3.4") == records[-1]
    assert reader.get("200.0.0.0") == records[20]


def test_equal_records_share_their_bytes():
    data = DataSection([{"a": "same"}, {"a": "same"}])
    assert data.record_offsets[0] == data.record_offsets[1]


def test_metadata_says_what_the_file_is(tmp_path: Path):
    meta = read_back(tmp_path, ["x"], NodeTable(np.array([[-2, -1]]), 0)).metadata()
    assert (meta.database_type, meta.ip_version, meta.record_size, meta.build_epoch) == (
        "Test-City",
        6,
        24,
        1_700_000_000,
    )


def test_more_than_24_bits_can_address_is_refused(tmp_path: Path):
    data = DataSection([None, "x" * 5000])
    data.content += bytes(1 << 24)
    with pytest.raises(GeoDataError):
        mmdb_file.write(tmp_path / "out.mmdb", EMPTY, EMPTY, data, METADATA)


def test_value_without_an_mmdb_type_is_refused():
    with pytest.raises(TypeError, match="set"):
        encode({"a": {1}})
