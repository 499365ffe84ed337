from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from city_databases import LONDON, nested, write_database

from glimpse.errors import GeoDataError
from glimpse.geo.update import update, verify

KNOWN = {
    "8.8.8.0/24": nested("US", "Mountain View", (37.4, -122.1)),
    "193.0.6.0/24": nested("NL", "Amsterdam", (52.4, 4.9)),
    "2001:4860::/32": nested("US", "Mountain View", (37.4, -122.1)),
}
PERMALINK = "/geoip/databases/GeoLite2-City/download?suffix=tar.gz"
ACCOUNT = {"account_id": "12345", "license_key": "s3cret"}


class StandIn:
    """A local server in place of MaxMind's and DB-IP's."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.account: str | None = None
        self.redirects: dict[str, str] = {}
        self.breaks_after: int | None = None
        self.status: int | None = None
        self.asked: list[tuple[str, str | None]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand_in.answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get("Authorization")
        self.asked.append((request.path, given))
        content = self.files.get(request.path)
        if target := self.redirects.get(request.path):
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif self.account and given != self.account and request.path.startswith("/geoip"):
            request.send_error(401)
        elif self.status is not None:
            request.send_error(self.status)
        elif content is None:
            request.send_error(404)
        else:
            request.send_response(200)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content[: self.breaks_after])


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    server.thread.start()
    yield server
    server.server.shutdown()
    server.thread.join()
    server.server.server_close()


@pytest.fixture
def database(tmp_path: Path) -> bytes:
    return write_database(tmp_path / "source.mmdb", KNOWN).read_bytes()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A database that is there already and must survive whatever fails."""
    (tmp_path / "data").mkdir()
    return write_database(tmp_path / "data" / "city.mmdb", {"81.2.69.0/24": LONDON})


def archive(content: bytes, name: str = "GeoLite2-City_20261120/GeoLite2-City.mmdb") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member, data in (("GeoLite2-City_20261120/LICENSE.txt", b"licence"), (name, content)):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def offer_maxmind(stand_in: StandIn, packed: bytes, digest: str | None = None) -> None:
    digest = digest or hashlib.sha256(packed).hexdigest()
    stand_in.account = "Basic " + base64.b64encode(b"12345:s3cret").decode()
    stand_in.files[PERMALINK] = packed
    stand_in.files[PERMALINK + ".sha256"] = f"{digest}  GeoLite2-City_20261120.tar.gz\n".encode()


def assert_untouched(target: Path, before: bytes) -> None:
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == [target.name], "left something behind"


def test_geolite2_is_fetched_with_an_account_and_put_in_place(stand_in: StandIn, database: bytes, target: Path):
    offer_maxmind(stand_in, archive(database))
    seen: list[tuple[int, int | None]] = []
    report = update(
        target, base_url=stand_in.url, on_progress=lambda done, total: seen.append((done, total)), **ACCOUNT
    )
    assert_untouched(target, database)
    assert (report.path, report.database, report.size_bytes) == (target, "GeoLite2-City", len(database))
    assert report.built_at.date() == datetime.now(UTC).date()
    assert seen[-1][0] == seen[-1][1] == len(archive(database))


def test_account_is_not_shown_to_where_maxmind_redirects(stand_in: StandIn, database: bytes, target: Path):
    offer_maxmind(stand_in, archive(database))
    stand_in.files["/store/elsewhere"] = stand_in.files.pop(PERMALINK)
    stand_in.redirects[PERMALINK] = stand_in.url.replace("127.0.0.1", "localhost") + "/store/elsewhere"
    update(target, base_url=stand_in.url, **ACCOUNT)
    assert target.read_bytes() == database
    assert ("/store/elsewhere", None) in stand_in.asked


def test_dbip_is_fetched_without_an_account(stand_in: StandIn, database: bytes, target: Path):
    stand_in.files["/free/dbip-city-lite-2026-11.mmdb.gz"] = gzip.compress(database)
    update(target, base_url=stand_in.url, today=date(2026, 11, 24))
    assert_untouched(target, database)
    assert stand_in.asked == [("/free/dbip-city-lite-2026-11.mmdb.gz", None)]


def test_last_months_file_is_fetched_while_this_months_is_not_out(stand_in: StandIn, database: bytes, target: Path):
    stand_in.files["/free/dbip-city-lite-2025-12.mmdb.gz"] = gzip.compress(database)
    update(target, base_url=stand_in.url, today=date(2026, 1, 1))
    assert target.read_bytes() == database


def test_target_that_is_not_there_yet_is_made(stand_in: StandIn, database: bytes, tmp_path: Path):
    stand_in.files["/free/dbip-city-lite-2026-11.mmdb.gz"] = gzip.compress(database)
    update(tmp_path / "new" / "city.mmdb", base_url=stand_in.url, today=date(2026, 11, 24))
    assert (tmp_path / "new" / "city.mmdb").read_bytes() == database


def test_wrong_checksum_is_refused(stand_in: StandIn, database: bytes, target: Path):
    before = target.read_bytes()
    offer_maxmind(stand_in, archive(database), digest="0" * 64)
    with pytest.raises(GeoDataError, match="SHA-256"):
        update(target, base_url=stand_in.url, **ACCOUNT)
    assert_untouched(target, before)


@pytest.mark.parametrize("account", [ACCOUNT, {}], ids=["MaxMind", "DB-IP"])
def test_broken_connection_leaves_the_old_file(
    stand_in: StandIn, database: bytes, target: Path, account: dict[str, str]
):
    before = target.read_bytes()
    offer_maxmind(stand_in, archive(database))
    stand_in.files["/free/dbip-city-lite-2026-11.mmdb.gz"] = gzip.compress(database)
    stand_in.breaks_after = 300
    with pytest.raises(GeoDataError, match="300"):
        update(target, base_url=stand_in.url, today=date(2026, 11, 24), **account)
    assert_untouched(target, before)


@pytest.mark.parametrize("cut", [0, 20, -5])
def test_file_that_is_cut_short_at_its_source_is_refused(stand_in: StandIn, database: bytes, target: Path, cut: int):
    before = target.read_bytes()
    stand_in.files["/free/dbip-city-lite-2026-11.mmdb.gz"] = gzip.compress(database)[:cut]
    with pytest.raises(GeoDataError):
        update(target, base_url=stand_in.url, today=date(2026, 11, 24))
    assert_untouched(target, before)


def test_archive_that_is_cut_short_before_its_checksum_was_made_is_refused(
    stand_in: StandIn, database: bytes, target: Path
):
    before = target.read_bytes()
    offer_maxmind(stand_in, archive(database)[: len(archive(database)) // 2])
    with pytest.raises(GeoDataError, match="damaged"):
        update(target, base_url=stand_in.url, **ACCOUNT)
    assert_untouched(target, before)


def test_archive_without_a_database_is_refused(stand_in: StandIn, target: Path):
    before = target.read_bytes()
    offer_maxmind(stand_in, archive(b"text", name="README.txt"))
    with pytest.raises(GeoDataError, match=r"no \.mmdb"):
        update(target, base_url=stand_in.url, **ACCOUNT)
    assert_untouched(target, before)


def test_wrong_account_is_named_without_showing_the_key(stand_in: StandIn, database: bytes, target: Path):
    before = target.read_bytes()
    offer_maxmind(stand_in, archive(database))
    with pytest.raises(GeoDataError, match=r"401.*MAXMIND_LICENSE_KEY") as raised:
        update(target, base_url=stand_in.url, account_id="12345", license_key="not-it")
    assert "not-it" not in str(raised.value)
    assert_untouched(target, before)


@pytest.mark.parametrize(("status", "says"), [(404, "not there"), (429, "limit"), (500, "500")])
def test_refusal_is_told_by_its_status(stand_in: StandIn, target: Path, status: int, says: str):
    before = target.read_bytes()
    stand_in.status = status
    with pytest.raises(GeoDataError, match=says):
        update(target, base_url=stand_in.url)
    assert_untouched(target, before)


def test_server_that_is_not_there_is_told(stand_in: StandIn, target: Path):
    with pytest.raises(GeoDataError, match="can't be reached"):
        update(target, base_url="http://127.0.0.1:1")


def test_half_an_account_is_refused(target: Path):
    with pytest.raises(GeoDataError, match="both"):
        update(target, account_id="12345")


@pytest.mark.parametrize(
    ("records", "kind", "says"),
    [
        (KNOWN, "GeoLite2-Country", "GeoLite2-Country"),
        (KNOWN | {"8.8.8.0/24": LONDON}, "GeoLite2-City", "8.8.8.8 in GB"),
        ({"8.8.8.0/24": KNOWN["8.8.8.0/24"]}, "GeoLite2-City", "193.0.6.139 in None"),
    ],
)
def test_database_that_does_not_know_known_addresses_is_refused(tmp_path: Path, records: dict, kind: str, says: str):
    with pytest.raises(GeoDataError, match=says):
        verify(write_database(tmp_path / "x.mmdb", records, kind))
