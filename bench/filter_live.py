"""What a filter on the live window costs: a batch through the predicate and through DuckDB, and the first look."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import duckdb
import ibis

from glimpse.events import Event
from glimpse.filters import parse
from glimpse.filters.expression import kept_events
from glimpse.filters.predicate import predicate_of
from glimpse.live import Window
from glimpse.store.rows import events_table

WHERE = 'country in ("DE", "FR") and properties.plan = "pro" and not page matches "^/blog"'
BATCH = 100
HELD = 200_000


def made(count: int, now: int) -> list[Event]:
    return [
        Event(
            id=str(uuid4()),
            project="shop",
            session_id=f"s{n // 8}",
            name="page_view",
            time=now - n % 1_500_000,
            received_at=now - n % 1_500_000,
            page=f"/{n % 50}",
            country=["DE", "FR", "US"][n % 3],
            properties={"plan": ["pro", "free"][n % 2]},
        )
        for n in range(count)
    ]


def timed(work: Callable[[], Any], times: int) -> float:
    """Return milliseconds of the median."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[times // 2]


def by_duckdb(events: list[Event], connection: duckdb.DuckDBPyConnection) -> list[Any]:
    table = events_table(events)
    connection.register("recent", table)
    kept = kept_events(parse(WHERE), ibis.table(ibis.memtable(table).schema(), name="recent"))[["id"]]
    return connection.sql(ibis.to_sql(kept, dialect="duckdb")).fetchall()


def main() -> None:
    now = time.time_ns() // 1_000_000
    batch, keeps = made(BATCH, now), predicate_of(parse(WHERE))
    plain = timed(lambda: [event for event in batch if keeps(event, None)], 200)
    with duckdb.connect() as connection:
        asked = timed(lambda: by_duckdb(batch, connection), 30)
    print(f"{BATCH} events: predicate {plain:.3f} ms ({plain * 1000 / BATCH:.2f} µs an event), DuckDB {asked:.1f} ms")
    window = Window(minutes=30, max_events=HELD, now_ms=lambda: now)
    window.restore(made(HELD, now))
    first = timed(lambda: window.numbers("shop", WHERE), 1)
    window.append(made(BATCH, now))
    later = timed(lambda: window.numbers("shop", WHERE), 1)
    print(f"{HELD} events held: first look {first:.0f} ms, numbers after a batch {later:.1f} ms")


if __name__ == "__main__":
    main()
