"""Journeys through the shop."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from pathlib import Path

import pytest

from glimpse.traffic.journeys import CART, CHECKOUT, HEARTBEAT_S, HOME, PRODUCTS, THANKS, Step, plan_journey
from glimpse.traffic.simulate import SECONDS_BETWEEN_EVENTS

SHOP = Path(__file__).parents[3] / "sdk" / "demo"


@pytest.fixture(scope="module")
def journeys() -> list[list[Step]]:
    chance = random.Random(7)
    return [plan_journey(chance) for _ in range(2000)]


def test_the_same_chance_plans_the_same_journey():
    assert plan_journey(random.Random(5)) == plan_journey(random.Random(5))
    assert plan_journey(random.Random(5)) != plan_journey(random.Random(6))


def test_every_journey_opens_a_session_with_a_page_and_leaves_its_last_page(journeys: list[list[Step]]):
    for journey in journeys:
        assert [step.name for step in journey[:2]] == ["session_start", "page_view"]
        assert journey[-1].name == "page_leave"
        assert all(earlier.at_s <= later.at_s for earlier, later in pairwise(journey))


def test_every_page_is_left_before_the_next_is_viewed(journeys: list[list[Step]]):
    for journey in journeys:
        turns = [(step.name, step.page) for step in journey if step.name in ("page_view", "page_leave")]
        for view, leave in zip(turns[::2], turns[1::2], strict=True):
            assert (view[0], leave[0]) == ("page_view", "page_leave")
            assert view[1] == leave[1]


def test_nobody_buys_what_was_not_put_in_the_cart(journeys: list[list[Step]]):
    purchases = 0
    for journey in journeys:
        prices = [int(step.properties["price"]) for step in journey if step.name == "add_to_cart"]
        for step in journey:
            if step.name == "purchase":
                purchases += 1
                assert step.page == CHECKOUT
                assert step.properties == {"value": sum(prices), "currency": "EUR", "items": len(prices)}
    assert purchases > 20


def test_hearts_beat_every_fifteen_seconds_and_not_in_the_background(journeys: list[list[Step]]):
    for journey in journeys:
        is_hidden = False
        for step in journey:
            is_hidden = step.name == "page_hidden" or (is_hidden and step.name != "page_visible")
            if step.name == "heartbeat":
                assert not is_hidden
                assert step.at_s % HEARTBEAT_S == 0


def test_engagement_is_never_longer_than_the_stay(journeys: list[list[Step]]):
    for journey in journeys:
        viewed_at = 0.0
        for step in journey:
            if step.name == "page_view":
                viewed_at = step.at_s
            if step.name == "page_leave":
                assert 0 <= step.properties["engagedMs"] <= (step.at_s - viewed_at) * 1000 + 2  # each is rounded
                assert 0 <= step.properties["scrollDepth"] <= 100


def test_some_tell_each_metric_of_each_page_before_they_leave_it_and_a_few_of_errors(journeys: list[list[Step]]):
    telling = [journey for journey in journeys if any(step.name == "web_vital" for step in journey)]
    assert 0.15 < len(telling) / len(journeys) < 0.25
    for journey in telling:
        told: list[str] = []
        for step in journey:
            if step.name == "web_vital":
                told.append(step.properties["metric"])
            if step.name == "page_leave":
                assert sorted(told) == ["CLS", "FCP", "INP", "LCP", "TTFB"]
                told.clear()
    said = [step for journey in telling for step in journey]
    assert {step.properties["rating"] for step in said if step.name == "web_vital"} == {
        "good", "needs-improvement", "poor",
    }  # fmt: skip
    assert 0 < sum(step.name == "js_error" for step in said) < sum(step.name == "page_leave" for step in said) / 10


def test_some_glance_and_some_stay(journeys: list[list[Step]]):
    pages = [sum(step.name == "page_view" for step in journey) for journey in journeys]
    one_page = sum(count == 1 for count in pages) / len(pages)
    assert 0.4 < one_page < 0.7
    assert max(pages) > 8


def test_the_pace_is_what_the_simulation_counts_on(journeys: list[list[Step]]):
    seconds = sum(journey[-1].at_s + 1 for journey in journeys)  # the next comes a second later
    events = sum(len(journey) for journey in journeys)
    assert seconds / events == pytest.approx(SECONDS_BETWEEN_EVENTS, rel=0.1)


def test_the_pages_and_prices_are_those_of_the_demo_shop(journeys: list[list[Step]]):
    shop = "".join((SHOP / name).read_text(encoding="utf-8") for name in ("products.js", "pages.js"))
    sold = re.findall(r"slug: '([a-z-]+)',\s+name: '([^']+)',\s+price: (\d+)", shop)
    assert [(product.slug, product.name, str(product.price)) for product in PRODUCTS] == sold
    for page in (HOME, CART, CHECKOUT, THANKS):
        assert f"'{page.title}'" in shop
    known = {HOME, CART, CHECKOUT, THANKS, *(product.page for product in PRODUCTS)}
    assert {step.page for journey in journeys for step in journey} <= known


def test_a_crawler_reads_page_after_page():
    journey = plan_journey(random.Random(1), is_crawler=True)
    assert {step.name for step in journey} <= {"session_start", "page_view", "page_leave"}
    assert journey[-1].at_s < 15
