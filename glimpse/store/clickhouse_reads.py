"""What a restarted drain and the upkeep ask of ClickHouse.

Rule of this module: values are bound, never pasted; records come back as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glimpse.events import Event, Session
from glimpse.store.clickhouse_client import failures
from glimpse.store.rows import EVENT_COLUMNS, SESSION_COLUMNS, TIME_COLUMNS, event_of
from glimpse.store.store import IdsSince, Pair

_DAY_MS = 86_400_000
_LATEST_BY_MS = 8 * _DAY_MS  # an event is stored with a time at most seven days before its receipt
_PAIRS_AT_ONCE = 1000
_STORED_SESSION = [name for name in SESSION_COLUMNS if name in Session.__struct_fields__]
_SINCE = "fromUnixTimestamp64Milli({since:Int64}, 'UTC')"
# Other pairs of these projects and ids would be found too: they are told apart here.
_ASKED = "project IN {projects:Array(String)} AND %s IN {ids:Array(UUID)}"


class ClickHouseReads:
    """The reading half of the store, with the client of the thread that writes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def known_ids(self, wanted: Sequence[Pair], since_ms: int) -> set[Pair]:
        """Return those of the (project, id) pairs whose events were stored since a time."""
        found: set[Pair] = set()
        span = f" AND received_at >= {_SINCE}" if since_ms else ""
        sql = f"SELECT project, toString(id) FROM events WHERE {_ASKED % 'id'}{span} SETTINGS final = 0"
        for pairs in _in_lots(wanted):
            found.update((project, name) for project, name in self._rows(sql, _asked(pairs) | {"since": since_ms}))
        return found & set(wanted)

    def recent_events(self, since_ms: int, limit: int) -> list[Event]:
        """Return the newest events received since a time, oldest first; at most `limit`."""
        found = self._rows(
            f"SELECT {_plain(EVENT_COLUMNS)} FROM events WHERE received_at >= {_SINCE}"
            " AND time >= fromUnixTimestamp64Milli({earliest:Int64}, 'UTC')"
            " ORDER BY received_at DESC LIMIT {most:Int64}",
            {"since": since_ms, "earliest": max(0, since_ms - _LATEST_BY_MS), "most": limit},
        )
        return [event_of(values) for values in reversed(found)]

    def recent_ids(self, since_ms: int, until_ms: int, most: int) -> Iterator[IdsSince]:
        """Give none: others store here too, so who has learnt what is there would miss what comes after it."""
        del since_ms, until_ms, most
        return iter(())

    def recent_sessions(self, since_ms: int) -> list[Session]:
        """Return the sessions last seen since a time: those that may still be open, and ids that are taken."""
        return self._sessions(f"last_seen_at >= {_SINCE}", {"since": since_ms})

    def events_of(self, sessions: Sequence[Pair]) -> list[Event]:
        """Return all events of some sessions, by project and id."""
        sql = f"SELECT {_plain(EVENT_COLUMNS)} FROM events WHERE {_ASKED % 'session_id'}"
        wanted = set(sessions)
        rows = [event_of(values) for pairs in _in_lots(sessions) for values in self._rows(sql, _asked(pairs))]
        return [row for row in rows if (row.project, row.session_id) in wanted]

    def sessions_of(self, pairs: Sequence[Pair]) -> list[Session]:
        """Return some sessions by project and id; those that are there."""
        wanted = set(pairs)
        rows = [one for some in _in_lots(pairs) for one in self._sessions(_ASKED % "id", _asked(some))]
        return [one for one in rows if (one.project, one.id) in wanted]

    def totals_known(self, pairs: Sequence[Pair]) -> int:
        """Return how many of some imported totals are there."""
        sql = f"SELECT project, toString(id) FROM imported_totals WHERE {_ASKED % 'id'}"
        wanted = set(pairs)
        return len({row for some in _in_lots(pairs) for row in self._rows(sql, _asked(some))} & wanted)

    def projects(self) -> list[str]:
        """Return every project that has events or sessions, layers too."""
        sql = "SELECT project FROM events UNION DISTINCT SELECT project FROM sessions ORDER BY project"
        return sorted({project for (project,) in self._rows(sql, {})})

    def _count_before(self, project: str, before_ms: int) -> int:
        sql = "SELECT count() FROM events WHERE project = {project:String} AND time < " + _SINCE
        return self._rows(sql, {"project": project, "since": before_ms})[0][0]

    def _positions(self) -> dict[int, str]:
        return dict(self._rows("SELECT shard, entry_id FROM ledger WHERE outcome = 'position'", {}))

    def _sessions(self, condition: str, values: Mapping[str, Any]) -> list[Session]:
        found = self._rows(f"SELECT {_plain(_STORED_SESSION)} FROM sessions WHERE {condition}", values)
        return [Session(**dict(zip(_STORED_SESSION, row, strict=True))) for row in found]

    def _rows(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with failures("the store can't be read"):
            return [tuple(row) for row in self._client.query(sql, parameters=dict(values)).result_rows]


def _plain(columns: Sequence[str]) -> str:
    """Return columns as records hold them: times as epoch ms, UUIDs as text."""
    as_text = {name: f"toString({name})" for name in ("id", "session_id")}
    as_ms = {name: f"toUnixTimestamp64Milli({name})" for name in TIME_COLUMNS}
    return ", ".join((as_text | as_ms).get(name, name) for name in columns)


def _in_lots(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        yield pairs[first : first + _PAIRS_AT_ONCE]


def _asked(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {"projects": sorted({project for project, _ in pairs}), "ids": [name for _, name in pairs]}
