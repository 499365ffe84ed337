"""What the drain remembers of the events that have come."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from records import admitted, event_of

from glimpse.events import AdmittedEvent
from glimpse.pipeline.duplicates import A_BATCH, Duplicates, Pair


async def _nothing(pairs: Sequence[Pair], since_ms: int) -> Collection[Pair]:
    del pairs, since_ms
    return ()


def _claims(count: int, first: int = 0, project: str = "shop") -> list[AdmittedEvent]:
    return [admitted(at=1_000 + n, id=f"{n:036d}", project=project) for n in range(first, first + count)]


async def test_as_many_as_asked_for_are_remembered_whether_they_come_one_by_one_or_together():
    claims = _claims(9_000)
    duplicates = Duplicates(_nothing, most=3_000)
    for claim in claims[:2_000]:
        duplicates.add([event_of(claim)])
    for first in range(2_000, 9_000, 700):
        duplicates.add([event_of(claim) for claim in claims[first : first + 700]])
    fresh, _ = await duplicates.without(claims[-3_000:], 9_000)
    assert fresh == []
    assert 3_000 <= len(duplicates._seen) < 3_000 + A_BATCH + 700
    assert len(duplicates._batches) < 9
    forgotten, _ = await duplicates.without(claims, 9_000)
    assert max(claim.received_at for claim in forgotten) == duplicates._seen_since


async def test_of_one_id_each_project_has_its_own_event_and_one_that_is_forgotten_may_come_again():
    (mine,), (theirs,) = _claims(1), _claims(1, project="blog")
    duplicates = Duplicates(_nothing)
    duplicates.add([event_of(mine)])
    assert await duplicates.without([mine, theirs, theirs], 9_000) == ([theirs], {"shop": 1, "blog": 1})
    duplicates.forget((mine.project, mine.id))
    assert await duplicates.without([mine], 9_000) == ([mine], {})
    duplicates.add([event_of(mine)])
    assert await duplicates.without([mine], 9_000) == ([], {"shop": 1})
