"""The ClickHouse store under a real drain, its engine in this process (chDB): killed between any two of its writes."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from records import admitted

from glimpse.buffer import EventBuffer, Receipt
from glimpse.cli import main
from glimpse.clock import steady_now_ms
from glimpse.doctor.parts import store as doctor_store
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.errors import SettingsError, StoreRefused, StoreUnavailable
from glimpse.events import AdmittedEvent, Event
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import LocalQueries, Lot, open_store
from glimpse.store.clickhouse import ClickHouseStore

URL = "clickhouse+chdb://"
WRITES = 6  # of the lot below: ahead, events, sessions, the moved events, the session that is gone, ledger


class Killed(Exception):
    """The process has ended here."""


class Mortal:
    """The driver's client, which ends the process at one of its writes."""

    def __init__(self, client: Any, writes: int) -> None:
        self._client, self._left = client, writes
        self.done = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def insert_arrow(self, *given: Any, **more: Any) -> Any:
        return self._write(self._client.insert_arrow, *given, **more)

    def command(self, *given: Any, **more: Any) -> Any:
        return self._write(self._client.command, *given, **more)

    def _write(self, write: Any, *given: Any, **more: Any) -> Any:
        if self._left == self.done:
            raise Killed
        self.done += 1
        return write(*given, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the engine in this process, so that opening the store again costs no start of it."""
    folder = tmp_path_factory.mktemp("clickhouse")
    keeper = ClickHouseStore.open(URL, folder)
    yield folder
    keeper.close()


class Drain:
    """A pipeline on real parts, which can be killed and started again."""

    def __init__(self, buffer: EventBuffer, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, store_url=URL)
        self.buffer = buffer
        self.store: Any = open_store(self.settings)
        self.pipeline = Pipeline(
            buffer=buffer,
            store=self.store,
            sessions=SessionTracker(self.settings.session_timeout_s),
            enricher=Enricher(Tools(places=open_places(self.settings), devices=Devices())),
            window=Window(minutes=30, max_events=1000, now_ms=steady_now_ms),
            settings=self.settings,
        )

    async def take(self, *events: AdmittedEvent) -> None:
        for event in events:
            await self.buffer.append(Receipt([event]))
            await self.pipeline.drain_once()
        await self.pipeline.flush()

    def mortal(self, writes: int) -> Mortal:
        mine = Mortal(self.store._client, writes)
        self.store._client = mine
        return mine

    async def ledger(self, project: str) -> dict[str, Any]:
        queries = LocalQueries(self.store, self.buffer)
        try:
            return await queries.ledger(project)
        finally:
            queries.close()

    def die(self) -> None:
        """End as `kill -9` would: nothing more is written."""
        self.pipeline.commits._thread.shutdown()
        for client in [self.store._client, *(asker._client for asker in self.store._askers)]:
            client.close()


def visits(project: str) -> tuple[list[AdmittedEvent], list[AdmittedEvent]]:
    """Return two visits, and what makes one of them: a late event; one more; and one that has come before."""
    now = time.time_ns() // 1_000_000

    def seen(ago_s: int, received_ago_s: int) -> AdmittedEvent:
        facts = {"project": project, "received_at": now - received_ago_s * 1000, "client_session": project}
        return admitted(at=now - ago_s * 1000, **facts)

    first = [seen(500, 500), seen(100, 100)]
    return first, [seen(290, 0), seen(1, 0), first[1]]


def stored(store: Any, project: str) -> tuple[list[tuple[str, str]], list[tuple[str, int, int]]]:
    events = store._rows(f"SELECT toString(id), toString(session_id) FROM events WHERE project = '{project}'", {})
    sessions = store._rows(f"SELECT toString(id), pages, events FROM sessions WHERE project = '{project}'", {})
    return sorted(events), sorted(sessions)


@pytest.mark.parametrize("writes", range(WRITES + 1))
async def test_killed_between_any_two_writes_a_lot_is_stored_once_and_the_books_balance(
    buffer: EventBuffer, folder: Path, writes: int
):
    project = f"killed-{writes}"
    before, after = visits(project)
    first = Drain(buffer, folder)
    await first.pipeline.recover()
    await first.take(*before)
    assert len(stored(first.store, project)[1]) == 2
    mortal = first.mortal(writes)
    if writes < WRITES:
        with pytest.raises(Killed):
            await first.take(*after)
    else:
        await first.take(*after)
        assert mortal.done == writes, "the writes of a lot are as many as this test ends one by one"
    first.die()

    second = Drain(buffer, folder)
    await second.pipeline.recover()
    events, sessions = stored(second.store, project)
    assert [event for event, _ in events] == sorted(event.id for event in (*before, *after[:2]))
    ((kept, pages, count),) = sessions
    assert {session for _, session in events} == {kept}
    assert (pages, count) == (4, 4)
    ledger = await second.ledger(project)
    assert (ledger["stored"], ledger["duplicate"], ledger["in_buffer"], ledger["difference"]) == (4, 1, 0, 0)
    assert await buffer.read_unacknowledged() == []
    second.die()


def rows(project: str, count: int, ago_days: float = 0) -> list[Event]:
    at = time.time_ns() // 1_000_000 - round(ago_days * 86_400_000)
    session = str(uuid4())
    return [
        Event(id=str(uuid4()), project=project, session_id=session, name="x", time=at + n, received_at=at + n)
        for n in range(count)
    ]


def lot(project: str, count: int = 3, **more: Any) -> Lot:
    return Lot(rows(project, count), counts=Counter({(project, "stored"): count}), **more)


def account(store: ClickHouseStore, project: str) -> dict[str, int]:
    settled = store.asker().accounts()[1]
    return {outcome: events for (name, outcome), events in settled.items() if name == project}


def test_a_server_that_goes_away_amid_a_lot_has_all_of_it_once_it_is_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    store = ClickHouseStore.open(URL, folder)
    insert = store._client.insert_arrow

    def away(table: str, *given: Any, **more: Any) -> Any:
        if table == "ledger":
            raise ConnectionResetError("the server has gone away")
        return insert(table, *given, **more)

    monkeypatch.setattr(store._client, "insert_arrow", away)
    first = lot("away", positions={7: "1-1"})
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="can't commit: the server has gone away"):
            store.commit(first)
    monkeypatch.setattr(store._client, "insert_arrow", insert)
    store.commit(lot("away-too"))  # another may come before it is tried again
    store.commit(first)
    assert (account(store, "away"), account(store, "away-too")) == ({"stored": 3}, {"stored": 3})
    assert store.positions()[7] == "1-1"
    assert len(stored(store, "away")[0]) == 3
    store.close()


def test_what_another_writer_left_half_written_is_not_counted_twice_when_that_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    slow = ClickHouseStore.open(URL, folder)
    insert = slow._client.insert_arrow

    def meanwhile(table: str, *given: Any, **more: Any) -> Any:
        if table == "events":
            ClickHouseStore.open(URL, folder).close()  # another process starts, and sees to what is half written
        return insert(table, *given, **more)

    monkeypatch.setattr(slow._client, "insert_arrow", meanwhile)
    for _ in range(2):
        slow.commit(lot("shared"))
    assert account(slow, "shared") == {"stored": 6}
    assert len(stored(slow, "shared")[0]) == 6
    slow.close()


def test_events_that_are_too_old_go_and_the_books_say_so(folder: Path):
    store = ClickHouseStore.open(URL, folder)
    store.commit(Lot([*rows("aged", 4, ago_days=40), *rows("aged", 2)], counts=Counter({("aged", "stored"): 6})))
    before = time.time_ns() // 1_000_000 - 30 * 86_400_000
    assert [store.expire("aged", before, 5000) for _ in range(2)] == [4, 0]
    assert len(stored(store, "aged")[0]) == 2
    assert account(store, "aged") == {"stored": 6, "expired": 4}
    store.close()


def test_events_are_known_again_by_project_and_id_within_their_span(folder: Path):
    store = ClickHouseStore.open(URL, folder)
    old, new = rows("known", 2, ago_days=3), rows("known", 2)
    store.commit(Lot([*old, *new]))
    pairs = [(row.project, row.id) for row in (*old, *new)]
    asked = [*pairs, ("unknown", old[0].id), ("known", str(uuid4()))]
    assert store.known_ids(asked, 0) == set(pairs)
    assert store.known_ids(asked, new[0].received_at - 48 * 3_600_000) == set(pairs[2:])
    assert list(store.recent_ids(0, new[0].received_at + 1, 100_000)) == []
    found = store.recent_events(old[0].received_at, 100_000)
    assert [row for row in found if row.project == "known"] == [*old, *new]
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://x/y", "names no store"),
        ("clickhouse://", "no address of a ClickHouse"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_is_allowed(tmp_path: Path, url: str, said: str):
    with pytest.raises(SettingsError, match=said):
        open_store(Settings(data_dir=tmp_path, store_url=url))


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match=r"can't be reached \(glimpse on 127.0.0.1:1\)") as refused:
        open_store(Settings(data_dir=tmp_path, store_url="clickhouse://me:secret@127.0.0.1:1/glimpse"))
    assert "secret" not in str(refused.value)


def test_a_row_that_no_column_can_hold_is_found_and_the_lot_counts_without_it(folder: Path):
    store = ClickHouseStore.open(URL, folder)
    good, bad = rows("odd", 3), rows("odd", 1)
    bad[0].session_id = "none"
    with pytest.raises(StoreRefused):
        store.commit(Lot([*good, *bad], counts=Counter({("odd", "stored"): 4}), positions={9: "1-1"}))
    ((row, reason),) = store.refused([*good, *bad])
    assert row is bad[0]
    assert "can't take it" in reason
    store.commit(Lot(good, counts=Counter({("odd", "stored"): 3}), positions={9: "1-1"}))
    assert account(store, "odd") == {"stored": 3}
    assert len(stored(store, "odd")[0]) == 3
    store.close()


def test_the_command_line_looks_at_it_and_exports_from_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    store = ClickHouseStore.open(URL, folder)
    events = rows("exported", 5)
    store.commit(Lot(events))
    store.close()
    monkeypatch.setenv("GLIMPSE_DATA_DIR", str(folder))
    monkeypatch.setenv("GLIMPSE_STORE_URL", URL)
    for name in ("out.ndjson", "out.parquet"):
        assert main(["export", "--project", "exported", str(tmp_path / name)]) == 0
    lines = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert [(line["id"], line["time"]) for line in lines] == [(event.id, event.time) for event in events]
    assert main(["import", str(tmp_path / "out.parquet")]) == 0
    assert "0 rows are new, 5 were there" in capsys.readouterr().out
    found = asyncio.run(doctor_store(Settings(data_dir=folder, store_url=URL)))
    assert "ClickHouse in this process" in found.told
