from __future__ import annotations

import base64
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from waiting import wait_until_async

from glimpse.filters import to_text
from glimpse.store.questions.vitals import GOOD
from glimpse.views.performance_page import ScriptErrors
from glimpse.views.scope import Scope
from glimpse.views.vitals import METRICS, Vitals, VitalsBy, band_of

MEASURED = [
    {"value": "/slow", "metric": "LCP", "percentile": 4100.0, "measurements": 5, "good": 0.2},
    {"value": "/slow", "metric": "CLS", "percentile": 0.1, "measurements": 3, "good": 1.0},
    {"value": None, "metric": "LCP", "percentile": 2600.0, "measurements": 1, "good": 0.0},
]


def test_what_is_good_here_is_what_the_store_counts_as_good():
    assert {metric: good for metric, (_, good, _) in METRICS.items()} == GOOD


@pytest.mark.parametrize("metric", METRICS)
def test_a_bound_belongs_to_the_better_side(metric: str):
    _, good, poor = METRICS[metric]
    steps = (good, good * 1.001, poor, poor * 1.001)
    assert [band_of(metric, value) for value in steps] == ["good", "middling", "middling", "poor"]


async def test_each_page_has_its_own_line_and_what_was_not_measured_none():
    asked: list[tuple[str, Scope, dict[str, Any]]] = []

    async def ask(question: str, scope: Scope, **arguments: Any) -> Any:
        asked.append((question, scope, arguments))
        return MEASURED if arguments.get("field") else [row for row in MEASURED if row["value"] is None]

    by, tiles = VitalsBy(ask, Scope()), Vitals(ask, Scope())
    by.reload()
    tiles.reload()
    await wait_until_async(lambda: by.picture.phase == tiles.picture.phase == "ready", what="both answers")
    slow, unknown = json.loads(by.picture.state)["rows"]
    assert (slow["value"], unknown["value"]) == ("/slow", None)
    assert {metric: one["band"] for metric, one in slow["metrics"].items()} == {"LCP": "poor", "CLS": "good"}
    shown = {one["metric"]: one["n"] for one in json.loads(tiles.picture.state)}
    assert shown == {"LCP": 1, "INP": 0, "CLS": 0, "FCP": 0, "TTFB": 0}
    by.picture.wanted = json.dumps({"tab": "Device"})
    await wait_until_async(lambda: len(asked) == 3, what="the other tab's question")
    assert asked[2][2]["field"] == "device"


async def test_the_table_of_vitals_is_saved_with_what_was_measured_and_what_it_was_before():
    async def ask(_: str, scope: Scope, **__: Any) -> Any:
        return MEASURED if scope == now else [MEASURED[0] | {"percentile": 3000.0}]

    now = Scope("shop", 1_000, 2_000)
    by = VitalsBy(ask, now, compares=True)
    by.reload()
    await wait_until_async(lambda: by.picture.phase == "ready", what="the answer")
    by.picture.wanted = json.dumps({"save": "parquet"})
    rows = pq.read_table(io.BytesIO(base64.b64decode(by._lines.file["content"]))).to_pylist()
    before = (3000.0, None, None)
    assert rows == [row | {"percentile_before": then} for row, then in zip(MEASURED, before, strict=True)]
    assert by._lines.file["name"] == "shop-vitals-page.parquet"


async def test_errors_are_looked_for_within_what_is_filtered_already():
    asked: list[Scope] = []

    async def ask(_: str, scope: Scope, **__: Any) -> Any:
        asked.append(scope)
        return []

    errors = ScriptErrors(ask, Scope())
    errors.reload()
    await wait_until_async(lambda: errors.picture.phase == "ready", what="the answer")
    assert asked[0].where is not None
    assert to_text(asked[0].where) == 'name = "js_error"'
    assert "data-errors" in json.loads(errors.picture.state)["nothing"]
