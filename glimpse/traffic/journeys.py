"""What visitors do in the demo shop, second by second, as the shop and its tracker would tell it.

A journey is planned whole before it is walked, in seconds since the visitor arrived. The shop itself is `sdk/demo/`.
"""

from __future__ import annotations

import random
from typing import Any, Final, NamedTuple

import msgspec

from glimpse.events import HEARTBEAT, PAGE_HIDDEN, PAGE_LEAVE, PAGE_VIEW, PAGE_VISIBLE, SESSION_START
from glimpse.traffic.vitals import TELLING_SHARE, Speed

HEARTBEAT_S: Final = 15.0
MAX_PAGES: Final = 14


class Page(NamedTuple):
    """A page of the shop."""

    path: str
    title: str


class Product(NamedTuple):
    """Something the shop sells."""

    slug: str
    name: str
    price: int
    appeal: float  # how many look at it, against the others

    @property
    def page(self) -> Page:
        """The product's own page."""
        return Page(f"/demo/product/{self.slug}", f"{self.name}, Morrow")


HOME: Final = Page("/demo", "Morrow, goods for slow mornings")
CART: Final = Page("/demo/cart", "Cart, Morrow")
CHECKOUT: Final = Page("/demo/checkout", "Checkout, Morrow")
THANKS: Final = Page("/demo/thanks", "Thank you, Morrow")
PRODUCTS: Final = (
    Product("drift-kettle", "Drift Kettle", 64, 3.0),
    Product("ember-lamp", "Ember Lamp", 89, 2.4),
    Product("pebble-mug", "Pebble Mug", 22, 2.0),
    Product("moss-garden", "Moss Garden", 48, 1.5),
    Product("sundial-clock", "Sundial Clock", 75, 1.0),
    Product("cloud-throw", "Cloud Throw", 58, 1.2),
)
_APPEALS: Final = [product.appeal for product in PRODUCTS]
_SET_PRICE: Final = 175
_SEARCHES: Final = (("kettle", 1), ("lamp", 1), ("mug", 1), ("gift", 0), ("clock", 1), ("wool", 1), ("morning", 0))


class Step(msgspec.Struct, frozen=True):
    """One event of a journey."""

    at_s: float  # since arrival
    name: str
    page: Page
    before: Page | None  # the page before this one, in the shop
    properties: dict[str, Any] = {}


class _Visit:
    """Walks through pages and notes each event at its time, also those that the tracker sends by itself."""

    def __init__(self, landing: Page, speed: Speed | None = None) -> None:
        self.steps: list[Step] = []
        self._speed = speed  # who has none tells of no vitals
        self.page, self._before = landing, None
        self._now_s = self._engaged_s = self._scroll = 0.0
        self._next_beat_s = HEARTBEAT_S
        self.say(SESSION_START)
        self.say(PAGE_VIEW)

    def say(self, name: str, /, **properties: Any) -> None:
        self.steps.append(Step(round(self._now_s, 3), name, self.page, self._before, properties))

    def look(self, seconds: float, scroll: float = 0.0) -> None:
        """Stay on the page, with the tab in front."""
        until = self._now_s + seconds
        while self._next_beat_s <= until:
            self._engaged_s += self._next_beat_s - self._now_s
            self._now_s = self._next_beat_s
            self._next_beat_s += HEARTBEAT_S
            self.say(HEARTBEAT)
        self._engaged_s += until - self._now_s
        self._now_s = until
        self._scroll = min(1.0, self._scroll + scroll)

    def turn_away(self, seconds: float) -> None:
        """Look at another tab for a while; the heart doesn't beat in the background."""
        self._bid(PAGE_HIDDEN)
        self._now_s += seconds
        while self._next_beat_s <= self._now_s:
            self._next_beat_s += HEARTBEAT_S
        self.say(PAGE_VISIBLE)

    def go(self, page: Page) -> None:
        """Follow a link within the shop."""
        if page == self.page:
            return
        self.leave()
        self._before, self.page = self.page, page
        self._engaged_s = self._scroll = 0.0
        self.say(PAGE_VIEW)

    def leave(self) -> None:
        """Leave the page, for another or for good."""
        if self._speed:
            for measured in self._speed.of(self.page.path):
                self.say("web_vital", **measured)
            if failure := self._speed.failure():
                self.say("js_error", **failure)
        self._bid(PAGE_LEAVE)

    def _bid(self, name: str) -> None:
        self.say(name, engagedMs=round(self._engaged_s * 1000), scrollDepth=round(35 + 65 * self._scroll))


def plan_journey(chance: random.Random, *, is_crawler: bool = False) -> list[Step]:
    """Return one visit's events, in order, from the first page to leaving the last."""
    landing = HOME if chance.random() < 0.62 else _pick_product(chance).page
    tells = not is_crawler and chance.random() < TELLING_SHARE
    visit = _Visit(landing, Speed(chance) if tells else None)
    if is_crawler:
        _crawl(visit, chance)
    elif chance.random() < 0.4:
        _glance(visit, chance)
    else:
        _Shopper(visit, chance).shop()
    visit.leave()
    return visit.steps


def _crawl(visit: _Visit, chance: random.Random) -> None:
    for product in PRODUCTS[: chance.randint(1, len(PRODUCTS))]:
        visit.look(chance.uniform(0.5, 2.0))
        visit.go(product.page)


def _glance(visit: _Visit, chance: random.Random) -> None:
    """Look at one page, mostly for less than ten seconds."""
    visit.look(1 + chance.expovariate(1 / 6), scroll=chance.random() / 2)


def _pick_product(chance: random.Random) -> Product:
    return chance.choices(PRODUCTS, _APPEALS)[0]


class _Shopper:
    """One who looks around, and may buy."""

    def __init__(self, visit: _Visit, chance: random.Random) -> None:
        self._visit, self._chance = visit, chance
        self._cart: list[int] = []  # prices
        self._may_buy = chance.random() < 0.3

    def shop(self) -> None:
        for _ in range(MAX_PAGES):
            self._read()
            if self._visit.page.path == HOME.path:
                self._enjoy_home()
            else:
                self._consider(next(p for p in PRODUCTS if p.page == self._visit.page))
            if self._cart and self._is(0.45):
                return self._check_out()
            if self._is(0.24):
                return self._go_elsewhere()
            self._visit.go(HOME if self._is(0.3) else _pick_product(self._chance).page)
        return None

    def _read(self) -> None:
        self._visit.look(4 + self._chance.expovariate(1 / 18), scroll=self._chance.random() / 2)
        if self._is(0.08):
            self._visit.turn_away(self._chance.uniform(5, 90))
            self._visit.look(self._chance.uniform(2, 10))

    def _enjoy_home(self) -> None:
        if self._is(0.2):
            self._visit.say("hero_click")
            self._visit.look(self._chance.uniform(2, 8), scroll=0.4)
        if self._is(0.15):
            query, results = self._chance.choice(_SEARCHES)
            self._visit.look(self._chance.uniform(2, 6))
            self._visit.say("search", query=query, results=results)
        if self._is(0.4):
            self._visit.look(self._chance.uniform(2, 8), scroll=0.6)
            self._visit.say("promo_viewed", promo="morning-set")
            if self._may_buy and self._is(0.15):
                self._add("morning-set", _SET_PRICE)
        if self._is(0.2):
            self._reach_the_end()

    def _reach_the_end(self) -> None:
        self._visit.look(self._chance.uniform(2, 6), scroll=1.0)
        self._visit.say("newsletter_seen")
        if self._is(0.2):
            self._visit.look(self._chance.uniform(4, 12))
            self._visit.say("form_submit", id="newsletter", name="", action="")

    def _consider(self, product: Product) -> None:
        self._visit.look(self._chance.expovariate(1 / 12), scroll=0.3)
        if self._may_buy and self._is(0.35):
            self._add(product.slug, product.price)

    def _add(self, slug: str, price: int) -> None:
        self._visit.look(self._chance.uniform(1, 4))
        self._visit.say("add_to_cart", product=slug, price=str(price))
        self._cart.append(price)

    def _check_out(self) -> None:
        self._visit.look(self._chance.uniform(1, 4))
        self._visit.go(CART)
        self._visit.look(self._chance.uniform(4, 25))
        if self._is(0.3):  # the usual end of a cart
            return
        self._visit.go(CHECKOUT)
        self._visit.look(self._chance.uniform(6, 40))
        if self._is(0.25):
            return
        self._visit.say("purchase", value=sum(self._cart), currency="EUR", items=len(self._cart))
        self._visit.go(THANKS)
        self._visit.look(self._chance.uniform(2, 12))

    def _go_elsewhere(self) -> None:
        if self._is(0.06):
            self._visit.look(self._chance.uniform(1, 5), scroll=1.0)
            self._visit.say("outbound_click", url="https://panel.holoviz.org/")

    def _is(self, odds: float) -> bool:
        return self._chance.random() < odds
