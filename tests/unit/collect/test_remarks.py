from __future__ import annotations

from base64 import b64encode

import pytest
from asking import Asked, ask

from glimpse.events import DropReason

KEY = f"Basic {b64encode(b'shop:').decode()}"
VIEW = {"type": "page", "anonymousId": "a", "properties": {"url": "https://shop.test/"}}
CAPTURED = {"event": "$pageview", "distinct_id": "a", "properties": {"$current_url": "https://shop.test/"}}


def segment() -> Asked:
    return ask("/v1/batch", {"batch": [VIEW, VIEW]}, Authorization=KEY)


def posthog() -> Asked:
    return ask("/batch/", {"api_key": "shop", "batch": [CAPTURED, CAPTURED]})


def own() -> Asked:
    return ask("/event", [{"projectId": "shop", "event": "x", "timestamp": 1_790_000_000_000}] * 2)


@pytest.mark.parametrize("batch", [segment, posthog, own])
def test_a_batch_of_which_nothing_was_wanted_says_why_in_its_header(batch):
    assert len(batch().events) == 2
    whole = batch().answer(dropped=[DropReason.UNKNOWN_PROJECT, DropReason.BOT])
    assert (whole.status, whole.headers["X-Glimpse-Dropped"]) == (200, "unknown_project")
    assert "X-Glimpse-Dropped" not in batch().answer(dropped=[DropReason.BOT]).headers
    assert "X-Glimpse-Dropped" not in batch().answer().headers
