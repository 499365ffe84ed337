"""Unmodified clients of Plausible, Umami and Matomo, from npm, pointed at one running Glimpse from another origin."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, chromium
from playwright.sync_api import Page
from serving import Served, now_ms
from vendor_clients import bundle, install_clients, site_with, start_client, told_by
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

UMAMI = "umami@2.10.0"  # on npm it is the whole product; its script is one file of that
NODES = {"umami-node": "node-umami.mjs", "7": "node-matomo.mjs"}
PAGES = {
    "page-plausible.mjs": ("plausible.test",),
    "page-plausible-legacy.mjs": ("legacy.test", "group.test"),
    "page-umami.mjs": ("94db1cb1-74f4-4a40-ad6c-962362670409",),
}
PERSONAL = ("user-1", "0123456789abcdef", "example.test", "81.2.69", "127.0.0")


class Sent:
    """What the clients sent, what they heard, and what is stored."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.base = now_ms() // 1000 * 1000 - 60_000  # so that a client's time can be told from ours
        self.told: dict[str, Any] = {}
        self.errors: list[str] = []

    def names(self, project: str) -> list[str]:
        return sorted(row["name"] for row in self.served.stored(project))

    def wait_for(self, project: str, *names: str) -> None:
        wait_until(
            lambda: set(names) <= set(self.names(project)),
            timeout_s=5,
            what=f"{names} of {project}: {self.names(project)}",
        )

    def stored(self, project: str, *names: str) -> dict[str, dict[str, Any]]:
        """Return a project's events by name, once just these are stored, each once."""
        wait_until(lambda: len(self.names(project)) >= len(names), what=f"{len(names)} events of {project}")
        rows = self.served.stored(project)
        assert sorted(row["name"] for row in rows) == sorted(names)
        text = json.dumps([row for row in rows if row["host"] != "127.0.0.1"])
        assert not [word for word in PERSONAL if word in text], text
        return {row["name"]: row for row in rows}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("clients")
    _install(folder)
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as served:
        sent = Sent(served)
        for project, script in NODES.items():
            sent.told[project] = told_by(start_client(script, served.url, project, sent.base))
        for script in PAGES:
            bundle(script, folder)
        with chromium() as browser, site_with(folder) as site:
            _visit(sent, browser, site)
            sent.errors = browser.errors
        yield sent


def _install(folder: Path) -> None:
    """Install the clients, and lay Umami's script beside the bundles."""
    try:
        install_clients()
        command = ["npm", "pack", UMAMI, "--silent", "--pack-destination", str(folder)]
        subprocess.run(command, check=True, timeout=120, capture_output=True)
    except (subprocess.SubprocessError, OSError) as problem:
        pytest.skip(f"npm can't install the clients here, so the recorded requests stand in: {problem}")
    with tarfile.open(next(folder.glob("umami-*.tgz"))) as package:
        script = package.extractfile("package/src/tracker/index.js")
        assert script
        (folder / "umami.js").write_bytes(script.read())


def _visit(sent: Sent, browser: Watched, site: str) -> None:
    pages: dict[str, Page] = {}
    for script, projects in PAGES.items():
        pages[script] = page = browser.open(f"{site}/{script}/pricing?utm_source=news&utm_medium=email")
        call = "([host, projects]) => begin(host, projects)"
        sent.told[projects[0]] = page.evaluate(call, [sent.served.url, projects])
    plausible, legacy, umami = pages.values()
    for button in ("#tagged", "#file", "#send"):
        plausible.click(button)
    umami.click("#tagged")
    for page in (plausible, legacy, umami):
        page.evaluate("() => history.pushState({}, '', location.pathname + '/two?x=1')")
    sent.wait_for("plausible.test", "Tagged Click", "file_download", "form_submit")
    sent.wait_for("legacy.test", "signup")
    sent.wait_for(PAGES["page-umami.mjs"][0], "tagged-click")
    for project in ("plausible.test", "legacy.test", PAGES["page-umami.mjs"][0]):
        wait_until(lambda project=project: sent.names(project).count("page_view") == 2, what=f"views of {project}")


def test_no_client_reports_an_error(sent: Sent):
    assert sent.errors == []
    assert [sent.told[project]["errors"] for project in NODES] == [[], []]
    assert sent.told["plausible.test"] == [{"status": 202}]


def test_what_plausibles_tracker_sees_is_stored_as_sent(sent: Sent):
    names = ("page_view", "page_view", "signup", "Tagged Click", "file_download", "form_submit")
    wait_until(lambda: len(sent.names("plausible.test")) >= len(names))
    rows = sent.served.stored("plausible.test")
    by_name = {row["name"]: row for row in rows}
    assert [name for name in names if name not in by_name] == []
    assert by_name["signup"]["properties"] == {"plan": "pro", "seats": 3, "revenue": 9.99, "currency": "USD"}
    assert by_name["Tagged Click"]["properties"] == {"plan": "pro", "foo": "bar"}
    assert by_name["file_download"]["properties"]["url"].endswith("/report.pdf")
    assert {row["page"] for row in rows if row["name"] == "page_view"} == {
        "/page-plausible.mjs/pricing",
        "/page-plausible.mjs/pricing/two",
    }
    first = min((row for row in rows if row["name"] == "page_view"), key=lambda row: row["time"])
    assert (first["host"], first["utm_source"], first["utm_medium"]) == ("localhost", "news", "email")
    assert all(sent.base < row["time"] <= now_ms() for row in rows)
    assert len({row["session_id"] for row in rows}) == 1


def test_several_domains_of_the_old_tracker_each_have_all_events(sent: Sent):
    for project in PAGES["page-plausible-legacy.mjs"]:
        rows = [row for row in sent.served.stored(project) if row["name"] == "signup"]
        assert [row["properties"] for row in rows] == [{"plan": "pro", "seats": 3}]
        assert sent.names(project) == ["page_view", "page_view", "signup"]


def test_what_umamis_script_sees_is_stored_as_sent(sent: Sent):
    [website] = PAGES["page-umami.mjs"]
    rows = sent.served.stored(website)
    assert sent.names(website) == ["after", "identify", "page_view", "page_view", "signup", "tagged-click"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["signup"]["properties"] == {"plan": "pro", "price": 9.99, "tags": ["a", "b"]}
    assert by_name["tagged-click"]["properties"] == {"foo": "bar"}
    assert "example.test" not in json.dumps(rows)
    signup = by_name["signup"]
    assert (signup["page"], signup["title"]) == ("/page-umami.mjs/pricing", "Pricing")
    assert (signup["screen"], signup["language"], signup["host"]) == ("1440x900", "en-GB", "localhost")
    assert len({row["session_id"] for row in rows}) == 1


def test_umamis_server_client_tells_of_each_visitor(sent: Sent):
    rows = sent.stored("umami-node", "page_view", "signup", "from the server", "identify", "batched 1", "batched 2")
    page, signup = rows["page_view"], rows["signup"]
    assert (page["url"], page["title"], page["utm_source"]) == ("https://shop.test/pricing", "Pricing", "news")
    assert (page["browser"], page["country"], page["language"]) == ("Firefox", "GB", "en-GB")
    assert [page["time"], signup["time"]] == [sent.base, sent.base + 1000]
    assert signup["properties"] == {"plan": "pro", "price": 9.99}
    assert signup["session_id"] != page["session_id"], "another person"
    assert rows["from the server"]["properties"] == {"n": 1}
    told = sent.told["umami-node"]
    assert all(told["told"][0][name] for name in ("cache", "sessionId", "visitId"))
    assert (told["batch"]["size"], told["batch"]["processed"], told["batch"]["errors"]) == (2, 2, 0)


def test_matomos_server_client_tells_of_each_visitor(sent: Sent):
    rows = sent.stored("7", "page_view", "right button", "search")
    page, button = rows["page_view"], rows["right button"]
    assert [rows[name]["time"] - sent.base for name in ("page_view", "right button", "search")] == [0, 1000, 2000]
    assert (page["page"], page["title"], page["referrer"]) == ("/pricing", "Pricing", "https://www.google.com/")
    assert (page["country"], page["language"], page["screen"]) == ("GB", "en-GB", "1280x720")
    assert page["utm_campaign"] == "spring"
    assert button["properties"] == {"category": "Buy", "value": 2}
    assert rows["search"]["properties"] == {"query": "shoes", "results": 3}
    assert len({row["session_id"] for row in rows.values()}) == 1
    assert sent.told["7"]["told"] == {"status": "success", "tracked": 2, "invalid": 0}
