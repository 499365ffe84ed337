"""What all tests share: no setting of the machine they run on reaches them."""

from __future__ import annotations

import os

import pytest

_FOREIGN = ("GLIMPSE_", "REDIS_", "MAXMIND_", "BOKEH_", "PANEL_")


@pytest.fixture(autouse=True)
def no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
