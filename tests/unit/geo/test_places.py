from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from city_databases import LONDON, TOKYO, nested, write_database

from glimpse.geo.places import Place, PlaceLookup, bundled_database, open_places
from glimpse.settings import Settings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_a_second(self) -> None:
        self.now += 1.0


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return write_database(tmp_path / "city.mmdb", {"81.2.69.0/24": LONDON, "2001:218::/32": TOKYO})


def replace_by(target: Path, source: Path) -> None:
    """Swap as `glimpse geo update` does."""
    copy = target.with_suffix(".new")
    shutil.copy(source, copy)
    copy.replace(target)


def test_network_is_found_with_all_that_is_known_of_it(database: Path):
    london = Place("GB", "England", "London", "Europe/London", 51.5074, -0.1276)
    assert PlaceLookup(database).find("81.2.69.0/24") == london


def test_ipv6_network_and_bare_address_are_found(database: Path):
    places = PlaceLookup(database)
    assert places.find("2001:218::/48") == places.find("2001:218::1")
    assert places.find("81.2.69.160") == places.find("81.2.69.0/24")


@pytest.mark.parametrize("network", ["10.0.0.0/24", "no network", "", None])
def test_what_is_not_in_the_database_has_no_place(database: Path, network: str | None):
    assert PlaceLookup(database).find(network) is None


def test_unknown_fields_are_none_and_never_zero(tmp_path: Path):
    records = {
        "1.0.0.0/24": nested("FR"),
        "2.0.0.0/24": nested("DE", "Somewhere", (0.0, 0.0)),
        "3.0.0.0/24": {"traits": {}},
    }
    places = PlaceLookup(write_database(tmp_path / "city.mmdb", records))
    assert places.find("1.0.0.0/24") == Place(country="FR")
    assert places.find("2.0.0.0/24") == Place(country="DE", city="Somewhere")
    assert places.find("3.0.0.0/24") is None


def test_second_lookup_comes_from_the_cache(database: Path):
    places = PlaceLookup(database)
    found = places.find_many(["81.2.69.0/24", None, "81.2.69.0/24", "9.9.9.0/24"])
    assert [place and place.city for place in found] == ["London", None, "London", None]
    assert (places.hits, places.misses) == (1, 2)


def test_cache_forgets_what_was_used_longest_ago(database: Path):
    places = PlaceLookup(database, cache_size=2)
    places.find_many(["1.1.1.0/24", "2.2.2.0/24", "1.1.1.0/24", "3.3.3.0/24", "1.1.1.0/24"])
    assert (places.hits, places.misses) == (2, 3)


def test_missing_database_leaves_places_none_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    clock = Clock()
    with caplog.at_level(logging.WARNING):
        places = PlaceLookup(tmp_path / "none.mmdb", clock=clock)
        for _ in range(3):
            clock.pass_a_second()
            places.refresh_if_replaced()
            assert places.find("81.2.69.0/24") is None
    assert places.problem is not None
    assert "missing" in places.problem
    assert len(caplog.records) == 1


def test_database_that_appears_later_is_picked_up(database: Path, tmp_path: Path):
    clock = Clock()
    places = PlaceLookup(tmp_path / "later.mmdb", clock=clock)
    assert places.find("81.2.69.0/24") is None
    replace_by(tmp_path / "later.mmdb", database)
    clock.pass_a_second()
    assert places.refresh_if_replaced()
    assert places.problem is None
    assert places.find("81.2.69.0/24") is not None


def test_replaced_database_is_picked_up_and_counts_go_on(database: Path, tmp_path: Path):
    clock = Clock()
    places = PlaceLookup(database, clock=clock)
    places.find_many(["81.2.69.0/24", "81.2.69.0/24"])
    replace_by(database, write_database(tmp_path / "other.mmdb", {"81.2.69.0/24": TOKYO}))
    assert not places.refresh_if_replaced(), "looked before a second was over"
    clock.pass_a_second()
    assert places.refresh_if_replaced()
    found = places.find("81.2.69.0/24")
    assert found is not None
    assert found.city == "Tokyo"
    assert (places.hits, places.misses) == (1, 2)
    clock.pass_a_second()
    assert not places.refresh_if_replaced()


@pytest.mark.parametrize("content", [b"", b"not a database", None], ids=["empty", "text", "cut short"])
def test_broken_database_leaves_places_none_and_says_so(database: Path, content: bytes | None):
    clock = Clock()
    places = PlaceLookup(database, clock=clock)
    database.write_bytes(database.read_bytes()[:200] if content is None else content)
    clock.pass_a_second()
    places.refresh_if_replaced()
    assert places.find("81.2.69.0/24") is None
    assert places.problem is not None
    assert str(database) in places.problem


def test_damage_met_by_a_lookup_is_reported_not_raised(database: Path):
    content = bytearray(database.read_bytes())
    start, end = content.index(b"iso_code") - 40, content.index(b"\xab\xcd\xefMaxMind.com")
    content[start:end] = b"\xff" * (end - start)
    database.write_bytes(content)
    places = PlaceLookup(database)
    assert places.problem is None
    assert places.find("81.2.69.0/24") is None
    assert places.problem is not None
    assert "damaged" in places.problem


def test_database_of_another_kind_is_refused(tmp_path: Path):
    places = PlaceLookup(write_database(tmp_path / "asn.mmdb", {"1.0.0.0/24": {"asn": 1}}, kind="GeoLite2-ASN"))
    assert places.problem is not None
    assert "GeoLite2-ASN" in places.problem


def test_updated_database_in_the_data_directory_is_preferred_to_the_bundled_one(tmp_path: Path):
    clock = Clock()
    updated = tmp_path / "city.mmdb"
    places = PlaceLookup(updated, fallback=bundled_database(), clock=clock)
    bundled = places.find("8.8.8.0/24")
    assert bundled is not None
    assert bundled.country == "US"
    write_database(updated, {"8.8.8.0/24": TOKYO})
    clock.pass_a_second()
    assert places.refresh_if_replaced()
    found = places.find("8.8.8.0/24")
    assert found is not None
    assert found.country == "JP"
    updated.unlink()
    clock.pass_a_second()
    assert places.refresh_if_replaced()
    assert places.find("8.8.8.0/24") == bundled


def test_named_database_is_used_and_nothing_else(tmp_path: Path):
    places = open_places(Settings(data_dir=tmp_path, geoip_db=tmp_path / "mine.mmdb"))
    assert places.problem is not None
    assert places.find("8.8.8.0/24") is None


def test_answer_found_while_the_database_is_swapped_does_not_outlive_the_old_one(database: Path, tmp_path: Path):
    clock = Clock()
    places = PlaceLookup(database, clock=clock)
    under_way = places._cached  # what a lookup in another thread has in hand
    replace_by(database, write_database(tmp_path / "other.mmdb", {"81.2.69.0/24": TOKYO}))
    clock.pass_a_second()
    places.refresh_if_replaced()
    assert under_way("81.2.69.0/24").city == "London"
    found = places.find("81.2.69.0/24")
    assert found is not None
    assert found.city == "Tokyo"
