from __future__ import annotations

from pathlib import Path

import pytest
from city_databases import LONDON, TOKYO, write_database

from glimpse import resources
from glimpse.geo.gazetteer import City, Country, Gazetteer
from glimpse.geo.rebuild import rebuild

WORLD_ATLAS = """{"type": "Topology", "transform": {"scale": [1, 1], "translate": [-10, 40]},
 "arcs": [[[0, 0], [5, 0], [0, 5], [-5, 0], [0, -5]], [[0, -100], [5, 0], [0, 5], [-5, -5]]],
 "objects": {"countries": {"type": "GeometryCollection", "geometries": [
  {"type": "Polygon", "arcs": [[0]], "id": "826", "properties": {"name": "U.K."}},
  {"type": "Polygon", "arcs": [[1]], "id": "010", "properties": {"name": "Antarctica"}}]}}}"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All data made anew from two networks, two cities and one country."""
    gazetteer = Gazetteer(
        [
            City(2643743, "London", "GB", 51.5085, -0.1257, 8_961_989, "Europe/London"),
            City(1850147, "Tokyo", "JP", 35.6895, 139.6917, 8_336_599, "Asia/Tokyo"),
        ],
        [[], []],
        [Country(2635167, "GB", 826, "United Kingdom", "EU"), Country(1861060, "JP", 392, "Japan", "AS")],
    )
    monkeypatch.setattr("glimpse.geo.rebuild.load_geonames", lambda: gazetteer)
    source = write_database(tmp_path / "full.mmdb", {"81.2.68.0/23": LONDON, "2001:218::/32": TOKYO})
    (tmp_path / "countries-50m.json").write_text(WORLD_ATLAS)
    rebuild([source], tmp_path / "geo", world_atlas=tmp_path / "countries-50m.json")
    return tmp_path / "geo"


def test_all_files_are_made(folder: Path):
    made = {path.name for path in folder.iterdir()}
    committed = {path.name for path in resources.path("geo/places.mmdb").parent.iterdir()}
    assert made == committed - {"README.md"}


def test_cities_come_with_their_networks(folder: Path):
    header, *rows = (folder / "cities.tsv").read_text().splitlines()
    assert header.split("\t")[-1] == "networks"
    assert rows == [
        "London\tEngland\tGB\t51.5085\t-0.1257\t8961989\tEurope/London\t81.2.68.0/24",
        "Tokyo\tTokyo\tJP\t35.6895\t139.6917\t8336599\tAsia/Tokyo\t2001:218::/48",
    ]


def test_borders_take_iso_codes_and_leave_antarctica_out(folder: Path):
    text = (folder / "borders.json").read_text()
    assert '"id":"GB"' in text
    assert "United Kingdom" in text
    assert "Antarctica" not in text
