from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import duckdb

from glimpse.store import DuckStore
from glimpse.transfer import Wanted
from glimpse.transfer.wanted import Place, kept, page_sql

MINUTE_MS = 60_000
_FILL = """
INSERT INTO events (id, project, session_id, name, time, received_at, channel, properties, context)
SELECT uuid(), 'shop', uuid(), 'click', make_timestamp_ms(i * 60), make_timestamp_ms(i * 60), 'direct', '{}', '{}'
FROM range(500000) r(i)
"""


def test_a_page_of_an_export_reads_the_blocks_of_its_span_and_no_others(tmp_path: Path):
    DuckStore.open(tmp_path).close()
    with duckdb.connect(tmp_path / "glimpse.duckdb", config={"threads": 1}) as connection:
        connection.execute(_FILL)
    store = DuckStore.open(tmp_path)
    for as_json, in_order in product((True, False), repeat=2):
        wanted = Wanted(project="shop", has_signs_of_life=False, as_json=as_json)
        rows_sql = store.asker().compiled(kept(wanted, store.tables))
        after = Place(100 * MINUTE_MS, "0190c1f3-7a1b-7c3d-9e4f-0123456789ab")
        sql, values = page_sql(
            "duckdb", rows_sql, wanted, (100 * MINUTE_MS, 104 * MINUTE_MS), after, 8_000, in_order=in_order
        )
        assert 3_000 < len(store.reader().execute(sql, values).fetchall()) <= 4_000
        ((_, told),) = store.reader().execute(f"EXPLAIN ANALYZE {sql}", values).fetchall()
        scanned = re.search(r"Row Groups Scanned: (\d+) / (\d+)", told)
        assert scanned, told
        assert int(scanned[1]) <= 2 < int(scanned[2])
    store.close()
