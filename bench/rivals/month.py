"""Thirty days of a busy shop, made in the store itself: as many events as wanted, always the same ones.

One session in time's order after the other, 8 events each, as a drain would write them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

SINCE = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
DAYS = 30
UNTIL = SINCE + DAYS * 86_400_000
PER_SESSION = 8

# A number from 0 to 1 by what it is for and which row it is of.
_CHANCES = """
CREATE TEMP MACRO chance(what, row) AS (hash(what, row) % 1000003) / 1000003.0;
CREATE TEMP MACRO pick(texts, c) AS texts[1 + CAST(floor(len(texts) * c) AS INTEGER)];
"""
_VISITS = """
CREATE TEMP TABLE visits AS SELECT
    number,
    CAST(md5(concat('visit', number)) AS UUID) AS session_id,
    $since + CAST($span_ms * number / $sessions AS BIGINT) AS begin_ms,
    pick(['DE','US','FR','GB','AT','CH','NL','IT','ES','PL','SE','JP','BR','IN','CA',NULL], pow(chance('country', number), 2)) AS country,
    pick(['google','news.example','bing','github.com','t.co',NULL,NULL], chance('source', number)) AS source,
    pick(['desktop','phone','tablet'], pow(chance('device', number), 1.5)) AS device,
    pick(['Chrome','Safari','Firefox','Edge'], pow(chance('browser', number), 2)) AS browser,
    pick(['Windows','Android','iOS','macOS','Linux'], chance('os', number)) AS os,
    concat('/page/', CAST(floor(500 * pow(chance('entry', number), 3)) AS INTEGER)) AS entry_page,
FROM range($sessions) visits(number)
"""
_EVENTS = """
INSERT INTO events (id, project, session_id, name, time, received_at, url, host, page, title, source, channel, country,
                    city, device, browser, os, language, screen, viewport, properties, context)
WITH steps AS (
    SELECT v.*, step, number * $per_session + step AS row,
           pick(['page_view','page_view','page_view','page_view','click','scroll_depth','heartbeat','add_to_cart','buy','web_vital'],
                CASE step WHEN 0 THEN 0.0 ELSE chance('name', number * $per_session + step) END) AS name
    FROM visits v, range($per_session) steps(step)
), seen AS (
    SELECT *, CASE step WHEN 0 THEN entry_page ELSE concat('/page/', CAST(floor(500 * pow(chance('page', row), 3)) AS INTEGER)) END AS page
    FROM steps
)
SELECT CAST(md5(concat('event', row)) AS UUID), 'shop', session_id, name,
       make_timestamp_ms(CAST(begin_ms + step * (5000 + 40000 * chance('pace', number)) AS BIGINT)),
       make_timestamp_ms(CAST(begin_ms + step * (5000 + 40000 * chance('pace', number)) AS BIGINT) + 60),
       concat('https://shop.example', page), 'shop.example', page, concat('Page ', page), source,
       CASE WHEN source IS NULL THEN 'direct' ELSE 'referral' END, country,
       concat('City ', CAST(floor(40 * chance('city', number)) AS INTEGER)), device, browser, os, 'en', '1440x900', '1440x800',
       CASE name
           WHEN 'buy' THEN concat('{"plan":"', pick(['free','pro','team'], chance('plan', row)), '","price":', CAST(floor(200 * chance('price', row)) AS INTEGER), '}')
           WHEN 'click' THEN concat('{"text":"Button ', CAST(floor(30 * chance('text', row)) AS INTEGER), '"}')
           WHEN 'web_vital' THEN concat('{"metric":"', pick(['LCP','INP','CLS','FCP','TTFB'], chance('metric', row)), '","value":', round(4000 * chance('value', row), 1), '}')
           ELSE '{}' END,
       '{}'
FROM seen ORDER BY number, step
"""
_SESSIONS = """
INSERT INTO sessions (project, id, started_at, last_seen_at, duration_s, entry_page, exit_page, pages, events,
                      interactions, engaged_ms, is_bounce, country, device, browser, os, source, channel)
SELECT 'shop', session_id, min(time), max(time), epoch(max(time) - min(time)), arg_min(page, time) FILTER (name = 'page_view'),
       arg_max(page, time) FILTER (name = 'page_view'), count(*) FILTER (name = 'page_view'), count(*) FILTER (name != 'heartbeat'),
       count(*) FILTER (name IN ('click', 'add_to_cart', 'buy')), 20000,
       count(*) FILTER (name = 'page_view') <= 1 AND count(*) FILTER (name IN ('click', 'add_to_cart', 'buy')) = 0,
       any_value(country), any_value(device), any_value(browser), any_value(os), any_value(source), any_value(channel)
FROM events GROUP BY session_id ORDER BY min(time)
"""


def fill(connection: Any, events: int) -> None:
    """Write a month of about so many events, and their sessions, into an empty store."""
    sessions = max(1, events // PER_SESSION)
    connection.execute(_CHANCES)
    connection.execute(_VISITS, {"since": SINCE, "span_ms": UNTIL - SINCE - 600_000, "sessions": sessions})
    lot = 50_000  # visits at once, so that sorting needs little memory
    connection.execute("ALTER TABLE visits RENAME TO all_visits")
    for first in range(0, sessions, lot):
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW visits AS SELECT * FROM all_visits WHERE number BETWEEN {first} AND {first + lot - 1}"
        )
        connection.execute(_EVENTS.replace("$per_session", str(PER_SESSION)))
    connection.execute(_SESSIONS)
    connection.execute("DROP VIEW visits; DROP TABLE all_visits; CHECKPOINT")
