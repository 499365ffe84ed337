"""Whatever is sent, to any endpoint: no crash, no server error, no event that is acknowledged and not stored.

The same in large, with bounds on memory and time, is `bench/fuzz.py`.
"""

from __future__ import annotations

import asyncio

import pytest
from any_requests import Requests, answer, hear, raw_request
from edge_site import SERVERS, edge_site, logged_errors

from glimpse.clock import steady_now_ms

SEED = 20_261_124
IN_PROCESS, RAW, AT_ONCE = 2000, 100, 20
PATIENCE_S = 5.0


@pytest.fixture(scope="module")
def requests() -> Requests:
    return Requests(SEED, generated_values=50)


async def test_whatever_is_sent_is_answered_and_what_is_taken_is_stored(requests: Requests):
    with logged_errors() as logged:
        async with edge_site(SERVERS["collector"], steady_now_ms) as site:
            for start in range(0, IN_PROCESS, AT_ONCE):
                made = [requests.make(number) for number in range(start, start + AT_ONCE)]
                given = await asyncio.gather(*(answer(site.edge, site.settings, one) for one in made))
                for one, said in zip(made, given, strict=True):
                    assert said.status < 500, one
                assert logged.lines == [], made
            rows = await site.drained()
            counted = await site.counted()
            assert len(rows) == counted["stored"] > IN_PROCESS / 8
            assert counted["stored"] + counted.get("duplicate", 0) == site.edge.metrics.accepted
            assert "dead_lettered" not in counted, logged.lines


@pytest.mark.parametrize("server", SERVERS)
async def test_whatever_bytes_come_no_server_fails(requests: Requests, server: str):
    with logged_errors() as logged:
        async with edge_site(SERVERS[server], steady_now_ms) as site:
            for start in range(0, RAW, AT_ONCE):
                raws = [raw_request(requests.make(number), SEED) for number in range(start, start + AT_ONCE)]
                patience = [PATIENCE_S if raw.is_http else 0.2 for raw in raws]
                said = await asyncio.gather(*(hear(site.port, r.words, s) for r, s in zip(raws, patience, strict=True)))
                for raw, heard in zip(raws, said, strict=True):
                    assert heard.status is None or heard.status < 500, raw
                    assert heard.status or not raw.is_http, raw
                assert logged.lines == []
