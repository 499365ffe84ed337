"""Two servers that all tests behind a proxy share: each takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serving import Served


@pytest.fixture(scope="session")
def public_glimpse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one that anybody may look at."""
    folder = tmp_path_factory.mktemp("public")
    with Served(folder / "data", GLIMPSE_PUBLIC="1", GLIMPSE_ALLOW_HEADLESS="1") as running:
        yield running


@pytest.fixture(scope="session")
def hidden_glimpse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one below a path that only this machine may look at, and that trusts one proxy's address alone."""
    folder = tmp_path_factory.mktemp("hidden")
    settings = {
        "GLIMPSE_ALLOW_HEADLESS": "1",
        "GLIMPSE_TRUSTED_PROXIES": "127.0.0.1",
        "GLIMPSE_PUBLIC_URL": "https://shop.example/stats",
    }
    with Served(folder / "data", prefix="/stats", **settings) as running:
        yield running
