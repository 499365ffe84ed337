"""Recipes of the tracker's guide, as they stand there: a path of the site's own, and a script pinned by its hash."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from browsing import chromium
from proxies import HOST, Caddy, Nginx, Proxy, told
from serving import CHECKOUT, Served
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

GUIDE = "sdk/README.md"
TAGS = [told("html", GUIDE, number).strip() for number in range(5)]
[TAG] = [tag for tag in TAGS if "/hello/" in tag]
[PINNED] = [tag for tag in TAGS if "integrity" in tag]
PAGE = f"<!doctype html><title>A site</title><link rel=icon href=data:,>{TAG}"
LONDON = "81.2.69.142"
NGINX = f"""
server {{
    listen 80;
    server_name {HOST};
    location / {{ default_type text/html; return 200 '{PAGE}'; }}
    {told("nginx", GUIDE)}
}}
"""
CADDY = f"""
{HOST} {{
    {told("caddyfile", GUIDE)}
    handle {{
        header Content-Type text/html
        respond `{PAGE}`
    }}
}}
"""


@pytest.mark.parametrize(("kind", "lines", "city"), [(Nginx, NGINX, "London"), (Caddy, CADDY, "Vienna")])
def test_a_site_that_serves_the_tracker_below_a_path_of_its_own_asks_nobody_else(
    public_glimpse: Served, tmp_path: Path, kind: type[Proxy], lines: str, city: str
):
    project = f"first-party-{kind.__name__.lower()}"
    named = lines.replace("my-site", project)
    with kind(tmp_path / "proxy", named, public_glimpse.port) as proxy, chromium(HOST) as watched:
        asked: list[str] = []
        page = watched.open(
            "about:blank", ignore_https_errors=True, extra_http_headers={"X-Visitor": LONDON}
        )  # nginx takes this for the visitor's address; Caddy's other end is this machine, and the time zone tells
        page.on("request", lambda request: asked.append(request.url))
        page.goto(proxy.url)
        live = wait_until(
            lambda: (
                page.wait_for_timeout(20)
                or ((now := json.loads(proxy.ask("GET", f"/hello/api/v1/live?project={project}")[2]))["places"] and now)
            ),
            what="the visitor is seen",
        )
        assert [place["city"] for place in live["places"]] == [city]
        wait_until(lambda: page.wait_for_timeout(20) or f"{proxy.url}/hello/event" in asked, what="the browser tells")
        assert {url.removeprefix(proxy.url)[0] for url in asked if url.startswith("http")} == {"/"}
        assert watched.errors == []


def test_a_script_pinned_by_its_hash_runs_under_the_policy_of_the_guide_and_another_does_not(
    public_glimpse: Served, tmp_path: Path
):
    def here(text: str) -> str:
        return text.replace("https://glimpse.example", public_glimpse.url)

    def page(path: str, integrity: str) -> str:
        tag = here(PINNED).replace("sha384-…", integrity)
        return (
            f"location {path} {{ return 200 '<!doctype html><title>Pinned</title><link rel=icon href=data:,>{tag}'; }}"
        )

    [policy] = [line for line in (CHECKOUT / GUIDE).read_text().splitlines() if line.startswith("Content-Security-")]
    [command] = [told("sh", GUIDE, number) for number in range(2) if "openssl" in told("sh", GUIDE, number)]
    digest = subprocess.run(["bash", "-c", here(command)], capture_output=True, text=True, check=True).stdout.strip()
    name, _, value = here(policy).partition(": ")
    pages = page("/pinned", digest) + page("/other", f"{digest[:-8]}AAAAAAAA")
    lines = f'server {{ listen 80; server_name {HOST}; default_type text/html; add_header {name} "{value}"; {pages} }}'
    with Nginx(tmp_path / "proxy", lines, public_glimpse.port) as proxy, chromium(HOST) as watched:
        pinned = watched.open("about:blank")
        with pinned.expect_response(f"{public_glimpse.url}/event") as answered:
            pinned.goto(f"{proxy.url}/pinned")
        assert answered.value.status == 200
        assert watched.errors == []
        other = watched.open(f"{proxy.url}/other")
        assert other.evaluate("typeof glimpse") == "undefined"
