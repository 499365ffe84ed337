"""What is stored gets out, comes in again exactly once, and goes when it is old enough."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import NOON, admitted, event_of
from serving import CHECKOUT, Served, an_event
from waiting import wait_until

from glimpse.cli import main
from glimpse.events import Event, Session
from glimpse.filters import Filter, as_filter, to_json
from glimpse.projects import Projects, ProjectSettings
from glimpse.server.composition import Glimpse
from glimpse.server.retention import expire_old
from glimpse.sessions import account_of
from glimpse.settings import Settings
from glimpse.store import DuckStore, Lot, RemoteQueries
from glimpse.store.remote import SOCKET_NAME
from glimpse.valkey import socket_path

DAY_MS = 86_400_000
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["", "=1+1", "'=1", "''-x", "@a", "\t", 'a,b\n"c"', "\r\n", "-", "'"]
)
JSON = st.dictionaries(TEXTS, TEXTS | st.integers(-(10**30), 10**30) | st.none() | st.lists(st.booleans()), max_size=3)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    count = draw(st.integers(0, 12))
    return [
        Event(
            id=str(UUID(int=draw(st.integers(0, 2**128 - 1)))),
            project=draw(st.sampled_from(["shop", "blog", "shop:bots"])),
            session_id=str(UUID(int=draw(st.integers(1, 3)))),
            name=draw(st.sampled_from(["page_view", "heartbeat", "=buy", "page_leave"])),
            time=NOON + draw(st.integers(0, 5)) * 60_000 + number,  # of two at once, either may be the first
            received_at=NOON + draw(st.integers(0, 500_000)),
            title=draw(TEXTS | st.none()),
            page=draw(TEXTS | st.none()),
            lat=draw(st.floats(-90, 90) | st.none()),
            properties=draw(JSON),
            traits=draw(JSON) or None,
        )
        for number in range(count)
    ]


def stored(folder: Path) -> tuple[list[Event], list[Session], dict[str, int]]:
    store = DuckStore.open(folder)
    try:
        ledger = store.reader().execute("SELECT outcome, sum(events)::BIGINT FROM ledger GROUP BY ALL").fetchall()
        rows = sorted(store.recent_events(0, 1000), key=lambda row: (row.project, row.id))
        return rows, sorted(store.recent_sessions(0), key=lambda one: (one.project, one.id)), dict(ledger)
    finally:
        store.close()


def fill(folder: Path, rows: list[Event]) -> None:
    store = DuckStore.open(folder)
    store.commit(Lot(rows, account_of(rows), counts=Counter((row.project, "stored") for row in rows)))
    store.close()


def run(folder: Path, *arguments: object) -> int:
    os.environ["GLIMPSE_DATA_DIR"] = str(folder)
    try:
        return main([str(argument) for argument in arguments])
    finally:
        del os.environ["GLIMPSE_DATA_DIR"]


@given(rows=events(), ending=st.sampled_from(["parquet", "csv", "ndjson", "json", "arrows"]))
@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_exported_comes_back_the_same_and_once(rows: list[Event], ending: str):
    rows = list({(row.project, row.id): row for row in rows}.values())
    with tempfile.TemporaryDirectory() as name:
        here, there, file = Path(name) / "a", Path(name) / "b", Path(name) / f"rows.{ending}"
        fill(here, rows)
        assert run(here, "export", file) == 0
        for _ in range(2):
            assert run(there, "import", file) == 0
            found, sessions, ledger = stored(there)
            assert found == stored(here)[0]
            assert sessions == stored(here)[1]
            assert ledger == ({"imported": len(rows)} if rows else {})


def test_a_fault_is_told_with_its_line_and_the_other_rows_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    fill(tmp_path / "a", [event_of(admitted(), session_id=str(UUID(int=n)), title="two\nlines") for n in range(3)])
    assert run(tmp_path / "a", "export", tmp_path / "rows.csv") == 0
    whole = (tmp_path / "rows.csv").read_text()
    broken = whole.replace('"shop"', '"no shop"', 1) + 'short\n"not a uuid"' + "," * whole.partition("\n")[0].count(",")
    (tmp_path / "rows.csv").write_text(broken + "\n")
    capsys.readouterr()
    assert run(tmp_path / "b", "import", tmp_path / "rows.csv") == 1
    said = capsys.readouterr().out
    assert "2 rows are new, 0 were there, 3 have a fault" in said
    assert "line 2: project must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -; it is 'no shop'" in said
    assert "line 8: it has 1 columns, the head has" in said
    assert "line 9: id must be a UUID; it is 'not a uuid'" in said
    assert run(tmp_path / "b", "import", tmp_path / "none.csv") == 2
    assert run(tmp_path / "b", "import", __file__) == 2


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz", "json", "json.gz", "ndjson", "ndjson.gz"])
def test_the_bar_of_an_import_knows_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str):
    fill(tmp_path / "a", [event_of(admitted(), session_id=str(UUID(int=n))) for n in range(7)])
    file = tmp_path / f"rows.{ending}"
    assert run(tmp_path / "a", "export", tmp_path / f"rows.{ending.removesuffix('.gz')}") == 0
    if ending.endswith(".gz"):
        file.write_bytes(gzip.compress((tmp_path / f"rows.{ending.removesuffix('.gz')}").read_bytes()))
    capsys.readouterr()
    assert run(tmp_path / "b", "import", file) == 0
    bar = capsys.readouterr().err
    assert "0/7 [" in bar
    assert "7/7 [" in bar


def test_a_part_of_it_leaves_by_project_span_and_filter(tmp_path: Path):
    session = str(UUID(int=1))
    rows = [
        event_of(admitted(at=NOON + n, project=p), session_id=session, page=f"/{n}") for n in range(4) for p in "ab"
    ]
    fill(tmp_path / "a", rows)
    file = tmp_path / "some.ndjson"
    asked = ("--project", "a", "--since", NOON + 1, "--until", NOON + 3, "--where", 'page != "/2"')
    assert run(tmp_path / "a", "export", file, *asked) == 0
    assert run(tmp_path / "b", "import", file) == 0
    assert [(row.project, row.page) for row in stored(tmp_path / "b")[0]] == [("a", "/1")]


class Running:
    """As much of a running Glimpse as retention asks for."""

    is_stopping = False
    shards = (0,)

    def __init__(self, store: DuckStore, default_days: int | None, **days: int) -> None:
        self.store = store
        self.settings = Settings(retention_days=default_days)
        self.registry = Projects()
        self.registry._registered = {
            project: ProjectSettings(id=project, retention_days=kept) for project, kept in days.items()
        }
        self.pipeline = self
        self.commits = self
        self.calls = 0

    async def call(self, work: Any, *arguments: Any) -> Any:
        self.calls += 1
        return work(*arguments)


async def test_events_and_sessions_go_when_their_project_has_kept_them_for_long_enough(tmp_path: Path):
    now = time.time_ns() // 1_000_000
    rows = [
        event_of(admitted(at=now - age * DAY_MS + 60_000, project=project), session_id=str(UUID(int=age)))
        for project in ("shop", "shop:bots", "blog")
        for age in range(1, 41)
    ]
    store = DuckStore.open(tmp_path)
    store.commit(Lot(rows, account_of(rows), counts=Counter((row.project, "stored") for row in rows)))
    running = Running(store, 30, shop=7)
    assert await expire_old(cast("Glimpse", running), rows_a_bite=4) == {"shop": 33, "shop:bots": 33, "blog": 10}
    assert running.calls > 20  # in bites
    assert await expire_old(cast("Glimpse", running)) == {"shop": 0, "shop:bots": 0, "blog": 0}
    left = store.reader().execute("SELECT project, count(*) FROM events GROUP BY ALL ORDER BY ALL").fetchall()
    assert left == [("blog", 30), ("shop", 7), ("shop:bots", 7)]
    assert left == store.reader().execute("SELECT project, count(*) FROM sessions GROUP BY ALL ORDER BY ALL").fetchall()
    books = dict(store.reader().execute("SELECT outcome, sum(events)::BIGINT FROM ledger GROUP BY ALL").fetchall())
    assert books == {"stored": 120, "expired": 76}
    assert await expire_old(cast("Glimpse", Running(store, None))) == {}  # nobody has asked for it
    store.close()


@pytest.mark.server
def test_beside_a_running_server_a_back_up_is_taken_and_restored_and_the_books_balance(tmp_path: Path):
    def glimpse(served: Served, *arguments: str) -> str:
        command = [sys.executable, "-m", "glimpse.cli", *arguments]
        environment = served.environment
        done = subprocess.run(
            command, env=environment, cwd=CHECKOUT, check=True, timeout=60, capture_output=True, text=True
        )
        return done.stdout

    folder = str(tmp_path / "back-up")
    with Served(tmp_path / "data", GLIMPSE_FLUSH_INTERVAL_S="0.2") as served:
        assert served.post([an_event(properties={"n": 7}), an_event(name="buy"), an_event(name="heartbeat")])[0] == 200
        wait_until(lambda: served.ledger("shop")["stored"] == 3, what="they are stored")
        rows = served.stored("shop")
        save_segments(served.data_dir, SEGMENTS)
        glimpse(served, "project", "add", "shop", "origins=https://shop.example", "retention-days=400")
        assert "3 events, " in glimpse(served, "export", "--all", folder)
    with Served(tmp_path / "other", GLIMPSE_FLUSH_INTERVAL_S="0.2") as served:
        assert served.post(an_event())[0] == 200  # it is in use already
        wait_until(lambda: served.ledger("shop")["stored"] == 1, what="it is stored")
        assert "3 rows are new, 0 were there, 0 have a fault" in glimpse(served, "import", folder)
        assert "0 rows are new, 3 were there, 0 have a fault" in glimpse(served, "import", folder)
        ledger = served.ledger("shop")
        assert (ledger["stored"], ledger["imported"], ledger["difference"]) == (1, 3, 0)
        known = {row["id"]: row for row in served.stored("shop")}
        assert [known[row["id"]] for row in rows] == rows
        assert segments_of(served.data_dir) == SEGMENTS  # also those of a project that has no event yet
        told = glimpse(served, "project", "show", "shop").split()
        assert {"https://shop.example", "400"} <= {*told}


BUYERS, VIEWS = (to_json(cast("Filter", as_filter(text))) for text in ('name = "buy"', 'name = "page_view"'))
SEGMENTS = {"*": {"buyers": BUYERS}, "shop": {"buyers": BUYERS, "views": VIEWS}, "new": {"first": VIEWS}}


def save_segments(data_dir: Path, saved: dict[str, dict[str, Any]]) -> None:
    queries = RemoteQueries(socket_path(data_dir, SOCKET_NAME))
    for project, named in saved.items():
        for name, kept in named.items():
            asyncio.run(queries.save_segment(project, name, kept))


def segments_of(data_dir: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in asyncio.run(RemoteQueries(socket_path(data_dir, SOCKET_NAME)).every_segment()):
        found.setdefault(one.project, {})[one.name] = one.filter
    return found
