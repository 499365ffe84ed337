"""Each question over a generated month, on both engines, against answers that plain Python finds."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from a_month import SINCE, UNTIL, imported_totals, month

from glimpse.errors import QueryError
from glimpse.events import LAYER_OF_BOTS, PAGE_VIEW, SIGNS_OF_LIFE, Event, Session
from glimpse.filters import Where, as_filter, field
from glimpse.live.places import place_key
from glimpse.store import QUESTIONS, DuckStore, Lot
from glimpse.store.clickhouse import ClickHouseStore
from glimpse.store.questions import ALL_PROJECTS, Scope, Tables, steps
from glimpse.store.rows import as_record

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]


@pytest.fixture(scope="module", params=["duckdb", "clickhouse"])
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    events, sessions = month()
    if request.param == "duckdb":
        store = DuckStore.open(tmp_path_factory.mktemp("store"))
        store.commit(Lot(events, sessions, totals=imported_totals()))
    else:
        store = ClickHouseStore.open("clickhouse+chdb://", tmp_path_factory.mktemp("store"))
        for _ in range(2):  # what comes again replaces itself
            store.commit(Lot(events, sessions, totals=imported_totals()))
    tables = Tables(store.tables["events"], store.tables["sessions"], store.tables["imported_totals"])
    asker = store.asker()

    def asked(
        question: str,
        project: str = "shop",
        since: int = SINCE,
        until: int = UNTIL,
        where: Where | None = None,
        **arguments: Any,
    ) -> Rows:
        scope = Scope(tables, project, since, until, as_filter(where))
        return [as_record(row) for row in asker.answer(QUESTIONS[question], scope, arguments)]

    yield asked
    asker.close()
    store.close()


def events_of(project: str = "shop", since: int = SINCE, until: int = UNTIL) -> list[Event]:
    return [
        event
        for event in month()[0]
        if since <= event.time < until
        and event.name not in SIGNS_OF_LIFE
        and (not event.project.endswith(LAYER_OF_BOTS) if project == ALL_PROJECTS else event.project == project)
    ]


def sessions_of(project: str = "shop") -> list[Session]:
    return [one for one in month()[1] if one.project == project and SINCE <= one.started_at < UNTIL]


def visits(events: list[Event]) -> list[list[Event]]:
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event.time, event.id)):
        found[event.session_id].append(event)
    return list(found.values())


def counts_of(events: list[Event]) -> dict[str, int]:
    views = sum(event.name == PAGE_VIEW for event in events)
    return {"events": len(events), "page_views": views, "sessions": len({event.session_id for event in events})}


def by_null_first(value: Any) -> tuple[bool, Any]:
    return value is not None, value


# -- counts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("project", ["shop", "*", "shop:bots"])
def test_totals(ask: Ask, project: str):
    (row,) = ask("totals", project)
    bounced = [one for one in month()[1] if SINCE <= one.started_at < UNTIL and one.is_bounce]
    mine = [one for one in bounced if one.project == project or (project == "*" and ":" not in one.project)]
    assert row == counts_of(events_of(project)) | {"bounces": len(mine)}
    assert row["bounces"] > 0


def test_totals_of_nothing_are_zero(ask: Ask):
    assert ask("totals", "nobody") == [dict.fromkeys(("events", "page_views", "sessions", "bounces"), 0)]


def test_the_span_is_exact_to_the_millisecond(ask: Ask):
    event = next(event for event in events_of() if event.time % 1000 not in (0, 999))
    (row,) = ask("totals", since=event.time, until=event.time + 1)
    assert row["events"] == len(events_of(since=event.time, until=event.time + 1))
    assert ask("totals", since=event.time - 1, until=event.time)[0]["events"] == len(
        events_of(since=event.time - 1, until=event.time)
    )


def test_a_comparison_is_with_as_many_days_of_the_zone(ask: Ask):
    berlin = ZoneInfo("Europe/Berlin")
    since, until, before = (int(datetime(2026, 3, day, tzinfo=berlin).timestamp() * 1000) for day in (29, 31, 27))
    now, earlier = ask("comparison", since=since, until=until, tz="Europe/Berlin")
    assert (now["period"], now["since"], now["until"]) == ("now", since, until)
    assert (earlier["period"], earlier["since"], earlier["until"]) == ("before", before, since)
    assert earlier["until"] - earlier["since"] == 48 * 3_600_000 == now["until"] - now["since"] + 3_600_000
    for row in (now, earlier):
        assert row.items() >= counts_of(events_of(since=row["since"], until=row["until"])).items()


# -- over time -----------------------------------------------------------------------------------------------------


def local_start(event: Event, unit: str, tz: str) -> tuple[Any, ...]:
    local = datetime.fromtimestamp(event.time / 1000, ZoneInfo(tz))
    match unit:
        case "minute":
            return (*local.timetuple()[:5], local.fold)
        case "hour":
            return (*local.timetuple()[:4], local.fold)
        case "day":
            return local.timetuple()[:3]
        case "week":
            return local.isocalendar()[:2]
    return local.timetuple()[:2]


@pytest.mark.parametrize(
    ("unit", "tz", "rows"),
    [
        ("hour", "Europe/Berlin", 743),  # of 31 days, one hour is none
        ("day", "Europe/Berlin", 31),
        ("day", "America/New_York", 31),
        ("hour", "Asia/Kathmandu", 744),  # UTC+5:45
        ("week", "Europe/Berlin", 6),
        ("month", "America/New_York", 1),
    ],
)
def test_a_series_has_each_interval_of_the_zone_with_its_counts(ask: Ask, unit: str, tz: str, rows: int):
    zone = ZoneInfo(tz)
    since, until = (int(datetime(2026, month_, 1, tzinfo=zone).timestamp() * 1000) for month_ in (3, 4))
    found = ask("series", since=since, until=until, unit=unit, tz=tz)
    grouped: defaultdict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for event in events_of(since=since, until=until):
        grouped[local_start(event, unit, tz)].append(event)
    assert len(found) == rows
    assert [row["time"] for row in found] == sorted({row["time"] for row in found})
    given = {
        local_start(Event(id="", project="", name="", time=row["time"], received_at=0), unit, tz): row for row in found
    }
    assert len(given) == rows
    for key, row in given.items():
        assert {name: row[name] for name in ("events", "page_views", "sessions")} == counts_of(grouped.pop(key, []))
    assert not grouped


def test_a_series_by_minute_with_a_filter(ask: Ask):
    since = next(event.time for event in events_of() if event.country == "DE")
    found = ask("series", since=since, until=since + 3_600_000, unit="minute", where='country = "DE"')
    german = [event for event in events_of(since=since, until=since + 3_600_000) if event.country == "DE"]
    assert len(found) == 61
    assert Counter({row["time"]: row["events"] for row in found if row["events"]}) == Counter(
        event.time // 60_000 * 60_000 for event in german
    )


def test_a_series_that_would_have_too_many_points_is_refused(ask: Ask):
    with pytest.raises(QueryError, match="more than 3000 minutes"):
        ask("series", unit="minute")
    with pytest.raises(QueryError, match="there is no time zone 'Europe/Nowhere'"):
        ask("series", tz="Europe/Nowhere")


# -- by values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["events", "page_views", "sessions"])
@pytest.mark.parametrize(
    ("name", "value_of"),
    [
        ("page", lambda event: event.page),
        ("country", lambda event: event.country),
        ("name", lambda event: event.name),
        ("session.source", lambda event: event.source),
        ("properties.item.sku", lambda event: event.properties.get("item", {}).get("sku")),
        ("session_id", lambda event: event.session_id),
    ],
)
def test_a_breakdown_has_the_top_and_all_others(ask: Ask, name: str, value_of: Callable[[Event], Any], by: str):
    events, top = events_of(), 20 if name == "session_id" else 2
    values = {value_of(event) for event in events}
    counts = {value: counts_of([event for event in events if value_of(event) == value]) for value in values}
    ranked = sorted(values, key=lambda value: (-counts[value][by], by_null_first(value)))
    others = counts_of([event for event in events if value_of(event) in ranked[top:]])
    whole = counts_of(events)[by]
    expected = [{"value": value, "is_other": False, **counts[value]} for value in ranked[:top]]
    expected += [{"value": None, "is_other": True, **others}] if ranked[top:] else []
    found = ask("breakdown", field=name, top=top, by=by)
    assert {type(row["is_other"]) for row in found} == {bool}
    assert [row.pop("share") for row in found] == pytest.approx([row[by] / whole for row in expected])
    assert found == expected


def test_values_of_json_are_told_apart_as_text(ask: Ask):
    found = {row["value"]: row["events"] for row in ask("breakdown", field="properties.plan", where='name = "buy"')}
    bought = Counter(event.properties["plan"] for event in events_of() if event.name == "buy")
    assert found == {"free": bought["free"], "pro": bought["pro"], "5": bought[5], "true": bought[True]}


def test_properties_are_listed_one_by_one(ask: Ask):
    events = events_of()
    keys = Counter((event.name, key) for event in events for key in event.properties)
    found = ask("properties")
    assert {(row["name"], row["key"]): row["events"] for row in found} == keys
    assert [row["events"] for row in found] == sorted(keys.values(), reverse=True)


@pytest.mark.parametrize("project", ["shop", "*"])
def test_places_are_counted_one_by_one_and_what_is_of_none_together(ask: Ask, project: str):
    at: defaultdict[Any, list[Event]] = defaultdict(list)
    for event in events_of(project):
        known = event.lat is not None and event.lon is not None
        key = (*place_key(event.lat, event.lon), event.city, event.country) if known else (None,) * 4  # as on the map
        at[key].append(event)
    found = ask("places", project)
    assert len(found) == len(at) > 6
    for row in found:
        theirs = at[row["lat"], row["lon"], row["city"], row["country"]]
        counts = counts_of(theirs) | {"last": max(event.time for event in theirs)}
        assert {name: row[name] for name in ("events", "sessions", "last")} == {
            name: counts[name] for name in ("events", "sessions", "last")
        }
    assert [row["events"] for row in found] == sorted((len(theirs) for theirs in at.values()), reverse=True)
    assert ask("places", project, top=2) == found[:2]


# -- sessions ------------------------------------------------------------------------------------------------------


def test_sessions_are_kept_for_their_events(ask: Ask):
    buyers = {event.session_id for event in events_of() if event.name == "buy" and event.country == "FR"}
    theirs = sorted((one for one in sessions_of() if one.id in buyers), key=lambda one: (one.started_at, one.id))[::-1]
    where = (field("name") == "buy") & (field("country") == "FR")
    found = ask("sessions", where=where)
    assert [row["id"] for row in found] == [one.id for one in theirs]
    assert [(row["started_at"], row["duration_s"]) for row in found] == [(s.started_at, s.duration_s) for s in theirs]
    first, second = ask("sessions", where=where, limit=2)
    (again,) = ask("sessions", where=where, limit=1, after=f"{first['started_at']}:{first['id']}")
    assert again == second


def test_a_journey_is_in_order(ask: Ask):
    longest = max(visits(events_of()), key=len)
    found = ask("journey", session=longest[0].session_id.upper())
    assert [(row["id"], row["name"], row["page"], row["properties"]) for row in found] == [
        (event.id, event.name, event.page, event.properties) for event in longest
    ]
    assert ask("journey", "blog", session=longest[0].session_id) == []


@pytest.mark.parametrize(("question", "page"), [("entries", "entry_page"), ("exits", "exit_page")])
def test_where_sessions_come_in_and_leave(ask: Ask, question: str, page: str):
    theirs = defaultdict(list)
    for one in sessions_of():
        theirs[getattr(one, page)].append(one)
    found = ask(question)
    assert {row["page"]: (row["sessions"], row["bounces"]) for row in found} == {
        path: (len(these), sum(one.is_bounce for one in these)) for path, these in theirs.items()
    }
    for row in found:
        durations = [one.duration_s for one in theirs[row["page"]]]
        assert row["mean_duration_s"] == pytest.approx(sum(durations) / len(durations))


def test_steps_from_page_to_page(ask: Ask):
    taken: Counter[tuple[Any, Any]] = Counter()
    for visit in visits(events_of()):
        views = [event.page for event in visit if event.name == PAGE_VIEW]
        taken.update(pair for pair in pairwise(views) if pair[0] != pair[1])
    found = ask("paths", top=1000)
    assert {(row["from_page"], row["to_page"]): row["steps"] for row in found} == taken
    at_pricing = ask("paths", page="/pricing", top=1000)
    assert at_pricing == [row for row in found if "/pricing" in (row["from_page"], row["to_page"])]


def test_steps_of_sites_with_more_pages_than_have_a_number_of_their_own(ask: Ask, monkeypatch: pytest.MonkeyPatch):
    plainly = ask("paths", top=1000)
    monkeypatch.setattr(steps, "_LAST_PAGE", 3)
    monkeypatch.setattr(steps, "_PAGE_BITS", 2)
    assert ask("paths", top=999) == plainly
    monkeypatch.setattr(steps, "_LAST_MS", SINCE)
    assert ask("paths", top=998) == plainly


# -- what sessions do ----------------------------------------------------------------------------------------------


def comes_to(visit: list[Event], steps: list[Callable[[Event], bool]], within_ms: float) -> int:
    """Return how many steps a visit takes: every start is tried, each with the earliest event for every step."""
    best = 0
    for index, start in enumerate(visit):
        if not steps[0](start):
            continue
        taken, at = 1, index
        for step in steps[1:]:
            later = [i for i in range(at + 1, len(visit)) if step(visit[i]) and visit[i].time - start.time <= within_ms]
            if not later:
                break
            taken, at = taken + 1, later[0]
        best = max(best, taken)
    return best


@pytest.mark.parametrize("within_s", [None, 46.0, 5.0])
def test_a_funnel_counts_steps_in_order_within_a_time(ask: Ask, within_s: float | None):
    steps = [lambda e: e.name == PAGE_VIEW, lambda e: e.page != "/", lambda e: e.name == "buy"]
    within_ms = math.inf if within_s is None else within_s * 1000
    taken = [comes_to(visit, steps, within_ms) for visit in visits(events_of())]
    expected = [sum(count >= number for count in taken) for number in (1, 2, 3)]
    found = ask("funnel", steps=['name = "page_view"', field("page") != "/", 'name = "buy"'], within_s=within_s)
    assert [row["sessions"] for row in found] == expected
    assert expected[0] > expected[1] > expected[2] > 0
    assert [row["share"] for row in found] == pytest.approx([count / expected[0] for count in expected])
    assert found[2]["of_previous"] == pytest.approx(expected[2] / expected[1])
    assert found[1]["filter"] == 'page != "/"'


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_funnel_over_all_projects_has_as_many_steps_as_are_asked(ask: Ask, count: int):
    names = [PAGE_VIEW, PAGE_VIEW, "add_to_cart", PAGE_VIEW, "buy"][:count]
    steps = [lambda event, name=name: event.name == name for name in names]
    taken = [comes_to(visit, steps, math.inf) for visit in visits(events_of("*"))]
    found = ask("funnel", "*", steps=[f'name = "{name}"' for name in names])
    assert [row["sessions"] for row in found] == [sum(one > number for one in taken) for number in range(count)]
    assert found[-1]["sessions"] > 0


def test_how_long_the_sessions_of_a_day_and_source_stay(ask: Ask):
    berlin = ZoneInfo("Europe/Berlin")
    cohorts: defaultdict[tuple[Any, Any], list[float]] = defaultdict(list)
    for one in sessions_of():
        day = datetime.fromtimestamp(one.started_at / 1000, berlin).date()
        cohorts[day, one.source].append(one.duration_s)
    found = ask("retention", after_s=[0, 5, 45], tz="Europe/Berlin")
    assert len(found) == 3 * len(cohorts)
    for row in found:
        day = datetime.fromtimestamp(row["day"] / 1000, berlin)
        stayed = [duration >= row["after_s"] for duration in cohorts[day.date(), row["value"]]]
        assert (day.hour, row["sessions"], row["still_there"]) == (0, len(stayed), sum(stayed))
        assert row["share"] == pytest.approx(sum(stayed) / len(stayed))


@pytest.mark.parametrize("name", [None, "page", "country", "device"])
def test_web_vitals_by_nearest_rank(ask: Ask, name: str | None):
    groups: defaultdict[tuple[Any, str], list[float]] = defaultdict(list)
    for event in events_of():
        if event.name == "web_vital":
            value = getattr(event, name) if name else None
            groups[value, event.properties["metric"]].append(event.properties["value"])
    found = {(row["value"], row["metric"]): row for row in ask("vitals", field=name)}
    assert found.keys() == groups.keys()
    for key, values in groups.items():
        rank = math.ceil(0.75 * len(values))
        assert (found[key]["percentile"], found[key]["measurements"]) == (sorted(values)[rank - 1], len(values))
    every = ask("vitals")
    lcp = [values for (_, metric), values in groups.items() if metric == "LCP"]
    (row,) = [row for row in every if row["metric"] == "LCP"]
    flat = [value for values in lcp for value in values]
    assert row["good"] == pytest.approx(sum(value <= 2500 for value in flat) / len(flat))


@pytest.mark.parametrize("tz", ["UTC", "America/New_York"])
def test_web_vitals_over_time_are_those_of_each_day(ask: Ask, tz: str):
    days: defaultdict[tuple[tuple[Any, ...], str], list[float]] = defaultdict(list)
    for event in events_of():
        if event.name == "web_vital" and event.device == "phone":
            days[local_start(event, "day", tz), event.properties["metric"]].append(event.properties["value"])
    found = ask("vitals_series", where='device = "phone"', unit="day", tz=tz)
    assert len(found) == len(days)
    for row in found:
        begin = Event(id="", project="", name="", time=row["time"], received_at=0)
        values = sorted(days[local_start(begin, "day", tz), row["metric"]])
        assert (row["percentile"], row["measurements"]) == (values[math.ceil(0.75 * len(values)) - 1], len(values))


@pytest.mark.parametrize("where", [None, 'device = "phone"'])
def test_how_the_sessions_of_each_day_turn_out(ask: Ask, where: str | None):
    kept = [event for event in events_of() if where is None or event.device == "phone"]
    there, buyers = {event.session_id for event in kept}, {event.session_id for event in kept if event.name == "buy"}
    days: defaultdict[int, list[Session]] = defaultdict(list)
    for session in sessions_of():
        if where is None or session.id in there:
            days[session.started_at // 86_400_000 * 86_400_000].append(session)
    found = ask("outcomes", where=where, goal='name = "buy"')
    assert sum(row["sessions"] for row in found) == sum(map(len, days.values())) > 0
    for row in found:
        theirs = days[row["time"]]
        assert row["sessions"] == len(theirs)
        assert row["bounces"] == sum(session.is_bounce for session in theirs)
        assert row["reached"] == sum(session.id in buyers for session in theirs)
        mean = sum(session.duration_s for session in theirs) / len(theirs) if theirs else None
        assert row["duration_s"] == (mean if mean is None else pytest.approx(mean))
    assert sum(row["reached"] for row in found) > 0
    assert {row["reached"] for row in ask("outcomes", where=where)} == {0}


def test_goals_and_conversion(ask: Ask):
    events = [event for event in events_of() if event.device == "phone"]
    everyone = {event.session_id for event in events}
    bought = [event for event in events if event.name == "buy" and event.properties["price"] > 5]
    buyers = {event.session_id for event in bought}
    buy, nothing = ask(
        "goals", where='device = "phone"', goals=['name = "buy" and properties.price > 5', 'name = "nothing"']
    )
    assert (buy["events"], buy["sessions"]) == (len(bought), len(buyers))
    assert buy["conversion"] == pytest.approx(len(buyers) / len(everyone))
    assert (nothing["goal"], nothing["sessions"], nothing["conversion"]) == (2, 0, 0)
    found = ask("conversion", where='device = "phone"', goal='name = "buy" and properties.price > 5', field="page")
    for row in found:
        theirs = {event.session_id for event in events if event.page == row["value"]}
        assert (row["sessions"], row["reached"]) == (len(theirs), len(theirs & buyers))
    assert len(found) == len({event.page for event in events})


def test_projects_are_listed_with_the_latest_first(ask: Ask):
    last = {project: max(e.received_at for e in month()[0] if e.project == project) for project in ("shop", "blog")}
    found = {row["project"]: row["last"] for row in ask("projects")}
    assert found.items() >= last.items()
    assert "shop:bots" in found


def test_events_come_newest_first_a_page_at_a_time(ask: Ask):
    expected = sorted(events_of(), key=lambda event: (event.time, event.id), reverse=True)
    first = ask("events", limit=30)
    rest = ask("events", limit=30, after=f"{first[-1]['time']}:{first[-1]['id']}")
    assert [row["id"] for row in first + rest] == [event.id for event in expected[:60]]
    assert first[0]["received_at"] == expected[0].received_at
    assert datetime.fromtimestamp(first[0]["time"] / 1000, UTC).month == 3


def test_imported_totals_are_summed_up_by_what_they_were_counted_by(ask: Ask):
    def told(rows: Rows) -> list[tuple[Any, ...]]:
        return [(row["origin"], row["value"], row["visitors"], row["page_views"], row["visits"]) for row in rows]

    assert told(ask("imported")) == [
        ("plausible", "2026-03-01", 5, 9, None),
        ("plausible", "2026-03-02", 7, None, None),
    ]
    pages = [("plausible", "/docs", 20, None, None), ("plausible", "/", 9, 6, None), ("plausible", None, 1, 1, None)]
    assert told(ask("imported", dimension="page")) == pages
    assert told(ask("imported", dimension="page", top=1)) == pages[:1]
    assert told(ask("imported", "*", since=SINCE + 1)) == [("plausible", "2026-03-02", 107, 200, None)]
    assert len(ask("imported", since=0)) == 3
    with pytest.raises(QueryError, match="can't be filtered"):
        ask("imported", where='country = "DE"')
