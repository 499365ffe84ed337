"""The questions of `bench/queries.py` as SQL for SQLite, with an index for each that can use one."""

from __future__ import annotations

from rivals.month import SINCE, UNTIL

SQLITE_COLUMNS = {
    "events": ("id", "session_id", "name", "time", "page", "source", "country", "device", "properties"),
    "sessions": ("id", "started_at", "duration_s", "entry_page", "exit_page", "is_bounce", "source"),
}
INDEXES = (
    "CREATE INDEX by_time ON events (time)",
    "CREATE INDEX by_session ON events (session_id, time, name, page)",
    "CREATE INDEX by_name ON events (name, time, page, session_id)",
    "CREATE INDEX by_country ON events (device, country, session_id, name)",
    "CREATE INDEX by_page ON events (page, name, session_id)",
    "CREATE INDEX session_start ON sessions (started_at)",
    "CREATE INDEX session_entry ON sessions (entry_page, is_bounce, duration_s)",
    "CREATE INDEX session_exit ON sessions (exit_page, is_bounce, duration_s)",
)
SPAN = f"time >= {SINCE} AND time < {UNTIL}"
REAL = f"name != 'heartbeat' AND {SPAN}"
HALF = (SINCE + UNTIL) // 2
VIEWS = "sum(name = 'page_view')"
_COUNTS = f"count(*), {VIEWS}, count(DISTINCT session_id)"
_FUNNEL = f"""
WITH one AS (SELECT session_id, min(time) AS at FROM events WHERE name = 'page_view' AND {SPAN} GROUP BY session_id),
two AS (SELECT o.session_id, o.at AS begin, min(e.time) AS at FROM one o JOIN events e ON e.session_id = o.session_id
        AND e.name = 'add_to_cart' AND e.time > o.at AND e.time <= o.at + 1800000 GROUP BY o.session_id),
three AS (SELECT t.session_id FROM two t JOIN events e ON e.session_id = t.session_id
          AND e.name = 'buy' AND e.time > t.at AND e.time <= t.begin + 1800000 GROUP BY t.session_id)
SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two), (SELECT count(*) FROM three)
"""
_VITALS = f"""
WITH v AS (SELECT page, json_extract(properties, '$.metric') AS metric, json_extract(properties, '$.value') AS value
           FROM events WHERE name = 'web_vital' AND {SPAN}),
r AS (SELECT *, row_number() OVER (PARTITION BY page, metric ORDER BY value) AS rank,
      count(*) OVER (PARTITION BY page, metric) AS n FROM v)
SELECT page, metric, value, n FROM r WHERE rank = CAST(ceil(0.75 * n) AS INTEGER)
"""
_PATHS = f"""
WITH v AS (SELECT session_id, page, lag(page) OVER (PARTITION BY session_id ORDER BY time) AS before
           FROM events WHERE name = 'page_view' AND {SPAN})
SELECT before, page, count(*) AS steps, count(DISTINCT session_id) FROM v WHERE before != page
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20
"""

SQLITE: dict[str, str] = {
    "totals": f"SELECT {_COUNTS} FROM events WHERE {REAL}",
    "comparison": f"SELECT time >= {HALF}, {_COUNTS} FROM events WHERE {REAL} GROUP BY 1",
    "series by day": f"SELECT (time + 3600000) / 86400000, {_COUNTS} FROM events WHERE {REAL} GROUP BY 1",
    "series by hour": f"SELECT time / 3600000, {_COUNTS} FROM events WHERE {REAL} GROUP BY 1",
    "top pages": f"SELECT page, {_COUNTS} FROM events WHERE name = 'page_view' AND {SPAN} GROUP BY 1 ORDER BY 2 DESC",
    "top names": f"SELECT name, {_COUNTS} FROM events WHERE {REAL} GROUP BY 1 ORDER BY 2 DESC",
    "countries by sessions, phones": (
        f"SELECT country, {_COUNTS} FROM events WHERE device = 'phone' AND {REAL} GROUP BY 1 ORDER BY 4 DESC"
    ),
    "a property's values": (
        f"SELECT json_extract(properties, '$.plan'), {_COUNTS} FROM events WHERE name = 'buy' AND {SPAN} GROUP BY 1"
    ),
    "entry pages": (
        "SELECT entry_page, count(*), sum(is_bounce), avg(duration_s) FROM sessions GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    ),
    "exit pages": (
        "SELECT exit_page, count(*), sum(is_bounce), avg(duration_s) FROM sessions GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    ),
    "paths": _PATHS,
    "funnel": _FUNNEL,
    "retention": (
        "SELECT (started_at + 3600000) / 86400000, source, count(*), sum(duration_s >= 10), sum(duration_s >= 60),"
        " sum(duration_s >= 600) FROM sessions GROUP BY 1, 2"
    ),
    "vitals by page": _VITALS,
    "goals": (
        f"SELECT count(*), count(DISTINCT session_id), (SELECT count(DISTINCT session_id) FROM events WHERE {REAL})"
        f" FROM events WHERE name = 'buy' AND {SPAN}"
    ),
    "conversion by source": (
        f"WITH s AS (SELECT source, session_id, max(name = 'buy') AS did FROM events WHERE {REAL} GROUP BY 1, 2)"
        " SELECT source, count(*), sum(did) FROM s GROUP BY 1"
    ),
    "sessions with a purchase": (
        f"SELECT * FROM sessions WHERE id IN (SELECT session_id FROM events WHERE name = 'buy' AND {SPAN})"
        " ORDER BY started_at DESC LIMIT 100"
    ),
    "newest events": f"SELECT * FROM events WHERE {REAL} ORDER BY time DESC LIMIT 100",
}
