from __future__ import annotations

from collections import Counter

from glimpse.server.operations import MOST_BOOKS, books_of
from glimpse.store.accounts import Account, accounts_of

BOOKS = Counter(
    {
        ("shop", "accepted", ""): 9,
        ("shop", "waiting", ""): 2,
        ("shop", "dropped", "bot"): 3,
        ("blog", "accepted", ""): 1,
        ("blog", "dropped", "bot"): 1,
        ("", "rejected", "not_json"): 4,
    }
)
SETTLED = {("shop", "stored"): 6, ("shop", "duplicate"): 1, ("blog", "stored"): 1, ("blog", "imported"): 50}


def test_each_account_balances_and_that_of_all_is_their_sum():
    accounts = accounts_of(BOOKS, SETTLED)
    whole = accounts.pop("*")
    assert (whole["received"], whole["accepted"], whole["stored"], whole["in_buffer"]) == (18, 10, 7, 2)
    assert (whole["dropped"], whole["rejected"]) == ({"bot": 4}, {"not_json": 4})
    for name in ("received", "accepted", "stored", "in_buffer", "duplicate", "imported", "difference"):
        assert sum(account[name] for account in accounts.values()) == whole[name]
    assert {account["difference"] for account in accounts.values()} == {0}


def test_what_is_nowhere_is_missing_in_the_project_and_in_all():
    accounts = accounts_of(BOOKS + Counter({("blog", "accepted", ""): 2}), SETTLED)
    assert {name: account["difference"] for name, account in accounts.items()} == {"*": 2, "shop": 0, "blog": 2, "": 0}


def test_where_nothing_came_the_account_of_all_is_there_and_empty():
    assert accounts_of({}, {}) == {"*": Account().told()}


def test_the_page_lists_the_latest_projects_and_the_rest_as_one_so_that_the_lines_add_up():
    names = [f"site-{n}" for n in range(MOST_BOOKS + 3)]
    books = Counter({(name, "accepted", ""): 1 for name in names} | {("site-0", "dropped", "bot"): 1})
    lines = books_of(accounts_of(books, {}), ["site-9", "unheard-of"])
    assert [line["project"] for line in lines[:3]] == ["*", "site-9", "site-0"]
    assert lines[-1]["project"] is None
    assert sum(line["received"] for line in lines[1:]) == lines[0]["received"] == MOST_BOOKS + 4
    assert len(lines) == MOST_BOOKS + 2
