from __future__ import annotations

import numpy as np
import pytest

from glimpse import resources
from glimpse.geo.antimeridian import cut_line, cut_ring
from glimpse.geo.borders import Borders, load_borders
from glimpse.geo.borders_build import _kept_points, _quantized
from glimpse.geo.mercator import MAX_LAT_DEG, to_mercator

HALF_WORLD_M = np.pi * 6_378_137


@pytest.fixture(scope="module")
def borders() -> Borders:
    return load_borders()


def rings(borders: Borders) -> list[np.ndarray]:
    return [ring for country in borders.countries for polygon in country.polygons for ring in polygon]


def holds(ring: np.ndarray, lat: float, lon: float) -> bool:
    x, y = (float(value) for value in to_mercator(lat, lon))
    (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
    crosses = (y0 > y) != (y1 > y)
    at = x0[crosses] + (y - y0[crosses]) / (y1 - y0)[crosses] * (x1 - x0)[crosses]
    return bool((at > x).sum() % 2)


def countries_at(borders: Borders, lat: float, lon: float) -> list[str | None]:
    return [
        country.code
        for country in borders.countries
        for outer, *holes in country.polygons
        if holds(outer, lat, lon) and not any(holds(hole, lat, lon) for hole in holes)
    ]


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (48.86, 2.35, "FR"),
        (35.69, 139.5, "JP"),
        (-33.9, 18.6, "ZA"),
        (-29.6, 28.2, "LS"),
        (66.0, 179.0, "RU"),
        (66.0, -175.0, "RU"),
        (64.8, -147.7, "US"),
        (-16.6, 179.3, "FJ"),
        (42.6, 21.1, "XK"),
        (71.0, -40.0, "GL"),
    ],
)
def test_country_covers_its_places_and_no_other_does(borders: Borders, lat: float, lon: float, code: str):
    assert countries_at(borders, lat, lon) == [code]


def test_open_sea_belongs_to_nobody(borders: Borders):
    assert countries_at(borders, 0.0, -30.0) == []
    assert countries_at(borders, 70.0, 0.0) == []


def test_every_country_that_has_a_code_is_named_and_occurs_once(borders: Borders):
    codes = [country.code for country in borders.countries if country.code]
    assert len(codes) > 230
    assert len(set(codes)) == len(codes) == len(borders.names)
    assert borders.names["GB"] == "United Kingdom"
    assert all(country.name for country in borders.countries)
    assert "AQ" not in codes


def test_nothing_runs_across_the_whole_map(borders: Borders):
    for line in (*borders.lines, *rings(borders)):
        assert np.abs(np.diff(line[:, 0])).max() < HALF_WORLD_M / 2


def test_everything_is_on_the_map(borders: Borders):
    south, north = to_mercator([-60, 85], [0, 0])[1]
    together = np.concatenate(borders.lines)
    assert np.isfinite(together).all()
    assert np.abs(together[:, 0]).max() <= HALF_WORLD_M + 1
    assert south <= together[:, 1].min() < together[:, 1].max() <= north


def test_rings_are_closed_and_have_an_area(borders: Borders):
    for ring in rings(borders):
        assert len(ring) >= 4
        assert np.allclose(ring[0], ring[-1])


def test_no_line_runs_along_the_edge_of_the_map(borders: Borders):
    for line in borders.lines:
        on_edge = np.abs(line[:, 0]) > HALF_WORLD_M - 100
        assert not (on_edge[1:] & on_edge[:-1]).any()


def test_path_holds_all_lines_with_gaps_between_them(borders: Borders):
    x, y = borders.path()
    assert np.isnan(x).sum() == np.isnan(y).sum() == len(borders.lines)
    assert len(x) == sum(map(len, borders.lines)) + len(borders.lines)


def test_multi_polygons_are_nested_as_bokeh_wants_them(borders: Borders):
    xs, ys = borders.multi_polygons()
    assert len(xs) == len(ys) == len(borders.countries)
    south_africa = [country.code for country in borders.countries].index("ZA")
    assert max(len(polygon) for polygon in xs[south_africa]) == 2, "Lesotho is a hole in South Africa"


def test_file_is_small():
    assert resources.path("geo/borders.json").stat().st_size < 600_000


def test_mercator_agrees_with_known_points():
    x, y = to_mercator([0, 51.5, 90, -90], [0, -180, 180, 0])
    assert np.allclose(x, [0, -HALF_WORLD_M, HALF_WORLD_M, 0])
    assert np.allclose(y, [0, 6_710_219.08, HALF_WORLD_M, -HALF_WORLD_M], atol=0.1)
    assert to_mercator(MAX_LAT_DEG, 0)[1] == pytest.approx(HALF_WORLD_M)


def test_line_across_the_antimeridian_is_cut_where_it_crosses():
    parts = cut_line(np.array([[170.0, 0.0], [-170.0, 10.0], [-160.0, 10.0], [170.0, 40.0]]))
    expected = [
        [[170, 0], [180, 5]],
        [[-180, 5], [-170, 10], [-160, 10], [-180, 30]],
        [[180, 30], [170, 40]],
    ]
    assert [part.tolist() for part in parts] == expected


def test_ring_across_the_antimeridian_becomes_two_closed_rings():
    ring = np.array([[170.0, 0.0], [-170.0, 0.0], [-170.0, 10.0], [170.0, 10.0], [170.0, 0.0]])
    parts = cut_ring(ring)
    assert [(part[:, 0].min(), part[:, 0].max()) for part in parts] == [(170, 180), (-180, -170)]
    assert all((part[0] == part[-1]).all() for part in parts)


def test_points_that_hardly_matter_are_left_out_of_a_line():
    line = np.array([[0.0, 0.0], [1.0, 0.001], [2.0, 0.0], [2.0, 1.0]])
    assert _kept_points(line).tolist() == [True, False, True, True]
    assert np.cumsum(_quantized(line), axis=0).tolist() == [[0, 0], [200, 0], [200, 100]]


def test_small_island_keeps_its_shape():
    island = np.array([[0.0, 0.0], [0.01, 0.0], [0.01, 0.01], [0.0, 0.01], [0.0, 0.0]])
    assert len(_quantized(island)) == 5
