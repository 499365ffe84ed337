"""Tokens at hand: what a process decides without asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from glimpse.buffer import Receipt
from glimpse.collect.answers import too_many
from glimpse.collect.limits import Limits, Refusals, Waiting
from glimpse.collect.limits.bucket import MOST_KEPT, Ask, Bucket, Buckets, Grant
from glimpse.collect.limits.refusals import MOST_PROJECTS
from glimpse.collect.metrics import Metrics


class Lent:
    """Gives out what it is told to, and keeps what was asked."""

    def __init__(self, give: Callable[[Ask], int]) -> None:
        self._give = give
        self.asked: list[Ask] = []

    async def lend(self, asks: Sequence[Ask]) -> list[Grant]:
        self.asked += asks
        return [Grant(self._give(ask), 0) for ask in asks]

    async def close(self) -> None:
        pass


def bucket(rate: float) -> Bucket:
    return Bucket("project", "shop", lambda _: rate)


def test_keys_are_tagged_so_that_a_cluster_can_place_them():
    assert bucket(10).key == "glimpse:limit:{project:shop}"
    assert Bucket("network", "2001:db8::/48", lambda _: 1.0).key == "glimpse:limit:{network:2001:db8::/48}"


def test_a_lease_is_a_lot_beyond_what_is_needed():
    busy = bucket(1000)
    busy.need(3)
    busy.need(500)
    assert busy.ask() == Ask("glimpse:limit:{project:shop}", 1000, 1000, least=3, most=603, few=100)
    assert busy.ask()[3:] == (0, 100, 100)  # what those who waited needed is asked for once


def test_what_was_spent_without_asking_is_paid_with_the_next_lease():
    rare = bucket(1000)
    rare.refresh(100.0)
    assert (rare.tokens, rare.unasked) == (10, 10)
    rare.tokens = 0
    rare.need(1)
    ask = rare.ask()
    assert (ask.least, ask.most) == (11, 111)
    rare.put_in(ask, Grant(8, 0), now=101.0)
    assert (rare.tokens, rare.unasked) == (0, 2)
    rare.put_in(ask, Grant(111, 5), now=102.0)
    assert (rare.tokens, rare.unasked, rare.left) == (109, 0, 5)


def test_a_bucket_of_less_than_a_token_a_second_holds_one():
    assert bucket(0.5).ask().capacity == 1


def test_after_a_lease_that_fell_short_the_next_has_to_wait_unless_enough_is_known_to_be_left():
    short = bucket(100)
    short.need(50)
    short.put_in(short.ask(), Grant(10, 20), now=100.0)
    assert short.is_empty(31, 100.01)
    assert not short.is_empty(30, 100.01)
    assert not short.is_empty(31, 100.11)
    short.tokens = 0
    assert [short.may_ask(100.04), short.may_ask(100.06)] == [False, True]


@pytest.mark.parametrize(("count", "seconds"), [(1, 0.1), (10, 1.0), (500, 1.0)])
def test_the_wait_is_until_the_tokens_can_be_there(count: int, seconds: float):
    empty = bucket(10)
    empty.put_in(empty.ask(), Grant(0, 0), now=100.0)
    assert empty.wait_s(count, 100.0) == pytest.approx(seconds)
    assert empty.wait_s(count, 100.05) == pytest.approx(seconds - 0.05)


def test_what_was_let_through_is_paid_later_but_not_more_than_a_second():
    owing = bucket(1000)
    owing.owe(30)
    assert owing.ask().most == 130
    for _ in range(100):
        owing.owe(500)
    assert owing.unasked == 1000


def test_a_limit_that_was_lowered_is_not_met_with_tokens_of_the_old_one():
    rates = [1000.0]
    changed = Bucket("project", "shop", lambda _: rates[0])
    changed.put_in(changed.ask(), Grant(100, 900), now=0)
    rates[0] = 10.0
    changed.refresh(0.1)
    assert (changed.rate, changed.tokens) == (10, 1)


def test_buckets_that_are_not_used_are_forgotten_and_others_kept():
    buckets = Buckets("network", lambda _: 10.0)
    kept = buckets.of("kept")
    for number in range(5 * MOST_KEPT):
        buckets.of(str(number))
        if number % 1000 == 0:
            assert buckets.of("kept") is kept
        assert len(buckets.young) <= MOST_KEPT
    assert len(buckets.young) + len(buckets._old) <= 2 * MOST_KEPT


def test_what_has_no_project_and_no_network_is_not_limited():
    limits = Limits(Lent(lambda _: 0), lambda _: 1.0, 1.0)
    assert [limits.try_take({"": 1}, None) for _ in range(100)] == [None] * 100


async def test_tokens_are_leased_ahead_of_need():
    lent = Lent(lambda ask: ask.most)
    limits = Limits(lent, lambda _: 1000.0, 0)
    assert await limits.take({"shop": 60}, None) is None
    assert limits.try_take({"shop": 60}, None) is None  # of 100 at hand, fewer than half are left: more are on the way
    await limits.leases.idle()
    assert [ask[3:] for ask in lent.asked] == [(60, 160, 100), (0, 60, 60)]


async def test_a_request_that_can_wait_no_longer_comes_in():
    limits = Limits(Lent(lambda _: 0), lambda _: 5.0, 0)
    verdict = limits.try_take({"shop": 1}, None)
    assert isinstance(verdict, Waiting)
    late: list[object] = []
    limits.lease(verdict, late.append)
    await limits.close()
    assert late == [None]


async def test_a_request_that_fails_leaves_the_others_of_its_turn_alone(caplog: pytest.LogCaptureFixture):
    limits = Limits(Lent(lambda ask: ask.most), lambda _: 5.0, 0)
    first, second = (limits.try_take({"shop": 1}, None) for _ in range(2))
    assert isinstance(first, Waiting)
    assert isinstance(second, Waiting)
    late: list[object] = []

    def fail(_: object) -> None:
        raise RuntimeError

    limits.lease(first, fail)
    limits.lease(second, late.append)
    await limits.leases.idle()
    assert late == [None]
    assert "failed after it was let in" in caplog.text


@pytest.mark.parametrize(("after_s", "said"), [(0.0, "1"), (0.3, "1"), (1.0, "1"), (1.01, "2"), (49.1, "50")])
def test_whole_seconds_are_said_and_at_least_one(after_s: float, said: str):
    answer = too_many(after_s, "network", 2000)
    assert (answer.status, answer.headers) == (429, {"Retry-After": said})
    assert f"at most 2000 a second are taken of one network; try again in {said} s".encode() in answer.body


async def test_refusals_come_together_and_made_up_projects_don_t_fill_the_ledger():
    written: list[Receipt] = []

    def write(receipt: Receipt, done: Callable[[str | None], None]) -> None:
        written.append(receipt)
        done(None)

    refusals = Refusals(write, Metrics())
    for number in range(3 * MOST_PROJECTS):
        refusals.add({f"p{number}": 2})
    assert written == []
    refusals.write()
    refusals.write()
    (receipt,) = written
    assert len(receipt.rejected) == MOST_PROJECTS + 1
    assert receipt.rejected["", "rate_limited"] == 4 * MOST_PROJECTS
