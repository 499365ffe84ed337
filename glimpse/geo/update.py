"""Fetch a newer city database, check it, and swap it in by rename: nobody ever sees half a file.

GeoLite2 City comes from MaxMind with an account; DB-IP's City Lite comes without one, as of the month.

Sources: https://dev.maxmind.com/geoip/updating-databases, https://db-ip.com/db/download/ip-to-city-lite
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Final

import maxminddb

from glimpse.errors import GeoDataError
from glimpse.geo.sources import place_of_record

MAXMIND_URL: Final = "https://download.maxmind.com"
DBIP_URL: Final = "https://download.db-ip.com"
KNOWN_ADDRESSES: Final = (("8.8.8.8", "US"), ("193.0.6.139", "NL"), ("2001:4860:4860::8888", "US"))
"""Public resolvers of Google, and RIPE NCC in Amsterdam: a database that doesn't know these isn't one."""

_MAXMIND_PATH = "/geoip/databases/GeoLite2-City/download?suffix=tar.gz"
_DBIP_PATH = "/free/dbip-city-lite-{month:%Y-%m}.mmdb.gz"
_TIMEOUT_S = 60
_CHUNK_BYTES = 1 << 18
_CORRUPT = (OSError, EOFError, ValueError, tarfile.TarError, maxminddb.InvalidDatabaseError)

Progress = Callable[[int, int | None], None]
"""Called with how many bytes have come, and of how many (None when unknown)."""


@dataclass(frozen=True)
class UpdateReport:
    """What was fetched."""

    path: Path
    database: str
    built_at: datetime
    size_bytes: int


def update(
    target: Path,
    *,
    account_id: str | None = None,
    license_key: str | None = None,
    base_url: str | None = None,
    today: date | None = None,
    on_progress: Progress = lambda _done, _total: None,
) -> UpdateReport:
    """Fetch a city database and put it in place of ``target``.

    Parameters
    ----------
    target
        The file to replace; it stays as it is when anything goes wrong.
    account_id, license_key
        With both, GeoLite2 City is fetched from MaxMind; with neither, DB-IP's City Lite.
    base_url
        Where to fetch from instead.

    Raises
    ------
    GeoDataError
        It can't be fetched, is damaged, or is no city database.
    """
    if bool(account_id) != bool(license_key):
        raise GeoDataError("MAXMIND_ACCOUNT_ID and MAXMIND_LICENSE_KEY are needed both, or neither")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".geo-update-", dir=target.parent) as folder:
        found = Path(folder) / "city.mmdb"
        if account_id and license_key:
            _fetch_maxmind(found, base_url or MAXMIND_URL, (account_id, license_key), on_progress)
        else:
            _fetch_dbip(found, base_url or DBIP_URL, today or datetime.now(UTC).date(), on_progress)
        report = verify(found)
        found.replace(target)
    return UpdateReport(target, report.database, report.built_at, report.size_bytes)


def verify(path: Path, known: Sequence[tuple[str, str]] = KNOWN_ADDRESSES) -> UpdateReport:
    """Open a database and look a few addresses up.

    Raises
    ------
    GeoDataError
        It doesn't open, is no city database, or misses one of the addresses.
    """
    try:
        with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
            meta = reader.metadata()
            if "City" not in meta.database_type:
                raise GeoDataError(f"what was fetched is a {meta.database_type} database, not a City one")
            for address, country in known:
                record = reader.get(address)
                place = place_of_record(record if isinstance(record, dict) else None)
                if place is None or place.country != country:
                    raise GeoDataError(f"what was fetched puts {address} in {place and place.country}, not {country}")
    except _CORRUPT as error:
        raise GeoDataError(f"what was fetched is no readable database: {error}") from error
    built_at = datetime.fromtimestamp(meta.build_epoch, UTC)
    return UpdateReport(path, meta.database_type, built_at, path.stat().st_size)


def _fetch_maxmind(found: Path, base_url: str, account: tuple[str, str], on_progress: Progress) -> None:
    """Fetch the archive and its checksum, and take the database out."""
    archive = found.with_name("city.tar.gz")
    stated = _get_text(f"{base_url}{_MAXMIND_PATH}.sha256", account).split()
    digest = _download(f"{base_url}{_MAXMIND_PATH}", archive, account, on_progress)
    if not stated or stated[0].lower() != digest:
        raise GeoDataError("the archive's SHA-256 is not the one stated; nothing was replaced")
    try:
        with tarfile.open(archive, "r:gz") as tar:
            member = next((item for item in tar if item.isfile() and item.name.endswith(".mmdb")), None)
            content = tar.extractfile(member) if member else None
            if content is None:
                raise GeoDataError("the archive holds no .mmdb file")
            _write(content, found)
    except _CORRUPT as error:
        raise GeoDataError(f"the archive is damaged: {error}") from error


def _fetch_dbip(found: Path, base_url: str, today: date, on_progress: Progress) -> None:
    """Fetch this month's file, or last month's while there is none; the gzip format has its own checksum."""
    archive = found.with_name("city.mmdb.gz")
    this_month = today.replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    try:
        _download(base_url + _DBIP_PATH.format(month=this_month), archive, None, on_progress)
    except _NotThere:
        _download(base_url + _DBIP_PATH.format(month=last_month), archive, None, on_progress)
    try:
        with gzip.open(archive) as content:
            _write(content, found)
    except _CORRUPT as error:
        raise GeoDataError(f"the file is damaged: {error}") from error


def _write(content: IO[bytes] | gzip.GzipFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, _CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())  # or a crash soon after the rename could leave an empty file


class _NotThere(GeoDataError):
    """The server has no such file."""


def _get_text(url: str, account: tuple[str, str]) -> str:
    with _open(url, account) as response:
        return response.read(_CHUNK_BYTES).decode("ascii", "replace")


def _download(url: str, path: Path, account: tuple[str, str] | None, on_progress: Progress) -> str:
    """Save what a URL gives, and return its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with _open(url, account) as response, path.open("wb") as file:
        stated = response.headers.get("Content-Length")
        total = int(stated) if stated else None
        try:
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                on_progress(done, total)
        except (OSError, HTTPException) as error:
            raise GeoDataError(f"the connection broke after {done} bytes: {error}") from error
    if total is not None and done != total:
        raise GeoDataError(f"only {done} of {total} bytes came")
    return digest.hexdigest()


def _open(url: str, account: tuple[str, str] | None) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "glimpse"})  # noqa: S310 - https unless a test says so
    if account:
        credentials = base64.b64encode(":".join(account).encode()).decode()
        # MaxMind redirects to a store of another company, which must not see them.
        request.add_unredirected_header("Authorization", f"Basic {credentials}")
    place = url.partition("?")[0]
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        with suppress(OSError), error:
            error.read()
        raise _refusal(error.code, place) from None
    except (OSError, HTTPException) as error:
        raise GeoDataError(f"{place} can't be reached: {getattr(error, 'reason', error)}") from error
    return response


def _refusal(status: int, place: str) -> GeoDataError:
    if status in (401, 403):
        return GeoDataError(
            f"{place} refused the account (HTTP {status}): check MAXMIND_ACCOUNT_ID, MAXMIND_LICENSE_KEY"
        )
    if status == 404:
        return _NotThere(f"{place} is not there (HTTP 404)")
    if status == 429:
        return GeoDataError(f"{place} says the daily limit of downloads is reached (HTTP 429)")
    return GeoDataError(f"{place} answered HTTP {status}")
