from __future__ import annotations

import csv
import gzip
import ipaddress
from collections.abc import Callable
from pathlib import Path

import maxminddb
import numpy as np
import pytest
from city_databases import LONDON, TOKYO, flat, nested, write_database

from glimpse.errors import GeoDataError
from glimpse.geo.build import build
from glimpse.geo.gazetteer import City, Country, Gazetteer
from glimpse.geo.places import Place, PlaceLookup

LONDON_PLACE = Place("GB", "England", "London", "Europe/London", 51.5085, -0.1257)
TOKYO_PLACE = Place("JP", "Tokyo", "Tokyo", "Asia/Tokyo", 35.6895, 139.6917)


Compact = Callable[..., PlaceLookup]


@pytest.fixture
def gazetteer() -> Gazetteer:
    cities = [
        City(2643743, "London", "GB", 51.5085, -0.1257, 8_961_989, "Europe/London"),
        City(2655603, "Birmingham", "GB", 52.4814, -1.8998, 984_333, "Europe/London"),
        City(2650225, "Edinburgh", "GB", 55.9521, -3.1965, 506_520, "Europe/London"),
        City(1850147, "Tokyo", "JP", 35.6895, 139.6917, 8_336_599, "Asia/Tokyo"),
        City(2988507, "Paris", "FR", 48.8534, 2.3488, 2_138_551, "Europe/Paris"),
    ]
    names = [["Londres"], [], [], ["Tokio"], []]
    countries = [
        Country(2635167, "GB", 826, "United Kingdom", "EU"),
        Country(1861060, "JP", 392, "Japan", "AS"),
        Country(3017382, "FR", 250, "France", "EU"),
    ]
    return Gazetteer(cities, names, countries)


@pytest.fixture
def compact(tmp_path: Path, gazetteer: Gazetteer) -> Compact:
    def built(*sources: Path, **options: int) -> PlaceLookup:
        report = build(sources, tmp_path / "compact.mmdb", gazetteer=gazetteer, **options)
        assert report.size_bytes == report.path.stat().st_size
        assert not list(tmp_path.glob("*.partial"))
        return PlaceLookup(report.path)

    return built


def test_place_takes_the_citys_name_coordinates_and_zone_and_the_sources_region(compact: Compact, tmp_path: Path):
    source = write_database(tmp_path / "full.mmdb", {"81.2.0.0/16": LONDON, "2001:218::/32": TOKYO})
    places = compact(source)
    assert places.find("81.2.69.0/24") == LONDON_PLACE
    assert places.find("2001:218::/48") == TOKYO_PLACE
    assert places.find("81.3.0.0/24") is None
    assert places.find("2001:219::/48") is None


def test_ipv4_is_found_through_mapped_ipv6(compact: Compact, tmp_path: Path):
    compact(write_database(tmp_path / "full.mmdb", {"81.2.0.0/16": LONDON}))
    with maxminddb.open_database(tmp_path / "compact.mmdb") as reader:
        assert reader.get("::ffff:81.2.69.1") == reader.get("81.2.69.1")


def test_flat_files_for_each_ip_version_are_joined(compact: Compact, tmp_path: Path):
    four = {"81.2.0.0/16": flat("GB", "London (Soho)", (51.51, -0.13), "England")}
    six = {"2001:218::/32": flat("JP", "Tokio", (35.7, 139.7), "Tokyo")}
    places = compact(
        write_database(tmp_path / "four.mmdb", four, version=4), write_database(tmp_path / "six.mmdb", six)
    )
    assert places.find("81.2.69.0/24") == LONDON_PLACE
    assert places.find("2001:218::/48") == TOKYO_PLACE


def test_hamlet_becomes_the_nearest_town_of_its_own_country(compact: Compact, tmp_path: Path):
    # Nearer to Birmingham than to London.
    source = write_database(tmp_path / "full.mmdb", {"1.0.0.0/16": nested("GB", "Hamlet", (52.3, -1.7))})
    assert compact(source).find("1.0.0.0/24").city == "Birmingham"


def test_place_far_from_any_city_keeps_its_own_name_and_coordinates(compact: Compact, tmp_path: Path):
    source = write_database(tmp_path / "full.mmdb", {"1.0.0.0/16": nested("GB", "Lerwick", (60.15, -1.14))})
    assert compact(source).find("1.0.0.0/24") == Place("GB", None, "Lerwick", "Europe/London", 60.15, -1.14)


def test_addresses_that_nobody_routes_have_no_place_whatever_the_source_says(compact: Compact, tmp_path: Path):
    source = write_database(tmp_path / "full.mmdb", {"192.0.0.0/4": LONDON, "2001:d00::/24": TOKYO})
    places = compact(source)
    assert places.find("192.168.1.0/24") is None
    assert places.find("203.0.113.0/24") is None
    assert places.find("2001:db8::/48") is None
    assert places.find("192.167.0.0/24") == LONDON_PLACE
    assert places.find("192.169.0.0/24") == LONDON_PLACE
    assert places.find("2001:db9::/48") == TOKYO_PLACE


def test_network_below_24_bits_counts_by_its_size(compact: Compact, tmp_path: Path):
    source = write_database(
        tmp_path / "full.mmdb", {"1.0.0.0/26": TOKYO, "1.0.0.64/26": LONDON, "1.0.0.128/25": LONDON}
    )
    assert compact(source).find("1.0.0.0/24") == LONDON_PLACE


def random_source(tmp_path: Path, count: int) -> tuple[Path, dict[str, str]]:
    rng = np.random.default_rng(7)
    there = {
        "London": LONDON,
        "Edinburgh": nested("GB", "Edinburgh", (55.95, -3.19)),
        "Tokyo": TOKYO,
        "Paris": nested("FR", "Paris", (48.85, 2.35)),
    }
    networks: dict[str, str] = {}
    for place in rng.choice(list(there), count):
        depth = int(rng.integers(12, 25))
        address = int(rng.integers(1 << 24, 9 << 24)) >> (32 - depth) << (32 - depth)
        network = ipaddress.ip_network((address, depth))
        if not any(network.overlaps(ipaddress.ip_network(other)) for other in networks):
            networks[str(network)] = str(place)
    source = write_database(tmp_path / "full.mmdb", {network: there[place] for network, place in networks.items()})
    return source, networks


def test_every_network_of_a_source_that_fits_is_answered_exactly(compact: Compact, tmp_path: Path):
    source, networks = random_source(tmp_path, 400)
    places = compact(source)
    for network, city in networks.items():
        first, last = ipaddress.ip_network(network)[0], ipaddress.ip_network(network)[-1]
        assert places.find(str(first)).city == city
        assert places.find(str(last)).city == city


def test_source_that_does_not_fit_is_cut_to_size_and_keeps_countries_before_cities(compact: Compact, tmp_path: Path):
    source, networks = random_source(tmp_path, 400)
    full = build_size(compact, source, tmp_path)
    places = compact(source, max_bytes=full * 2 // 3)
    assert (tmp_path / "compact.mmdb").stat().st_size <= full * 2 // 3
    sizes = {network: ipaddress.ip_network(network).num_addresses for network in networks}
    right = sum(
        size for network, size in sizes.items() if (found := places.find(network)) and found.city == networks[network]
    )
    assert 0.75 < right / sum(sizes.values()) < 1


def build_size(compact: Compact, source: Path, tmp_path: Path) -> int:
    compact(source)
    return (tmp_path / "compact.mmdb").stat().st_size


def test_dbip_csv_is_read(compact: Compact, tmp_path: Path):
    rows = [
        ("1.0.0.0", "1.0.2.255", "EU", "GB", "England", "London", "51.5074", "-0.1276"),
        ("1.0.3.0", "1.0.3.255", "ZZ", "ZZ", "", "", "0", "0"),
        ("2001:218::", "2001:218:ffff:ffff:ffff:ffff:ffff:ffff", "AS", "JP", "Tokyo", "Tokyo", "35.69", "139.69"),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "AS", "JP", "Tokyo", "Tokyo", "35.69", "139.69"),
    ]
    with gzip.open(tmp_path / "dbip-city-lite.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows(rows)
    places = compact(tmp_path / "dbip-city-lite.csv.gz")
    assert [places.find(f"1.0.{third}.0/24") for third in range(4)] == [LONDON_PLACE] * 3 + [None]
    assert places.find("2001:218:1::/48") == TOKYO_PLACE
    assert places.find("fc00::/48") is None


def test_maxmind_csv_is_read(compact: Compact, tmp_path: Path):
    folder = tmp_path / "GeoLite2-City-CSV"
    folder.mkdir()
    header = "network,geoname_id,registered_country_geoname_id,latitude,longitude\n"
    (folder / "GeoLite2-City-Blocks-IPv4.csv").write_text(header + "1.0.0.0/23,7,8,51.5074,-0.1276\n1.0.2.0/24,,8,,\n")
    (folder / "GeoLite2-City-Blocks-IPv6.csv").write_text(header + "2001:218::/32,9,9,35.69,139.69\n")
    (folder / "GeoLite2-City-Locations-en.csv").write_text(
        "geoname_id,country_iso_code,subdivision_1_name,city_name\n7,GB,England,London\n8,GB,,\n9,JP,Tokyo,Tokyo\n"
    )
    places = compact(folder)
    assert places.find("1.0.1.0/24") == LONDON_PLACE
    assert places.find("1.0.2.0/24") is None
    assert places.find("2001:218:1::/48") == TOKYO_PLACE


def test_two_sources_of_one_ip_version_are_refused(compact: Compact, tmp_path: Path):
    source = write_database(tmp_path / "full.mmdb", {"81.2.0.0/16": LONDON})
    with pytest.raises(GeoDataError, match="one source"):
        compact(source, source)


def test_file_of_unknown_kind_is_refused(compact: Compact, tmp_path: Path):
    with pytest.raises(GeoDataError, match=r"\.mmdb"):
        compact(tmp_path / "cities.xlsx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GeoDataError, match="City-Locations"):
        compact(tmp_path / "empty")


def test_progress_runs_from_nothing_to_all(tmp_path: Path, gazetteer: Gazetteer):
    shares: list[float] = []
    source = write_database(tmp_path / "full.mmdb", {"81.2.0.0/16": LONDON})
    build([source], tmp_path / "out.mmdb", gazetteer=gazetteer, on_progress=lambda doing, share: shares.append(share))
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)
