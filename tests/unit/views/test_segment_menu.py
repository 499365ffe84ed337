from __future__ import annotations

import json
from typing import Any

import pytest
from waiting import wait_until_async

from glimpse.errors import QueryError
from glimpse.filters import Filter, parse, to_json
from glimpse.views.filter_row import FilterRow
from glimpse.views.segment_menu import Kept, Saved, SegmentMenu

GERMANS, PHONES = 'country = "DE"', 'device = "phone"'


class Store:
    """Keeps segments as the store does, and can be told to fail."""

    def __init__(self, **projects: dict[str, str]) -> None:
        self.kept: dict[str, Kept] = {
            "*" if project == "every" else project: {name: to_json(parse(text)) for name, text in named.items()}
            for project, named in projects.items()
        }
        self.problem: QueryError | None = None
        self.changes = 0

    async def read(self, project: str) -> Kept:
        if self.problem:
            raise self.problem
        return {**self.kept.get("*", {}), **self.kept.get(project, {})}

    async def write(self, project: str, name: str, where: Filter | None) -> None:
        own = self.kept.setdefault(project, {})
        if where is None:
            own.pop(name, None)
        else:
            own[name] = to_json(where)
        self.changes += 1

    def saved(self, *, may_change: bool = True) -> Saved:
        return Saved(self.read, self.write, may_change, lambda: self.changes)


def ask(menu: SegmentMenu, **what: object) -> None:
    menu.asked = json.dumps(what)


def menu_of(row: FilterRow) -> SegmentMenu:
    assert row.menu
    return row.menu


def names(menu: SegmentMenu) -> list[str]:
    return [one["name"] for one in json.loads(menu.state)["segments"]]


async def opened(store: Store, project: str = "shop", *, where: str = "", segment: str = "", **may: bool) -> FilterRow:
    row = FilterRow(where=where, segment=segment, saved=store.saved(**may), project=project)
    row.look()
    await wait_until_async(lambda: menu_of(row)._read_for == project, what="what is saved")
    return row


async def test_a_segment_and_the_chips_are_one_filter():
    row = FilterRow(where=PHONES, segment="Germans", saved=Store(shop={"Germans": GERMANS}).saved(), project="shop")
    told: list[Any] = []
    row.on_change(lambda: told.append(row.filter))
    assert row.is_waiting  # nothing is to be shown before it is known what it stands for
    row.look()
    await wait_until_async(lambda: not row.is_waiting, what="the segment")
    assert row.filter == parse(f"{GERMANS} and {PHONES}")
    assert told == [row.filter]
    ask(menu_of(row), do="drop")
    assert row.filter == parse(PHONES)
    ask(menu_of(row), do="apply", name="Germans")
    assert menu_of(row).segment == "Germans"
    assert row.filter == parse(f"{GERMANS} and {PHONES}")


async def test_a_name_that_nobody_saved_is_told_and_filters_nothing():
    row = FilterRow(where="", segment="<b>none", saved=Store().saved(), project="shop")
    told: list[Any] = []
    row.on_change(lambda: told.append(row.filter))
    row.look()
    await wait_until_async(lambda: not row.is_waiting, what="the answer")
    assert "no segment “<b>none”" in menu_of(row).problem
    assert (row.filter, row.is_empty, told) == (None, False, [None])
    ask(menu_of(row), do="drop")
    assert (menu_of(row).problem, row.is_empty) == ("", True)


async def test_a_store_that_does_not_answer_is_told():
    store = Store(shop={"Germans": GERMANS})
    store.problem = QueryError("the store is away")
    row = await opened(store, segment="Germans")
    await wait_until_async(lambda: menu_of(row).problem == "the store is away", what="why")
    assert row.filter is None


async def test_what_is_looked_at_is_saved_under_a_name_which_takes_the_place_of_the_chips():
    store = Store(shop={"Germans": GERMANS})
    row = await opened(store, where=PHONES, segment="Germans")
    ask(menu_of(row), do="save", name=" Germans on phones ")
    await wait_until_async(lambda: menu_of(row).segment == "Germans on phones", what="that it is saved")
    assert store.kept["shop"]["Germans on phones"] == to_json(parse(f"{GERMANS} and {PHONES}"))
    await wait_until_async(lambda: row.bar.where == "", what="that the chips are gone")
    assert row.filter == parse(f"{GERMANS} and {PHONES}")
    ask(menu_of(row), do="open")  # to be changed
    assert (menu_of(row).segment, row.bar.where) == ("", f"{GERMANS} and {PHONES}")


async def test_segments_are_renamed_and_removed():
    store = Store(shop={"Germans": GERMANS, "Phones": PHONES}, every={"Everybody's": PHONES})
    row = await opened(store, segment="Germans")
    ask(menu_of(row), do="rename", name="Germans", to="DE")
    await wait_until_async(lambda: menu_of(row).segment == "DE", what="the new name")
    assert list(store.kept["shop"]) == ["Phones", "DE"]
    assert row.filter == parse(GERMANS)
    ask(menu_of(row), do="rename", name="DE", to="Phones")
    await wait_until_async(lambda: "already" in menu_of(row).problem, what="that the name is taken")
    ask(menu_of(row), do="remove", name="DE")
    await wait_until_async(lambda: names(menu_of(row)) == ["Everybody's", "Phones"], what="that it is gone")
    assert (menu_of(row).segment, row.filter) == ("", None)
    ask(menu_of(row), do="remove", name="Everybody's")
    await wait_until_async(lambda: "no segment of this project" in menu_of(row).problem, what="whose it is")


@pytest.mark.parametrize(("project", "says"), [("*", "choose one"), ("shop", "own machine")])
async def test_who_may_not_save_is_told_so(project: str, says: str):
    store = Store()
    row = await opened(store, project, where=PHONES, may_change=project == "*")
    ask(menu_of(row), do="save", name="x")
    await wait_until_async(lambda: says in menu_of(row).problem, what="why")
    assert store.kept == {}


async def test_another_project_has_segments_of_its_own():
    row = await opened(Store(shop={"Germans": GERMANS}, blog={"Phones": PHONES}), segment="Germans")
    row.show_project("blog")
    assert row.is_waiting
    row.look()
    await wait_until_async(lambda: names(menu_of(row)) == ["Phones"], what="the other project's")
    assert "no segment “Germans”" in menu_of(row).problem
    assert row.filter is None


async def test_a_segment_that_somebody_else_changes_is_taken_up_with_the_next_look():
    store = Store(shop={"Germans": GERMANS})
    row = await opened(store, segment="Germans")
    row.look()
    assert not menu_of(row)._tasks  # nothing is asked while nothing changes
    await store.write("shop", "Germans", parse(PHONES))
    row.look()
    await wait_until_async(lambda: row.filter == parse(PHONES), what="what it stands for now")
    await store.write("shop", "Germans", None)
    row.look()
    await wait_until_async(lambda: "no segment “Germans”" in menu_of(row).problem, what="that it is gone")


async def test_nonsense_from_a_browser_changes_nothing():
    row = await opened(Store(shop={"Germans": GERMANS}))
    for nonsense in ("", "{", "[]", '{"do": 3}', '{"do": "fly"}', '{"do": "apply", "name": "no"}', '{"do": "open"}'):
        menu_of(row).asked = nonsense
    assert (menu_of(row).segment, menu_of(row).problem, names(menu_of(row))) == ("", "", ["Germans"])
