"""City databases made for tests, by a writer that is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet


def nested(
    country: str,
    city: str | None = None,
    at: tuple[float, float] | None = None,
    region: str | None = None,
    zone: str | None = None,
) -> dict[str, Any]:
    """Return a record as MaxMind writes it."""
    record: dict[str, Any] = {"country": {"iso_code": country, "names": {"en": country, "de": "?"}}}
    if city:
        record["city"] = {"names": {"en": city}}
    if region:
        record["subdivisions"] = [{"names": {"en": region}}, {"names": {"en": "a county"}}]
    location = {"time_zone": zone} if zone else {}
    record["location"] = location | ({"latitude": at[0], "longitude": at[1]} if at else {})
    return record


def flat(country: str, city: str, at: tuple[float, float], region: str = "") -> dict[str, Any]:
    """Return a record as DB-IP's flat files have it."""
    return {"country_code": country, "state1": region, "city": city, "latitude": at[0], "longitude": at[1]}


def write_database(
    path: Path, records: dict[str, dict[str, Any]], kind: str = "GeoLite2-City", version: int = 6
) -> Path:
    """Write records by network."""
    writer = MMDBWriter(version, kind, ["en"], ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


LONDON = nested("GB", "London", (51.5074, -0.1276), "England", "Europe/London")
TOKYO = nested("JP", "Tokyo", (35.6895, 139.6917), "Tokyo", "Asia/Tokyo")
