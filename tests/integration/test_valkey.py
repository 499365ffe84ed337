from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from waiting import wait_until

from glimpse import valkey as embedded
from glimpse.errors import BufferUnavailable
from glimpse.server.ownership import Ownership
from glimpse.settings import Settings
from glimpse.valkey import EmbeddedValkey, socket_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", appendfsync="always")


@pytest.fixture
def valkey(settings: Settings) -> Iterator[EmbeddedValkey]:
    running = EmbeddedValkey(settings)
    running.start()
    yield running
    running.stop()


def test_it_keeps_everything_and_listens_on_no_port(valkey: EmbeddedValkey):
    with Redis.from_url(valkey.url) as redis:
        wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "port": "0"}
        assert {name: redis.config_get(name)[name] for name in wanted} == wanted
    assert valkey.socket.stat().st_mode & 0o077 == 0


def test_started_by_many_at_once_it_is_there_once(settings: Settings):
    all_of_them = [EmbeddedValkey(settings) for _ in range(4)]
    threads = [threading.Thread(target=one.start) for one in all_of_them]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.starts for one in all_of_them) == 1
    for one in all_of_them[:-1]:
        one.stop()
    with Redis.from_url(all_of_them[-1].url) as redis:
        assert redis.ping()
    all_of_them[-1].stop()
    assert not all_of_them[-1].socket.exists()
    (parent,) = [one._process for one in all_of_them if one._process]
    wait_until(lambda: parent.poll() == 0, what="it ended in order, whoever stopped it")


def test_what_it_confirmed_is_there_after_it_was_killed_and_revived(valkey: EmbeddedValkey):
    with Redis.from_url(valkey.url) as redis:
        redis.set("a", 1)
    assert not valkey.revive()
    assert valkey.pid
    os.kill(valkey.pid, signal.SIGKILL)
    wait_until(valkey.revive, what="it is found dead and started")
    with Redis.from_url(valkey.url) as redis:
        assert redis.get("a") == b"1"


def test_one_whose_socket_was_taken_away_is_ended_before_another_starts(valkey: EmbeddedValkey):
    before = valkey.pid
    valkey.socket.unlink()
    assert valkey.revive()
    assert valkey.pid != before


def test_one_that_is_installed_deep_down_is_ended_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    (deep / "valkey-server").symlink_to(embedded.get_binary_path())
    monkeypatch.setattr(embedded, "get_binary_path", lambda: deep / "valkey-server")
    running = EmbeddedValkey(settings)
    running.start()
    before = running.pid
    running.socket.unlink()
    assert running.revive()
    assert before is not None
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    running.stop()


def test_a_file_it_cannot_read_is_left_as_it_is_and_the_reason_is_told(settings: Settings):
    folder = settings.data_dir / "appendonlydir"
    folder.mkdir(parents=True)
    manifest = folder / "appendonly.aof.manifest"
    manifest.write_text("not a manifest\n")
    with pytest.raises(BufferUnavailable, match="manifest"):
        EmbeddedValkey(settings).start()
    assert manifest.read_text() == "not a manifest\n"


def test_a_short_socket_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    short = socket_path(deep, "s")
    assert len(os.fsencode(short)) < 100 or len(os.fsencode(tmp_path)) > 60
    short.parent.chmod(0o777)
    with pytest.raises(BufferUnavailable, match="not private"):
        socket_path(deep, "s")


def test_a_data_folder_has_one_owner_and_the_next_when_it_goes(tmp_path: Path):
    first, second = Ownership(tmp_path), Ownership(tmp_path)
    assert (first.take(), first.take(), second.take()) == (True, True, False)
    first.give_up()
    assert (second.take(), first.is_held) == (True, False)
    second.give_up()
