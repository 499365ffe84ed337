from __future__ import annotations

import zoneinfo

import pytest

from glimpse.geo.zones import main_city_of


@pytest.mark.parametrize(
    ("zone", "country", "city"),
    [
        ("Europe/Berlin", "DE", "Berlin"),
        ("America/New_York", "US", "New York City"),
        ("Asia/Kolkata", "IN", "Mumbai"),
        ("Asia/Calcutta", "IN", "Mumbai"),
        ("Europe/Kiev", "UA", "Kyiv"),
        ("Europe/Oslo", "NO", "Oslo"),
        ("US/Pacific", "US", "Los Angeles"),
        ("Antarctica/Troll", "AQ", "Troll"),
    ],
)
def test_zone_and_its_old_names_lead_to_the_most_populous_city(zone: str, country: str, city: str):
    place = main_city_of(zone)
    assert place is not None
    assert (place.country, place.city) == (country, city)
    assert place.lat is not None
    assert place.lon is not None


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+5", "Mars/Olympus", "", None])
def test_zone_that_is_nowhere_has_no_city(zone: str | None):
    assert main_city_of(zone) is None


def test_every_zone_of_the_database_that_is_somewhere_has_a_city():
    nowhere = {zone for zone in zoneinfo.available_timezones() if main_city_of(zone) is None}
    fixed = {"CET", "CST6CDT", "EET", "EST", "EST5EDT", "Factory", "GMT", "GMT+0", "GMT-0", "GMT0", "Greenwich", "HST"}
    fixed |= {"MET", "MST", "MST7MDT", "PST8PDT", "UCT", "UTC", "Universal", "WET", "Zulu", "localtime"}
    assert {zone for zone in nowhere if not zone.startswith("Etc/")} <= fixed
