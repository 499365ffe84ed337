"""`docs/events.md` says what the wire does: its limits, its reasons, its examples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from glimpse.events import DropReason
from glimpse.settings import SETTINGS, Setting, Settings
from glimpse.wire import read_events

DOCUMENT = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
NOW = 1_790_000_000_000
LIMITS = [s for s in SETTINGS if s.variable.startswith("GLIMPSE_MAX_") and s.variable != "GLIMPSE_MAX_CONNECTIONS"]


def in_words(number: int, unit: str) -> str:
    if unit != "bytes":
        return str(number)
    return f"{number // 2**20} MiB" if number % 2**20 == 0 else f"{number // 1024} KiB"


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.variable for limit in LIMITS])
def test_every_limit_stands_there_with_its_default(limit: Setting):
    row = re.search(rf"^\|[^|]*\| ([^|]*) \| `{limit.variable}` \|", DOCUMENT, flags=re.MULTILINE)
    assert row
    assert row[1].startswith(in_words(limit.default, limit.unit))


@pytest.mark.parametrize("reason", DropReason)
def test_every_reason_to_drop_stands_there(reason: DropReason):
    assert f"`{reason}`" in DOCUMENT


def test_its_examples_are_taken():
    bodies = [*re.findall(r"```json\n(.*?)\n```", DOCUMENT), *re.findall(r"-d '(.*?)'", DOCUMENT)]
    assert len(bodies) == 2
    for body in bodies:
        reading = read_events(json.dumps(json.loads(body)).encode(), None, NOW, Settings())
        assert (len(reading.events), reading.refused, reading.problem) == (1, [], None)
