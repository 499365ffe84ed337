"""Glimpse behind the nginx and the Caddy of the README, on a made-up host name, as visitors and viewers meet it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import chromium, names_in_feed, places_on_map, wait_for_map
from proxies import HOST, Caddy, Nginx, Proxy, told
from serving import Served, an_event
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

SHOP = "shop.example.test"
SHOP_SERVER = f"""
server {{
    listen 80;
    server_name {SHOP};
    location / {{
        default_type text/html;
        return 200 '<!doctype html><title>Shop</title><link rel="icon" href="data:,">
            <script defer src="http://{HOST}:PORT/sdk/glimpse.js" data-project="shop"></script>
            <button data-glimpse-event="bought">Buy</button>';
    }}
}}
"""
LONDON, TOKYO, SANTIAGO = "81.2.69.142", "133.11.0.7", "200.89.75.1"
SPOOFED = {
    "X_Forwarded_For": SANTIAGO,
    "Forwarded": f"for={SANTIAGO}",
    "CF_Connecting_IP": SANTIAGO,
    "True_Client_IP": SANTIAGO,
    "X_Real_IP": SANTIAGO,
}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec_WebSocket_Protocol": "bokeh, x",
}


@pytest.fixture(scope="module")
def nginx(public_glimpse: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    lines = told("nginx") + SHOP_SERVER
    with Nginx(tmp_path_factory.mktemp("proxy") / "nginx", lines, public_glimpse.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def caddy(public_glimpse: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caddy]:
    with Caddy(tmp_path_factory.mktemp("proxy") / "caddy", told("caddy"), public_glimpse.port) as proxy:
        yield proxy


def test_page_tracker_and_events_work_through_nginx_and_each_visitor_has_a_place(nginx: Nginx):
    with chromium(HOST, SHOP) as watched:
        dashboard = watched.open(f"{nginx.url}/?project=shop", extra_http_headers={"X-Visitor": LONDON})
        wait_for_map(dashboard)
        for visitor in (LONDON, TOKYO):
            shop = watched.open(f"http://{SHOP}:{nginx.port}/", extra_http_headers={"X-Visitor": visitor})
            shop.get_by_role("button").click()
        wait_until(
            lambda: dashboard.wait_for_timeout(20) or names_in_feed(dashboard).count("bought") == 2,
            what="both visitors' clicks are in the feed",
        )
        assert sorted(places_on_map(dashboard)) == ["Chiyoda", "London"]
        assert (watched.errors, watched.strays) == ([], [])
    live = json.loads(nginx.ask("GET", "/api/v1/live?project=shop")[2])
    assert sorted(place["city"] for place in live["places"]) == ["Chiyoda", "London"]


def test_page_tracker_and_events_work_through_caddy_over_tls(caddy: Caddy):
    with chromium(HOST) as watched:
        dashboard = watched.open(f"{caddy.url}/?project=demo", ignore_https_errors=True)
        wait_for_map(dashboard)
        watched.open(f"{caddy.url}/demo", ignore_https_errors=True)
        wait_until(
            lambda: dashboard.wait_for_timeout(20) or "page_view" in names_in_feed(dashboard), what="the visit is seen"
        )
        assert (watched.errors, watched.strays) == ([], [])


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest) -> Proxy:
    return request.getfixturevalue(request.param)


def test_what_a_visitor_says_of_its_address_is_not_believed(proxy: Proxy):
    shown = json.loads(proxy.ask("GET", "/", X_Visitor=TOKYO, **SPOOFED)[2])
    assert shown["ip"] == (TOKYO if isinstance(proxy, Nginx) else "127.0.0.1")


def test_an_invented_address_gives_an_event_no_place_of_its_own(nginx: Nginx):
    event = an_event("spoofed", context={"url": "https://shop.test/"})
    assert nginx.ask("POST", "/event", json.dumps(event).encode(), X_Visitor=LONDON, **SPOOFED)[0] == 200

    def places() -> list[str]:
        live = json.loads(nginx.ask("GET", "/api/v1/live?project=spoofed")[2])
        return [place["city"] for place in live["places"]]

    assert wait_until(places, what="the event is seen") == ["London"]


def test_the_websocket_takes_the_page_of_its_own_host_and_no_other(proxy: Proxy):
    def status(origin: str, **more: str) -> int:
        return proxy.ask("GET", "/glimpse_app/ws", Origin=origin, **UPGRADE, **more)[0]

    own = proxy.url
    assert [status(own), status(own.replace(HOST, HOST.upper()))] == [101, 101]
    for origin in (
        "http://evil.test",
        f"http://{HOST}",
        f"{own}.evil.test",
        f"{own[:-1]}",
        "null",
        "",
        own[7:],
    ):
        assert status(origin) == 403, origin
    assert status("http://evil.test", X_Forwarded_Host="evil.test") == 403


def test_largest_allowed_body_and_its_refusal_pass_the_proxy(proxy: Proxy):
    events = [an_event("big", properties={"text": "x" * 4000}) for _ in range(120)]
    body = json.dumps(events).encode()
    assert 450_000 < len(body) <= 512 * 1024
    assert proxy.ask("POST", "/event", body)[0] == 200
    status, _, refusal = proxy.ask("POST", "/event", body + b" " * 100_000)
    assert (status, b"524" in refusal) == (413, True)


def test_the_long_form_with_kept_connections_believes_only_the_end_of_the_chain(public_glimpse: Served, tmp_path: Path):
    with Nginx(tmp_path / "nginx", told("nginx", "docs/proxy.md", 0), public_glimpse.port) as proxy:
        assert json.loads(proxy.ask("GET", "/", X_Visitor=TOKYO, **SPOOFED)[2])["ip"] == TOKYO
        assert proxy.ask("GET", "/glimpse_app/ws", Origin=proxy.url, **UPGRADE)[0] == 101
        assert proxy.ask("POST", "/event", json.dumps(an_event()).encode())[0] == 200


def test_a_password_stands_before_what_is_looked_at_and_not_before_what_is_sent(public_glimpse: Served, tmp_path: Path):
    passwords = tmp_path / "passwords"
    passwords.write_text("ann:{PLAIN}secret\n")
    lines = told("nginx", "docs/proxy.md", 2).replace("/etc/nginx/glimpse.htpasswd", str(passwords))
    with Nginx(tmp_path / "nginx", lines, public_glimpse.port) as proxy:
        for path in ("/", "/glimpse_app", "/glimpse_app/ws", "/api/v1/events", "/metrics", "/static/js/bokeh.min.js"):
            assert proxy.ask("GET", path)[0] == 401
        assert proxy.ask("GET", "/api/v1/live", Authorization="Basic YW5uOnNlY3JldA==")[0] == 200
        assert proxy.ask("POST", "/event", json.dumps(an_event()).encode())[0] == 200
        assert [proxy.ask("GET", path)[0] for path in ("/sdk/glimpse.js", "/check")] == [200, 200]


# -- below a path, not public ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def below(hidden_glimpse: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    lines = f"server {{ listen 80; {told('nginx', 'docs/proxy.md', 1)} }}"
    with Nginx(tmp_path_factory.mktemp("proxy") / "nginx", lines, hidden_glimpse.port) as proxy:
        yield proxy


def test_page_and_tracker_work_below_a_path(below: Nginx):
    with chromium() as watched:
        root = f"http://localhost:{below.port}/stats"
        dashboard = watched.open(f"{root}/?project=demo")
        wait_for_map(dashboard)
        shop = watched.open(f"{root}/demo", extra_http_headers={"X-Visitor": TOKYO})
        shop.locator("[data-test=product-drift-kettle]").first.click()
        wait_until(
            lambda: dashboard.wait_for_timeout(20) or places_on_map(dashboard) == ["Chiyoda"], what="the visitor's dot"
        )
        assert (watched.errors, watched.strays) == ([], [])


def test_what_is_not_public_is_shown_to_this_machine_only_and_events_are_taken_from_all(below: Nginx):
    here = {"Host": f"localhost:{below.port}"}
    for path in ("/stats/glimpse_app", "/stats/api/v1/live", "/stats/api/v1/ledger", "/stats/metrics"):
        assert below.ask("GET", path, **here)[0] == 200
        assert below.ask("GET", path, **here, X_Visitor=LONDON)[0] == 403
        assert below.ask("GET", path, **here, X_Visitor=LONDON, X_Forwarded_For="127.0.0.1")[0] == 403
        assert below.ask("GET", path)[0] == 403, "a name that may be anybody's"
    assert below.ask("GET", "/stats/glimpse_app/ws", **here, X_Visitor=LONDON, **UPGRADE)[0] == 403
    for path in ("/stats/check", "/stats/", "/stats/health/ready", "/stats/sdk/glimpse.js"):
        assert below.ask("GET", path, X_Visitor=LONDON)[0] == 200
    assert below.ask("POST", "/stats/event", json.dumps(an_event()).encode(), X_Visitor=LONDON)[0] == 200


def test_a_proxy_that_says_nothing_of_the_client_opens_nothing(hidden_glimpse: Served, tmp_path: Path):
    lines = "server { listen 80; location / { proxy_pass http://127.0.0.1:5006; } }"
    with Nginx(tmp_path / "nginx", lines, hidden_glimpse.port) as mute:
        assert mute.ask("GET", "/stats/check")[0] == 200
        assert mute.ask("GET", "/stats/api/v1/live", X_Visitor=LONDON)[0] == 403
        assert mute.ask("GET", "/stats/glimpse_app", X_Visitor=LONDON)[0] == 403
