"""Unmodified clients of Segment, RudderStack and PostHog, from npm and PyPI, pointed at one running Glimpse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium
from playwright.sync_api import Page
from serving import Served, now_ms
from vendor_clients import bundle, install_clients, site_with, start_client, told_by
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

SCRIPTS: dict[str, tuple[str, ...]] = {  # project, which is the key that names it, and what runs
    "wk-node": ("node-segment.mjs",),
    "wk-rudder-node": ("node-rudderstack.mjs",),
    "wk-python": ("python-segment.py", "0"),
    "wk-python-gzip": ("python-segment.py", "1"),
    "phc_node": ("node-posthog.mjs",),
    "phc_python": ("python-posthog.py", "0"),
    "phc_python_gzip": ("python-posthog.py", "1"),
    "phc_node_v1": ("node-posthog.mjs",),  # by the newest of PostHog's endpoints, which its clients will come to use
    "phc_python_v1": ("python-posthog.py", "1"),
}
PAGES = {
    "page-segment.mjs": ("wk-page", "wk-page-batched"),
    "page-rudderstack.mjs": ("wk-rudder-page",),
    "page-posthog.mjs": ("phc_page",),
}
# Whoever or whatever tells of a person or device, in what all these clients send.
PERSONAL = ("user-1", "user-2", "anon-1", "anon-2", "acme-1", "example.test", "81.2.69", "distinct", "anonymousId")
SIGNUP = {"plan": "pro", "price": 9.99, "tags": ["a", "b"]}
POSTHOG_SESSION = "01a20f8e-04ed-773c-afd9-fe9a4e898e00"


class Sent:
    """What the clients sent, what they said of it, and what is stored."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.base = now_ms() - 60_000  # so that a client's time can be told from ours
        self.told: dict[str, Any] = {}
        self.errors: list[str] = []

    def names(self, project: str) -> list[str]:
        return [row["name"] for row in self.served.stored(project)]

    def stored(self, project: str, count: int) -> dict[str, dict[str, Any]]:
        """Return a project's events by name, once so many are stored."""
        wait_until(lambda: len(self.served.stored(project)) >= count, timeout_s=30, what=f"{count} events of {project}")
        rows = self.served.stored(project)
        assert len(rows) == count, [row["name"] for row in rows]
        text = json.dumps(rows)
        assert not [word for word in PERSONAL if word in text], text
        return {row["name"]: row for row in rows}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    install_clients()
    folder = tmp_path_factory.mktemp("clients")
    with (
        ThreadPoolExecutor() as together,
        Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as served,
    ):
        sent = Sent(served)
        bundled = [together.submit(bundle, script, folder) for script in PAGES]
        clients = {
            project: start_client(
                script, served.url, project, sent.base, *more, POSTHOG_CAPTURE_MODE="v1" if "_v1" in project else "v0"
            )
            for project, (script, *more) in SCRIPTS.items()
        }
        for one in bundled:
            one.result()
        _visit_pages(sent, folder)
        sent.told |= {project: told_by(client) for project, client in clients.items()}
        yield sent


def _visit_pages(sent: Sent, folder: Path) -> None:
    with chromium() as browser, site_with(folder) as site:
        opened = {}
        for script, keys in PAGES.items():
            page = browser.open(f"{site}/{script}/pricing?utm_source=news&utm_medium=email", bypass_csp=True)
            call = "([host, keys, base]) => begin(host, keys, base)"
            sent.told[keys[0]] = page.evaluate(call, [sent.served.url, keys, sent.base])
            opened[script] = page
        _click_about(opened["page-posthog.mjs"], sent)
        sent.told["phc_page failures"] = opened["page-posthog.mjs"].evaluate("() => failures")
        for page in opened.values():
            page.close(run_before_unload=True)
        wait_until(lambda: "page_leave" in sent.names("phc_page"), timeout_s=30)
        sent.errors = browser.errors


def _click_about(page: Page, sent: Sent) -> None:
    """Do in a page what posthog-js sees by itself: a click, and a page of a site that never loads another."""
    page.click("#buy")
    page.evaluate("() => history.pushState({}, '', '/page-posthog.mjs/checkout')")
    wait_until(lambda: {"click", "page_view", "group"} <= set(sent.names("phc_page")), timeout_s=30)


def test_no_client_reports_an_error(sent: Sent) -> None:
    assert [told["errors"] for told in sent.told.values() if isinstance(told, dict)] == [[]] * len(SCRIPTS)
    assert not [told["stderr"] for told in sent.told.values() if isinstance(told, dict) and told["stderr"]]
    assert sent.told["wk-page"] == []
    assert sent.told["phc_page failures"] == []
    assert sent.errors == []


@pytest.mark.parametrize("project", ["wk-node", "wk-rudder-node", "wk-python", "wk-python-gzip"])
def test_calls_of_segments_server_clients_are_stored_as_sent(sent: Sent, project: str) -> None:
    rows = sent.stored(project, 7 if project == "wk-node" else 6)
    names = ["page_view", "signup", "screen_view", "identify", "group", "alias"]
    assert [rows[name]["time"] for name in names] == [sent.base + 1000 * n for n in range(6)]
    assert len({rows[name]["session_id"] for name in names[:-1]}) == 1  # an alias may name the other person
    page, signup = rows["page_view"], rows["signup"]
    assert (page["url"], page["page"], page["title"]) == ("https://shop.test/pricing", "/pricing", "Pricing")
    assert page["properties"]["layout"] == "wide"
    assert page["properties"]["name"] == "Pricing"
    assert signup["properties"].items() >= {"plan": "pro", "price": 9.99}.items()
    assert rows["screen_view"]["properties"] == {"name": "Cart", "items": 2}
    assert {rows[name]["country"] for name in names} == {"GB"}  # of context.ip, not of the server
    assert page["language"] == "en-GB"


def test_segments_context_becomes_ours(sent: Sent) -> None:
    rows = sent.stored("wk-node", 7)
    signup = rows["signup"]
    assert signup["properties"] == {**SIGNUP, "nested": {"x": 1}}
    assert (signup["browser"], signup["os"], signup["device"]) == ("Chrome", "Linux", "desktop")
    assert (signup["screen"], signup["page"], signup["utm_campaign"]) == ("1440x900", "/pricing", "spring")
    assert rows["page_view"]["source"] == "news"
    assert rows["search"]["session_id"] != signup["session_id"]  # another person
    assert rows["search"]["country"] is None  # a server that names no visitor has none


@pytest.mark.parametrize("project", ["phc_node", "phc_python", "phc_python_gzip", "phc_node_v1", "phc_python_v1"])
def test_events_of_posthogs_server_clients_are_stored_as_sent(sent: Sent, project: str) -> None:
    rows = sent.stored(project, 6)
    page, signup = rows["page_view"], rows["signup"]
    assert [rows[name]["time"] for name in ("page_view", "signup", "search")] == [
        sent.base,
        sent.base + 1000,
        sent.base + 2000,
    ]
    assert (page["url"], page["page"]) == ("https://shop.test/pricing", "/pricing")
    assert page["properties"] == {"layout": "wide"}
    assert signup["properties"] == SIGNUP
    assert page["session_id"] == signup["session_id"] == POSTHOG_SESSION != rows["search"]["session_id"]
    assert (page["country"], rows["search"]["country"]) == ("GB", None)
    assert {"identify", "group", "exception" if "node" in project else "alias"} <= rows.keys()
    assert sent.told[project]["flags"] == {}


@pytest.mark.parametrize("project", ["wk-page", "wk-rudder-page"])
def test_calls_of_a_page_with_segments_client_are_stored_as_sent(sent: Sent, project: str) -> None:
    rows = sent.stored(project, 6 if project == "wk-page" else 5)
    page, signup = rows["page_view"], rows["signup"]
    assert page["page"].endswith("/pricing")
    assert (page["title"], page["host"], page["utm_source"], page["utm_medium"]) == (
        "Pricing",
        "localhost",
        "news",
        "email",
    )
    assert page["properties"] == {"layout": "wide", "name": "Pricing", "category": "shop"}
    assert signup["properties"] == SIGNUP
    assert (signup["browser"], signup["language"]) == ("Headless Chrome", "en-GB")
    assert {"identify", "group", "alias"} <= rows.keys()
    assert len({row["session_id"] for row in rows.values()}) == 1


def test_a_page_may_set_times_and_send_in_batches(sent: Sent) -> None:
    rows = sent.stored("wk-page", 6)
    assert [rows[name]["time"] for name in ("page_view", "signup")] == [sent.base, sent.base + 1000]
    batched = sent.stored("wk-page-batched", 2)
    assert [batched[name]["time"] for name in ("one", "two")] == [sent.base + 1000, sent.base + 2000]
    assert batched["two"]["properties"] == {"n": 2}


def test_a_page_with_posthogs_client_is_followed_to_its_end(sent: Sent) -> None:
    rows = sent.stored("phc_page", 7)
    names = ["page_view", "signup", "identify", "group", "click", "page_leave"]
    assert sorted(rows) == sorted({*names})
    assert {row["session_id"] for row in rows.values()} == set(sent.told["phc_page"])
    signup, click, leave = rows["signup"], rows["click"], rows["page_leave"]
    assert (signup["properties"], signup["time"]) == (SIGNUP, sent.base + 1000)
    assert click["properties"].items() >= {"tag": "button", "text": "Buy now", "id": "buy"}.items()
    assert leave["page"] == "/page-posthog.mjs/checkout"
    assert leave["properties"]["engagedMs"] >= 0
    assert (signup["viewport"], signup["screen"], signup["utm_source"]) == ("1440x900", "1440x900", "news")
    assert signup["time_zone"] == "Europe/Vienna"
