"""Each number on the pages is the API's, whatever the filter: maps, projects, goals, segments, events, vitals."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import parse_qs, quote
from uuid import uuid4

import pytest
from browsing import FIND_SOURCE, Page, Watched, chromium, tile, wait_for_map
from serving import Served, an_event, now_ms
from waiting import wait_until

from glimpse.geo.borders import load_borders

pytestmark = [pytest.mark.server, pytest.mark.browser]
ZONES = ["Europe/Vienna", "Asia/Tokyo", "America/New_York", "Africa/Lagos"]
PROJECTS = ["shop", "blog"]
FILTERS = 2
UNKNOWN = "\N{EN DASH}"
IS_PURCHASE = 'name = "purchase"'
SEGMENT_NUMBERS = ["sessions", "page_views", "bounce", "conversion"]
BY_NAME = """([source, name, column]) => {
  const {data} = (FIND_SOURCE)(source)
  return [...data[name]].flatMap((text, i) => data[column][i] ? [[text, data[column][i]]] : [])
}""".replace("FIND_SOURCE", FIND_SOURCE)


def visits(r: random.Random) -> list[dict[str, Any]]:
    """Return events of some visitors of both projects, with places, pages and names to filter by."""
    events = []
    for n in range(24):
        zone, project = r.choice(ZONES), r.choice(PROJECTS)
        for _ in range(r.randrange(1, 5)):
            name, path = r.choice(["page_view", "page_view", "purchase"]), r.choice(["/a", "/b", "/b/c"])
            context = {"url": f"https://shop.test{path}", "path": path, "timezone": zone}
            events.append(an_event(project, name, sessionId=f"visitor {n}", timestamp=now_ms() - n, context=context))
    return events


def a_filter(r: random.Random) -> str:
    one = ['country = "AT"', 'country != "JP"', 'page starts with "/b"', 'name = "purchase"', '"/B/C"']
    kept, other = r.sample(one, 2)
    return r.choice([kept, f"{kept} and {other}", f"({kept} or {other})"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("numbers")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as running:
        assert running.post(visits(random.Random(5)))[0] == 200
        wait_until(lambda: running.ledger("*")["in_buffer"] == 0, timeout_s=20, what="all is in the store")
        yield running


@pytest.fixture
def watched() -> Iterator[Watched]:
    with chromium() as running:
        yield running
        assert (running.errors, running.strays) == ([], [])


def agrees(what: str, shown: Any, told: Any) -> None:
    """Wait until what is shown is what was told; the page takes a moment."""
    wait_until(lambda: shown() == told, what=f"{what}: {told}")


def on_map(page: Page, source: str, name: str, column: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for text, number in page.evaluate(BY_NAME, [source, name, column]):
        found[text] += int(number)
    return found


def live(served: Served, project: str, where: str = "") -> dict[str, Any]:
    return served.get(f"/api/v1/live?project={quote(project)}&where={quote(where)}")


@pytest.mark.parametrize("project", ["shop", "*"])
def test_the_map_the_feed_and_who_is_here_show_the_apis_numbers_whatever_the_filter(
    served: Served, watched: Watched, project: str
):
    r = random.Random(project)
    for where in [a_filter(r) for _ in range(FILTERS)]:
        told = live(served, project, where)
        page = watched.open(f"{served.url}/glimpse_app?project={quote(project)}&where={quote(where)}")
        wait_for_map(page)
        here = Counter({place["city"]: place["count"] for place in told["places"]})
        agrees("dots", lambda page=page: on_map(page, "places", "place", "count"), here)
        sessions = str(told["active"] + told["idle"])
        title = page.locator(".g-legend .title .hint")
        agrees("title", lambda title=title: title.inner_text().split(" ")[0], sessions if here else "Nobody")
        agrees("here", lambda page=page: page.locator(".g-here .row").count(), told["active"] + told["idle"])
        rows = min(40, sum(minute["events"] for minute in told["per_minute"]))
        agrees("feed", lambda page=page: page.locator(".g-feed li.row").count(), rows)
        see_countries(served, page, project, where, told)
        page.context.close()


def see_countries(served: Served, page: Page, project: str, where: str, told: dict[str, Any]) -> None:
    """Compare both country layers: who is there now, and the events of the last half hour as they are stored."""
    names = load_borders().names
    here: Counter[str] = Counter()
    for place in told["places"]:
        here[names[place["country"]]] += place["count"]
    asked = f"project={quote(project)}&since={told['covers_since']}&where={quote(where)}"
    rows = served.get(f"/api/v1/breakdown?{asked}&field=country")
    events = Counter({names[row["value"]]: row["events"] for row in rows if row["value"] and row["events"]})
    page.get_by_role("button", name="Sessions by country").click()
    agrees("sessions by country", lambda: on_map(page, "countries", "name", "count"), here)
    page.get_by_role("button", name="Events by country").click()
    agrees("events by country", lambda: on_map(page, "countries", "name", "events"), events)


def test_a_wall_display_shows_the_apis_numbers_and_all_projects_beside_each_other(served: Served, watched: Watched):
    where = 'page starts with "/b"'
    for asked, kept in (("", ""), (f"&where={quote(where)}", where)):
        told = live(served, "*", kept)
        page = watched.open(f"{served.url}/glimpse_app?project=*&kiosk=1{asked}")
        wait_for_map(page)
        agrees("page views", lambda page=page: tile(page, "Page views"), str(told["page_views"]))
        agrees("sessions", lambda page=page: tile(page, "Sessions"), str(told["sessions"]))
        here = Counter({place["city"]: place["count"] for place in told["places"]})
        agrees("dots", lambda page=page: on_map(page, "places", "place", "count"), here)
        page.context.close()
    page = watched.open(f"{served.url}/glimpse_app?project=*")
    for project in PROJECTS:
        told = live(served, project)
        numbers = [told["active"] + told["idle"], told["events_last_minute"], told["page_views"], told["sessions"]]
        row = page.locator(".g-projects .row", has=page.get_by_text(project, exact=True))
        agrees(project, lambda row=row: numbers_of(row.locator("b").all_inner_texts(), but=1), but_minute(numbers, 1))
    page.context.close()


def test_goals_segments_and_what_is_drawn_over_time_show_the_apis_numbers_whatever_the_filter(
    served: Served, watched: Watched
):
    r = random.Random(8)
    events = [event | {"projectId": "speed"} for event in visits(r)]
    vitals = [event | {"event": "web_vital", "id": str(uuid4())} for event in events[::2]]
    vitals = [vital | {"properties": {"metric": "LCP", "value": r.randrange(500, 6000)}} for vital in vitals]
    assert served.post([*events, *vitals])[0] == 200
    wait_until(lambda: served.ledger("speed")["in_buffer"] == 0, timeout_s=20, what="all is in the store")
    span = f"project=speed&since={now_ms() - 3_600_000}&until={now_ms() + 60_000}"
    for where in [a_filter(r) for _ in range(FILTERS)]:
        beside = a_filter(r)
        chosen = f"view=explore&goal=purchase&by=country&beside=&beside={quote(beside)}"
        page = watched.open(f"{served.url}/glimpse_app?{span}&tz=UTC&where={quote(where)}&{chosen}")
        see_segments(served, page, span, [where, f"({where}) and {beside}"])
        see_events(served, page, f"{span}&where={quote(where)}")
        page.get_by_role("button", name="Performance").click()
        see_vitals(served, page, f"{span}&where={quote(where)}")
        page.get_by_role("button", name="History").click()
        see_conversion(served, page, f"{span}&where={quote(where)}")
        page.context.close()


def see_segments(served: Served, page: Page, span: str, filters: list[str]) -> None:
    """Compare the columns' numbers of the whole span: sessions, page views, bounces, conversion."""
    for at, where in enumerate(filters):
        asked = f"{span}&where={quote(where)}"
        (told,) = served.get(f"/api/v1/totals?{asked}")
        (goal,) = served.get(f"/api/v1/goals?{asked}&goals={quote(json.dumps([IS_PURCHASE]))}")
        there = told["sessions"]
        rates = (told["bounces"], goal["sessions"])
        shown = [f"{told['sessions']:,}", f"{told['page_views']:,}", *(percent(n, there) for n in rates)]
        column = page.locator(".g-side-by-side .column").nth(at)
        cells = [column.locator(f"[data-measure={name}] .value") for name in SEGMENT_NUMBERS]
        agrees(f"segment {where}", lambda cells=cells: [cell.inner_text() for cell in cells], shown)


def rounded(number: float, digits: int) -> str:
    """Return a number as browsers write it, with so many digits behind the point at most."""
    return f"{Decimal(str(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP).normalize():f}"


def percent(part: int, whole: int, digits: int = 1) -> str:
    return f"{rounded(part / whole * 100, digits)}%" if whole else UNKNOWN


def as_table(page: Page, card: str) -> Callable[[], list[list[str]]]:
    """Open a chart's table, and return how its lines are read: without the time, and without those with nothing."""
    page.locator(f"{card} .to-table").click()
    lines = page.locator(f"{card} .as-table tbody tr")
    cells = "lines => lines.map(line => [...line.children].slice(1).map(cell => cell.textContent))"
    return lambda: [line for line in lines.evaluate_all(cells) if {*line} != {"0"}]


def see_events(served: Served, page: Page, asked: str) -> None:
    """Compare events over time, told apart by country."""
    ranked = [row["value"] for row in served.get(f"/api/v1/breakdown?{asked}&field=country&by=events&top=6")]
    counts = {}
    for code in ranked:
        more = quote(f'({parse_qs(asked)["where"][0]}) and country = "{code}"')
        asked_of = re.sub("where=[^&]*", f"where={more}", asked)
        counts[code] = [row["events"] for row in served.get(f"/api/v1/series?{asked_of}&unit=minute&tz=UTC")]
    whole = [row["events"] for row in served.get(f"/api/v1/series?{asked}&unit=minute&tz=UTC")]
    each = zip(whole, *counts.values(), strict=True)
    told = [[str(n) for n in row] for row in each if any(row)]
    read = as_table(page, ".g-event-series")
    agrees("events over time", read, told[::-1])


def see_vitals(served: Served, page: Page, asked: str) -> None:
    """Compare LCP over time: how many were measured in each interval, and which share of them is good."""
    rows = served.get(f"/api/v1/vitals_series?{asked}&unit=minute&tz=UTC")
    of_lcp = [row for row in rows if row["metric"] == "LCP"]
    told = [
        [seconds(row["percentile"]), f"{rounded(row['good'] * 100, 0)}%", str(row["measurements"])] for row in of_lcp
    ]
    page.locator(".g-vitals-series .card[data-phase=ready]").wait_for()
    read = as_table(page, ".g-vitals-series")
    agrees("vitals over time", lambda: [[value, *more] for value, _, *more in read()], told[::-1])


def seconds(ms: float) -> str:
    return f"{rounded(ms / 1000, 2)}s" if ms >= 1000 else f"{rounded(ms, 0)}ms"


def see_conversion(served: Served, page: Page, asked: str) -> None:
    """Compare which share of each country's sessions reaches the goal."""
    rows = served.get(f"/api/v1/conversion?{asked}&field=country&goal={quote(IS_PURCHASE)}")
    told = Counter(
        (str(row["sessions"]), percent(row["reached"], row["sessions"], 0 if row["conversion"] >= 0.1 else 1))
        for row in rows
    )
    lines = page.locator("section[aria-label=Places] .line")

    def shown() -> Counter[tuple[str, str]]:
        return Counter((line.locator(".n").inner_text(), line.locator(".rate").inner_text()) for line in lines.all())

    agrees("conversion", shown, told)


def test_each_line_of_the_history_tells_its_change_from_the_apis_numbers(served: Served, watched: Watched):
    r, now, hour = random.Random(21), now_ms(), 3_600_000
    events = [
        event | {"projectId": "change", "timestamp": now - r.choice([hour // 2, 3 * hour // 2])} for event in visits(r)
    ]
    assert served.post(events)[0] == 200
    wait_until(lambda: served.ledger("change")["in_buffer"] == 0, timeout_s=20, what="all is in the store")
    for where in ["", *(a_filter(r) for _ in range(FILTERS))]:
        asked = f"project=change&where={quote(where)}"
        shown = f"view=history&since={now - hour}&until={now}&compare=before&goal=purchase"
        page = watched.open(f"{served.url}/glimpse_app?{asked}&{shown}")
        for card, field, by in (("Pages", "page", "page_views"), ("Places", "country", "sessions")):
            told = changes(served, asked, now, field, by)
            lines = page.locator(f"section[aria-label={card}] .line")
            cells = "lines => lines.map(line => ['.n', '.change'].map(name => line.querySelector(name)?.textContent))"
            agrees(
                f"{card} of {where}",
                lambda lines=lines, cells=cells: Counter(map(tuple, lines.evaluate_all(cells))),
                told,
            )
        page.context.close()


def test_explore_and_performance_stand_beside_the_apis_numbers_of_the_span_before(served: Served, watched: Watched):
    r, now, hour = random.Random(34), now_ms(), 3_600_000
    times = [now - hour // 2, now - 3 * hour // 2]
    events = [event | {"projectId": "then", "timestamp": r.choice(times)} for event in visits(r) + visits(r)]
    vitals = [event | {"event": "web_vital", "id": str(uuid4())} for event in events]
    vitals = [vital | {"properties": {"metric": "LCP", "value": r.randrange(500, 6000)}} for vital in vitals]
    assert served.post([*events, *vitals])[0] == 200
    wait_until(lambda: served.ledger("then")["in_buffer"] == 0, timeout_s=20, what="all is in the store")
    chosen = f"since={now - hour}&until={now}&tz=UTC&compare=before&step=page_view&step=purchase"
    for where in ["", a_filter(r)]:
        before = f"project=then&since={now - 2 * hour}&until={now - hour}&where={quote(where)}"
        page = watched.open(f"{served.url}/glimpse_app?project=then&view=explore&{chosen}&where={quote(where)}")
        steps = quote(json.dumps(['name = "page_view"', IS_PURCHASE]))
        first, second = served.get(f"/api/v1/funnel?{before}&steps={steps}")
        share = f"{rounded(second['share'] * 100, 0)}%" if second["share"] == 0 or second["share"] >= 0.01 else "<1%"
        cells = page.locator(".g-funnel .says .before")
        agrees("funnel before", cells.all_inner_texts, [f"before {first['sessions']}", f"before {share}"])
        counted = served.get(f"/api/v1/series?{before}&unit=minute&tz=UTC")
        sum_before = page.locator(".g-event-series .legend .entry", has_text="before").locator("b")
        agrees("events before", sum_before.all_inner_texts, [f"{sum(row['events'] for row in counted):,}"])
        page.get_by_role("button", name="Performance").click()
        (told,) = served.get(f"/api/v1/vitals?{before}")
        was = page.locator(".g-vitals [data-metric=LCP] .then")
        agrees("LCP before", lambda was=was: was.inner_text().split(",")[0], f"before {seconds(told['percentile'])}")
        page.context.close()


def changes(served: Served, asked: str, now: int, field: str, by: str) -> Counter[tuple[str, str]]:
    """Return what the API counts of each value in the last hour, and the change from the hour before, as written."""
    asked = f"/api/v1/breakdown?{asked}&field={field}&by={by}&top=1000"
    spans = [f"&since={end - 3_600_000}&until={end}" for end in (now, now - 3_600_000)]
    counted = [{row["value"]: row[by] for row in served.get(asked + span)} for span in spans]
    told: Counter[tuple[str, str]] = Counter()
    for value, n in counted[0].items():
        before = counted[1].get(value, 0)
        part = rounded(abs(n / before - 1) * 100, 0) if before else ""
        same = "±0%" if n == before else "new"
        told[str(n), f"{'▲' if n > before else '▼'} {part}%" if before and n != before else same] += 1
    return told


SPANS = {"24h": (24, 0), "7d": (168, 0), "": (40, 2)}  # hours back, from and until


@pytest.mark.parametrize("since", SPANS)
def test_the_live_page_shows_the_apis_numbers_of_whatever_span_is_chosen(served: Served, watched: Watched, since: str):
    r, hour, names = random.Random(f"span {since}"), 3_600_000, {project: f"{project}{since}" for project in PROJECTS}
    now, (begin, end) = now_ms(), SPANS[since]
    ages = [0, 2 * hour, 20 * hour, 39 * hour, 50 * hour, 160 * hour]
    events = [
        event | {"projectId": names[event["projectId"]], "timestamp": now - r.choice(ages) - 5} for event in visits(r)
    ]
    assert served.post(events)[0] == 200
    wait_until(lambda: served.ledger("*")["in_buffer"] == 0, timeout_s=20, what="all is in the store")
    span = {"since": now - begin * hour, "until": now - end * hour}
    said = f"since={since}" if since else f"since={span['since']}&until={span['until']}"
    asked = f"since={span['since']}&until={span['until'] + 1000 * (not end)}"
    for where in ["", a_filter(r)]:
        told = f"{asked}&project={names['shop']}&where={quote(where)}"
        page = watched.open(f"{served.url}/glimpse_app?project={names['shop']}&{said}&tz=UTC&where={quote(where)}")
        see_tiles(served, page, told)
        see_lists(served, page, told)
        see_places(served, page, told)
        see_bars(served, page, f"{told}&tz=UTC&unit={'day' if since == '7d' else 'hour'}")
        kept = served.get(f"/api/v1/events?{told}&limit=40")
        feed = page.locator(".g-feed li.row .page")
        agrees("feed", lambda feed=feed: Counter(feed.all_inner_texts()), Counter(event["page"] for event in kept))
        here = 0 if end else sum(live(served, names["shop"], where)[name] for name in ("active", "idle"))
        agrees("here", lambda page=page: page.locator(".g-here .row").count(), here)
        page.context.close()
    see_projects(served, watched, f"project=*&{said}", asked)


def see_tiles(served: Served, page: Page, asked: str) -> None:
    (told,) = served.get(f"/api/v1/totals?{asked}")
    shown = [f"{told[name]:,}" for name in ("events", "page_views", "sessions")]
    shown.append(percent(told["bounces"], told["sessions"], 0))
    tiles = ("Events", "Page views", "Sessions", "Bounce rate")
    page.locator('[data-metric="Events"]').wait_for()
    agrees("tiles", lambda: [tile(page, name) for name in tiles], shown)


def see_lists(served: Served, page: Page, asked: str) -> None:
    for kind, field, by in (("pages", "page", "page_views"), ("sources", "session.source", "sessions")):
        rows = served.get(f"/api/v1/breakdown?{asked}&field={field}&by={by}&top=5")
        told = [(row["value"] or "Direct", str(row[by])) for row in rows if row[by] and not row["is_other"]]
        lines = page.locator(f".g-top-{kind} .line")
        agrees(
            kind,
            lambda lines=lines: [
                (line.locator(".name").inner_text(), line.locator(".n").inner_text()) for line in lines.all()
            ],
            told,
        )


def see_places(served: Served, page: Page, asked: str) -> None:
    wait_for_map(page)
    there = [row for row in served.get(f"/api/v1/places?{asked}") if row["country"]]
    for column, name in (("count", "sessions"), ("events", "events")):
        told = Counter({row["city"]: row[name] for row in there})
        agrees(f"dots' {name}", lambda column=column: on_map(page, "places", "place", column), told)
    names = load_borders().names
    for layer, column, name in (("Sessions", "count", "sessions"), ("Events", "events", "events")):
        page.get_by_role("button", name=f"{layer} by country").click()
        told = Counter[str]()
        for row in there:
            told[names[row["country"]]] += row[name]
        agrees(f"{name} by country", lambda column=column: on_map(page, "countries", "name", column), told)


def see_bars(served: Served, page: Page, asked: str) -> None:
    rows = served.get(f"/api/v1/series?{asked}")
    read = as_table(page, ".g-timeline")
    agrees("bars", lambda: [line[0] for line in read()], [str(row["events"]) for row in rows if row["events"]][::-1])


def see_projects(served: Served, watched: Watched, said: str, asked: str) -> None:
    rows = served.get(f"/api/v1/breakdown?{asked}&project=*&field=project&by=page_views&top=40")
    told = {row["value"]: [str(row[name]) for name in ("events", "page_views", "sessions")] for row in rows}
    page = watched.open(f"{served.url}/glimpse_app?{said}")
    page.locator(".g-projects .row").first.wait_for()

    def shown() -> dict[str, list[str]]:
        lines = page.locator(".g-projects .row").all()
        return {line.locator(".project").inner_text(): line.locator("b").all_inner_texts()[1:] for line in lines}

    agrees("projects", shown, told)
    page.context.close()


def numbers_of(texts: list[str], but: int) -> list[int]:
    return but_minute([int(text.replace(",", "")) for text in texts], but)


def but_minute(numbers: list[int], at: int) -> list[int]:
    """Return some numbers without that of the last minute, which goes on while one looks."""
    return [number for n, number in enumerate(numbers) if n != at]


def test_projects_and_operations_show_the_apis_numbers_and_the_books_add_up(served: Served, watched: Watched):
    page = watched.open(f"{served.url}/glimpse_app?view=projects")
    for project in PROJECTS:
        told = live(served, project)
        page.locator(".g-page-projects .row", has=page.get_by_text(project, exact=True)).click()
        events = sum(minute["events"] for minute in told["per_minute"])
        agrees(project, lambda: page.locator(".first span").inner_text().split(" ")[0], str(events))
    page.get_by_role("button", name="Operations").click()
    columns = ["received", "stored", "in_buffer", "duplicate", "dropped", "rejected", "dead_lettered"]
    for project in ("*", *PROJECTS):
        told = served.ledger(project)
        counts = [told[name] if isinstance(told[name], int) else sum(told[name].values()) for name in columns]
        agrees(project, lambda project=project: booked(page, "All" if project == "*" else project), counts)
    rows = page.locator("tbody tr th").all_inner_texts()
    assert booked(page, "All") == [sum(line) for line in zip(*(booked(page, name) for name in rows[1:]), strict=True)]
    page.context.close()


def booked(page: Page, name: str) -> list[int]:
    """Return the first numbers of a line of the ledger."""
    line = page.locator("tbody tr", has=page.get_by_role("rowheader", name=name, exact=True))
    texts = line.locator("td").all_inner_texts()[:7]
    return [int(text.split("\n")[0].replace(",", "")) for text in texts]
