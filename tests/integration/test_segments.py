from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from a_month import SINCE, UNTIL, month

from glimpse.errors import QueryError
from glimpse.filters import field, parse
from glimpse.store import DuckStore, LocalQueries, Lot, Queries, QuerySocket, RemoteQueries


class NoBooks:
    async def books(self, after: Mapping[int, str]) -> dict[tuple[str, str, str], int]:
        return {}


@pytest.fixture(params=["in the owner", "in another process's place"])
async def queries(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Queries]:
    store = DuckStore.open(tmp_path)
    store.commit(Lot(*month()))
    local = LocalQueries(store, NoBooks())
    socket = QuerySocket(local, tmp_path / "q.sock")
    await socket.start()
    yield local if request.param == "in the owner" else RemoteQueries(tmp_path / "q.sock")
    await socket.stop()
    local.close()
    store.close()


async def test_a_segment_is_a_filter_by_name_in_every_question(queries: Queries):
    buyers = (field("name") == "buy") & (field("country") == "DE")
    await queries.save_segment("shop", "buyers", buyers)
    assert await queries.segment("shop", "buyers") == buyers
    for question, arguments in {"totals": {}, "breakdown": {"field": "page"}, "sessions": {"limit": 5}}.items():
        named = await queries.ask(question, project="shop", segment="buyers", **arguments)
        assert named == await queries.ask(question, project="shop", where=buyers, **arguments) != []
    phones = await queries.ask("totals", project="shop", segment="buyers", where='device = "phone"')
    assert phones == await queries.ask("totals", project="shop", where=buyers & parse('device = "phone"'))


async def test_a_segment_is_a_filter_among_a_questions_arguments_too(queries: Queries):
    await queries.save_segment("shop", "buyers", 'name = "buy"')
    named, phone = {"segment": "buyers"}, parse('device = "phone"')
    within = {"and": [named, {"field": "device", "op": "is", "value": "phone"}]}
    for question, by_name, plainly in (
        ("funnel", {"steps": ['name = "page_view"', named]}, {"steps": ['name = "page_view"', 'name = "buy"']}),
        ("goals", {"goals": [named, within]}, {"goals": ['name = "buy"', parse('name = "buy"') & phone]}),
        ("conversion", {"goal": named, "field": "country"}, {"goal": 'name = "buy"', "field": "country"}),
        ("outcomes", {"goal": named}, {"goal": 'name = "buy"'}),
    ):
        span = {"project": "shop", "since": SINCE, "until": UNTIL}
        found = await queries.ask(question, **span, **by_name)
        assert found == await queries.ask(question, **span, **plainly) != []
    with pytest.raises(QueryError, match="there is no segment 'byers' for 'shop'; there are buyers"):
        await queries.ask("goals", project="shop", goals=[{"segment": "byers"}])


async def test_segments_of_all_projects_are_in_each_and_its_own_come_first(queries: Queries):
    await queries.save_segment("*", "phones", 'device = "phone"')
    await queries.save_segment("*", "east", 'country = "PL"')
    await queries.save_segment("shop", "east", 'country = "AT"')
    assert sorted(await queries.segments("shop")) == ["east", "phones"]
    assert await queries.segment("shop", "east") == parse('country = "AT"')
    assert await queries.segment("blog", "east") == parse('country = "PL"')
    await queries.save_segment("shop", "east", None)
    assert await queries.segment("shop", "east") == parse('country = "PL"')


async def test_a_segment_that_is_not_there_or_has_no_name_is_a_mistake(queries: Queries):
    await queries.save_segment("shop", "buyers", 'name = "buy"')
    with pytest.raises(QueryError, match="there is no segment 'byers' for 'shop'; there are buyers"):
        await queries.ask("totals", project="shop", segment="byers")
    for name in ("", " a", "a\nb", "x" * 65):
        with pytest.raises(QueryError, match="a segment's name has 1 to 64"):
            await queries.save_segment("shop", name, 'name = "buy"')
