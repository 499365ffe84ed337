"""Each live number equals the store's answer over the span that the window covers, through whatever filter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import pytest
from records import admitted

from glimpse.buffer import EventBuffer, Receipt
from glimpse.clock import steady_now_ms
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.events import AdmittedEvent
from glimpse.filters import Condition, Filter, Not, Op, Search, parse, read_field
from glimpse.geo.places import open_places
from glimpse.live import LiveNumbers, Window
from glimpse.pipeline import Pipeline
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries

MINUTE_MS = 60_000
ZONES = ["Europe/Berlin", "Europe/Paris", "America/New_York", None]
PLANS: list[Any] = ["pro", "free", 5, "5", True, None]
NAMES = ["page_view", "page_view", "click", "buy", "page_leave", "scroll_depth", "heartbeat"]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


class Site:
    """The real drain, with the window and the store that it fills."""

    def __init__(self, buffer: EventBuffer, settings: Settings) -> None:
        self.buffer = buffer
        self.store = DuckStore.open(settings.data_dir)
        self.window = Window(minutes=30, max_events=10_000, now_ms=steady_now_ms)
        self.pipeline = Pipeline(
            buffer=buffer,
            store=self.store,
            sessions=SessionTracker(settings.session_timeout_s),
            enricher=Enricher(Tools(places=open_places(settings), devices=Devices())),
            window=self.window,
            settings=settings,
        )
        self.queries = LocalQueries(self.store, buffer)

    async def take(self, events: Sequence[AdmittedEvent]) -> None:
        await self.buffer.append(Receipt(list(events)))
        while await self.pipeline.drain_once():
            pass

    async def ask(
        self, question: str, numbers: LiveNumbers, where: Filter | None, **options: Any
    ) -> list[dict[str, Any]]:
        span = {"project": numbers.project, "since": numbers.covers_since, "until": numbers.as_of + 1}
        return await self.queries.ask(question, **span, where=where, **options)


@pytest.fixture
async def site(buffer: EventBuffer, settings: Settings) -> AsyncIterator[Site]:
    running = Site(buffer, settings)
    await running.pipeline.recover()
    yield running
    running.queries.close()
    running.pipeline.commits._thread.shutdown()
    running.store.close()


def traffic(chance: Random, now: int) -> list[AdmittedEvent]:
    """Return what 25 visitors do, in the order in which it is received: some of it late, some visits in two parts."""
    events: list[AdmittedEvent] = []
    for visitor in range(25):
        zone, plan, project = chance.choice(ZONES), chance.choice(PLANS), chance.choice(["shop", "shop", "blog"])
        at = now - chance.randint(0, 24) * MINUTE_MS
        at -= (at % MINUTE_MS + 300) * (visitor % 4 == 0)  # to the last half second of a minute
        for _ in range(chance.randint(1, 9)):
            name = chance.choice(NAMES)
            at = min(now, at + chance.choice([100, 20_000, 200_000]))
            given = {"url": f"https://shop.test/{chance.randint(0, 4)}?utm_source=s{visitor % 3}", "timezone": zone}
            properties = {"engagedMs": chance.choice([10, 9000])} if name == "page_leave" else {"plan": plan}
            events.append(
                admitted(
                    name,
                    at,
                    project=project,
                    client_session=f"v{visitor}",
                    is_private_peer=True,
                    properties=properties,
                    context={key: value for key, value in given.items() if value},
                    user_agent=CHROME * (visitor % 2),
                    received_at=min(now, at + chance.choice([0, 0, 0, 250_000])),
                )
            )
    return sorted(events, key=lambda event: event.received_at)


def many_keys(chance: Random, now: int, count: int) -> list[AdmittedEvent]:
    """Return events of a site that puts a random number in its paths and names."""
    return [
        admitted(
            chance.choice(["page_view", "page_view", f"saved {chance.randint(0, count)}"]),
            now - chance.randint(0, 20) * MINUTE_MS,
            client_session=f"v{at % 50}",
            context={"url": f"https://shop.test/{chance.randint(0, count)}?utm_source=s{at % 50}"},
            received_at=now,
        )
        for at in range(count)
    ]


FIXED = [
    'country = "DE"',
    'country != "DE" and properties.plan in ("pro", 5)',
    'name = "buy" or page matches "^/[12]$"',
    "session.pages > 1",
    'session.is_bounce = true or session.entry_page = "/1"',
    "session.duration_s between 1 and 300 and not browser exists",
    '"SHOP.test/3"',
    "properties.plan exists",
]


def any_filter(chance: Random, depth: int = 3) -> Filter:
    if depth and chance.random() < 0.6:
        one, other = any_filter(chance, depth - 1), any_filter(chance, depth - 1)
        return chance.choice([one & other, one | other, Not(one & other)])
    fields: dict[str, list[Any]] = {
        "name": NAMES, "country": ["DE", "FR", "US"], "page": ["/0", "/1", "/2"], "utm_source": ["s0", "s1"],
        "browser": ["Chrome"], "properties.plan": [plan for plan in PLANS if plan is not None], "project": ["shop"],
        "session.pages": [0, 1, 2], "session.is_bounce": [True, False], "session.exit_page": ["/0", "/3"],
        "session.engaged_ms": [0, 10, 9000], "session.country": ["DE"], "city": ["Berlin"], "context.timezone": ["x"],
    }  # fmt: skip
    name = chance.choice([*fields, "search"])
    if name == "search":
        return Search(chance.choice(["buy", "/2", "PRO", "shop"]))
    op = chance.choice([Op.IS, Op.IN, Op.EXISTS])
    values = {Op.IS: (chance.choice(fields[name]),), Op.IN: tuple(chance.sample(fields[name], 1)), Op.EXISTS: ()}[op]
    return Condition(read_field(name), op, values)


@pytest.mark.parametrize("seed", range(2))
async def test_every_live_number_equals_the_stores_answer(site: Site, seed: int):
    chance = Random(seed)
    events = traffic(chance, steady_now_ms())
    wheres = [None, *map(parse, FIXED), *(any_filter(chance) for _ in range(8))]
    some = len(events) // 3
    await site.take(events[:some])
    for where in wheres:  # so that what comes next is fed to them, and does not only make them
        site.window.look("shop", where)
    for at in range(some, len(events), 7):
        await site.take(events[at : at + 7])
    await site.pipeline.flush()
    for number, where in enumerate(wheres):  # each question costs more than all that is counted here
        await assert_equal(site, chance.choice(["shop", "*"]), where, [*LISTS, "minutes"][(number + seed) % 5])


async def test_lists_equal_the_stores_however_many_pages_and_names_there_are(site: Site):
    chance = Random(3)
    await site.take(many_keys(chance, steady_now_ms(), 12_000))
    await site.pipeline.flush()
    numbers = site.window.numbers("shop")
    assert len(site.window._projects["shop"].pages) > 5_000
    assert numbers.covers_since == site.window.numbers("nobody").covers_since
    for asked in [*LISTS, "minutes"]:
        await assert_equal(site, chance.choice(["shop", "*"]), None, asked)


@pytest.mark.parametrize("most", [1, 150])
async def test_past_the_bound_of_counts_the_window_covers_less_and_says_the_truth_about_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, most: int
):
    monkeypatch.setattr("glimpse.live.project.MOST_COUNTS", most)
    chance = Random(most)
    for _ in range(5):
        await site.take(many_keys(chance, steady_now_ms(), 100))
    await site.pipeline.flush()
    numbers, held = site.window.numbers("shop"), site.window._projects["shop"].minutes
    assert numbers.covers_since > site.window.numbers("nobody").covers_since
    assert len(held) == 1 or sum(len(minute.names) + len(minute.pages) for minute in held.values()) <= most
    for where in (None, parse('page starts with "/1"')):
        for asked in [*LISTS, "minutes"]:
            await assert_equal(site, "shop", where, asked, is_cut=True)


LISTS = {
    "name": ("top_names", "events"),
    "page": ("top_pages", "page_views"),
    "session.source": ("top_sources", "sessions"),
    "session.country": ("top_countries", "sessions"),
}


async def assert_equal(site: Site, project: str, where: Filter | None, asked: str, *, is_cut: bool = False) -> None:
    numbers = site.window.numbers(project, where)
    (totals,) = await site.ask("totals", numbers, where)
    seen = {name: getattr(numbers, name) for name in ("events", "page_views", "sessions", "bounces")}
    if is_cut:  # sessions began before the span, and `totals` tells of those that begin in it
        del seen["bounces"]
    assert seen == {name: totals[name] for name in seen}, where
    if asked in LISTS:
        shown, by = LISTS[asked]
        rows = await site.ask("breakdown", numbers, where, field=asked, by=by)
        stored = {row["value"]: row[by] for row in rows if row[by] and not row["is_other"]}
        assert {line.name: line.count for line in getattr(numbers, shown)} == stored, (asked, where)
    else:
        minutes = await site.ask("series", numbers, where, unit="minute")
        stored = {row["time"]: (row["events"], row["page_views"], row["sessions"]) for row in minutes}
        for minute in numbers.per_minute:
            assert (minute.events, minute.page_views, minute.sessions) == stored.get(minute.t, (0, 0, 0)), where
