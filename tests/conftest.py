"""What all tests share: no setting of the machine they run on reaches them, and no property has to hold in time."""

from __future__ import annotations

import os

import hypothesis
import pytest

_FOREIGN = ("GLIMPSE_", "REDIS_", "MAXMIND_", "BOKEH_", "PANEL_")

hypothesis.settings.register_profile("without a deadline", deadline=None)
hypothesis.settings.load_profile("without a deadline")


@pytest.fixture(autouse=True)
def no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
