"""Who visits."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_address

from glimpse.traffic.arrivals import Arrival, pick_arrival
from glimpse.traffic.browsers import CRAWLERS, pick_browser
from glimpse.traffic.visitors import CRAWLER_SHARE, Crowd, awake_share

EVENING_IN_VIENNA = int(datetime(2026, 11, 24, 19, 30, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000


def test_the_same_seed_brings_the_same_visitors():
    first, second = (Crowd(3, lambda: EVENING_IN_VIENNA) for _ in range(2))
    assert [first.next() for _ in range(50)] == [second.next() for _ in range(50)]


def test_another_seed_brings_others():
    first, second = (Crowd(seed, lambda: EVENING_IN_VIENNA) for seed in (3, 4))
    assert [first.next().address for _ in range(20)] != [second.next().address for _ in range(20)]


def test_visitors_come_from_public_addresses_of_known_places():
    crowd = Crowd(3, lambda: EVENING_IN_VIENNA)
    for visitor in (crowd.next() for _ in range(300)):
        assert ip_address(visitor.address).is_global
        assert visitor.place.country
        assert visitor.place.lat is not None
        assert visitor.place.lon is not None


def test_they_come_from_where_it_is_day():
    def longitudes(now_ms: int) -> list[float]:
        crowd = Crowd(3, lambda: now_ms)
        return [crowd.next().place.lon or 0 for _ in range(600)]

    def share_of_asia(now_ms: int) -> float:
        found = longitudes(now_ms)
        return sum(60 < lon < 150 for lon in found) / len(found)

    evening_in_asia = EVENING_IN_VIENNA - 6 * HOUR_MS
    night_in_asia = EVENING_IN_VIENNA + HOUR_MS
    assert share_of_asia(evening_in_asia) > 1.5 * share_of_asia(night_in_asia)


def test_people_sleep_before_dawn_and_shop_in_the_evening():
    by_hour = {hour: awake_share(hour * HOUR_MS, lon_deg=0) for hour in range(24)}
    assert min(by_hour, key=by_hour.__getitem__) in (3, 4, 5, 6)
    assert max(by_hour, key=by_hour.__getitem__) in (20, 21)
    assert all(0 < share <= 1 for share in by_hour.values())
    assert by_hour[12] > by_hour[16] > by_hour[4]
    assert abs(by_hour[0] - awake_share(24 * HOUR_MS - 1, lon_deg=0)) < 0.001  # no jump at midnight


def test_a_few_are_crawlers_and_say_so():
    crowd = Crowd(3, lambda: EVENING_IN_VIENNA)
    visitors = [crowd.next() for _ in range(2000)]
    crawlers = [visitor for visitor in visitors if visitor.is_crawler]
    assert CRAWLER_SHARE / 2 < len(crawlers) / len(visitors) < CRAWLER_SHARE * 2
    assert {visitor.browser.user_agent for visitor in crawlers} <= set(CRAWLERS)


def test_browsers_are_a_mix_of_desktops_phones_and_tablets():
    chance = random.Random(2)
    browsers = [pick_browser(chance) for _ in range(3000)]
    devices = Counter(browser.device for browser in browsers)
    assert 0.4 < devices["desktop"] / 3000 < 0.65
    assert 0.3 < devices["phone"] / 3000 < 0.55
    assert 0.01 < devices["tablet"] / 3000 < 0.1
    assert len({browser.user_agent for browser in browsers}) > 40
    assert not any(set("{}") & set(browser.user_agent) for browser in browsers)


def test_a_phone_is_upright_and_its_page_fits_its_screen():
    chance = random.Random(2)
    for browser in (pick_browser(chance) for _ in range(300)):
        width, height, _ = browser.screen
        page_width, page_height = map(int, browser.viewport.split("x"))
        assert page_width == width
        assert 0 < page_height < height
        if browser.device == "phone":
            assert height > width


def test_a_campaign_stands_in_the_landing_address():
    arrival = Arrival("", (("source", "newsletter"), ("campaign", "first sunday")))
    assert arrival.query == "?utm_source=newsletter&utm_campaign=first+sunday"
    assert Arrival("https://www.google.com/").query == ""


def test_sources_are_many_and_differ_by_country():
    chance = random.Random(4)
    arrivals = Counter(pick_arrival(chance, "AT") for _ in range(3000))
    assert arrivals[Arrival()] > 500
    assert len(arrivals) > 15
    assert any(pick_arrival(chance, "CN").referrer == "https://www.baidu.com/" for _ in range(100))
