"""The doctor in front of an nginx with one fault at a time: it names the fault, and the line that mends it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from proxies import HOST, Caddy, Nginx, told
from serving import Served, free_port
from waiting import wait_until

from glimpse.cli import main
from glimpse.doctor.finding import Finding, Verdict
from glimpse.doctor.outside import LOOKS, examine, look_at
from glimpse.doctor.parts import data_folder
from glimpse.doctor.site import Site
from glimpse.settings import Settings

pytestmark = pytest.mark.server

GOOD = told("nginx")
PUBLIC = Settings(is_public=True)
FORWARDED_FOR = "proxy_set_header X-Forwarded-For $remote_addr;"
HOST_LINE = "proxy_set_header Host $http_host;"
UPGRADE_LINES = ("proxy_set_header Upgrade $http_upgrade;", 'proxy_set_header Connection "upgrade";')


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def here(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == HOST else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)


def look(url: str, *parts: str, settings: Settings = PUBLIC) -> dict[str, Finding]:
    site = Site(url, settings)
    found = [finding for part in parts for finding in look_at(part, site)] if parts else examine(site)
    return {finding.part: finding for finding in found}


def wrong(found: dict[str, Finding]) -> list[str]:
    return [part for part, finding in found.items() if finding.verdict is Verdict.WRONG]


def without(*lines: str) -> str:
    config = GOOD
    for line in lines:
        assert line in config
        config = config.replace(line, "")
    return config


def instead(line: str, *others: str) -> str:
    assert line in GOOD
    return GOOD.replace(line, " ".join(others))


@pytest.mark.parametrize("config", [GOOD, told("nginx", "docs/proxy.md", 0)])
def test_nothing_is_wrong_with_what_the_documents_tell(public_glimpse: Served, tmp_path: Path, config: str):
    with Nginx(tmp_path / "nginx", config, public_glimpse.port) as proxy:
        found = look(proxy.url)
    assert list(found) == list(LOOKS)
    assert wrong(found) == []
    assert found["who looks"].verdict is Verdict.NOTE  # anybody may look: a login would do no harm
    assert found["client address"].told == "127.0.0.2, of X-Forwarded-For"
    assert found["websocket"].told == f"opens for pages of {proxy.url}"


def test_nothing_is_wrong_without_a_proxy(public_glimpse: Served):
    found = look(public_glimpse.url, settings=Settings())
    assert wrong(found) == []
    assert list(found) == [part for part in LOOKS if part != "made up"]


@pytest.mark.parametrize(
    ("config", "part", "said", "mend"),
    [
        (without(FORWARDED_FOR), "client address", "does not say for whom it asks", FORWARDED_FOR),
        (without(FORWARDED_FOR), "made up", "passes on X-Forwarded-For as a visitor writes it", FORWARDED_FOR),
        (
            instead(FORWARDED_FOR, "proxy_set_header X-Real-IP $remote_addr;"),
            "made up",
            "passes on X-Forwarded-For",
            FORWARDED_FOR,
        ),
        (instead("$remote_addr", "unknown"), "client address", "is no address: unknown", FORWARDED_FOR),
        (
            instead(FORWARDED_FOR, FORWARDED_FOR, "proxy_set_header CF-Connecting-IP 198.51.100.9;"),
            "client address",
            "which is Cloudflare's",
            "GLIMPSE_CLIENT_ADDRESS_HEADER=CF-Connecting-IP",
        ),
        (without(HOST_LINE), "host name", "arrives as 127.0.0.1:", HOST_LINE),
        (without(HOST_LINE), "websocket", "is refused", HOST_LINE),
        (without(*UPGRADE_LINES), "websocket", "does not pass the upgrade on", UPGRADE_LINES[1]),
        (
            instead(HOST_LINE, HOST_LINE, "client_max_body_size 100k;"),
            "large body",
            "don't pass the proxy",
            "client_max_body_size 1m;",
        ),
        (instead("127.0.0.1:5006", f"127.0.0.1:{free_port()}"), "site", "answers 502", "proxy_pass"),
        (
            instead(HOST_LINE, "return 301 https://$host$request_uri;"),
            "site",
            "sends everybody to https",
            f"glimpse doctor --url https://{HOST}",
        ),
        (instead(HOST_LINE, "return 200 hello;"), "site", "is no Glimpse", "glimpse doctor --url"),
    ],
)
def test_each_fault_of_nginx_is_named_with_its_line(
    public_glimpse: Served, tmp_path: Path, config: str, part: str, said: str, mend: str
):
    with Nginx(tmp_path / "nginx", config, public_glimpse.port) as proxy:
        found = look(proxy.url, *([] if part == "site" else [part]))
    assert list(found) == [part]
    assert found[part].verdict is Verdict.WRONG
    assert said in found[part].told
    assert mend in found[part].mend


def test_a_proxy_that_unpacks_what_is_sent_is_noted(public_glimpse: Served, tmp_path: Path):
    config = instead(HOST_LINE, HOST_LINE, 'proxy_set_header Accept-Encoding "";')
    with Nginx(tmp_path / "nginx", config, public_glimpse.port) as proxy:
        assert look(proxy.url, "script")["script"].verdict is Verdict.NOTE


def test_a_header_that_the_proxy_does_not_write_but_is_set_is_named(public_glimpse: Served, tmp_path: Path):
    with Nginx(tmp_path / "nginx", GOOD, public_glimpse.port) as proxy:
        found = look(proxy.url, "client address", settings=Settings(client_address_header="cf-connecting-ip"))
    assert found["client address"].mend == "unset GLIMPSE_CLIENT_ADDRESS_HEADER"


def test_a_path_that_the_proxy_cuts_off_is_named(public_glimpse: Served, hidden_glimpse: Served, tmp_path: Path):
    cut = GOOD.replace("location / {", "location /stats/ {").replace("127.0.0.1:5006;", "127.0.0.1:5006/;")
    with Nginx(tmp_path / "at-root", cut, public_glimpse.port) as proxy:
        found = look(f"{proxy.url}/stats", "page")["page"]
        assert "outside of /stats" in found.told
        assert "--prefix /stats" in found.mend
    with Nginx(tmp_path / "below", cut, hidden_glimpse.port) as proxy:
        found = look(f"{proxy.url}/stats", "site")["site"]
        assert "nothing of Glimpse is at /stats" in found.told
    with Nginx(tmp_path / "forgotten", GOOD, hidden_glimpse.port) as proxy:
        assert "name the path that --prefix gives" in look(proxy.url, "site")["site"].mend


def test_a_login_before_the_numbers_is_seen(public_glimpse: Served, tmp_path: Path):
    passwords = tmp_path / "passwords"
    passwords.write_text("ann:{PLAIN}secret\n")
    lines = told("nginx", "docs/proxy.md", 2).replace("/etc/nginx/glimpse.htpasswd", str(passwords))
    with Nginx(tmp_path / "nginx", lines, public_glimpse.port) as proxy:
        found = look(proxy.url, "who looks")
    assert found["who looks"].told == "a login stands before the numbers"


def test_what_the_settings_lack_is_named(hidden_glimpse: Served, tmp_path: Path):
    elsewhere = instead(HOST_LINE, HOST_LINE, "proxy_bind 127.0.0.9;")
    unlike = Settings(trusted_proxies=("127.0.0.1/32",))
    with Nginx(tmp_path / "nginx", elsewhere, hidden_glimpse.port) as proxy:
        outside = look(f"{proxy.url}/stats", settings=unlike)
    assert (outside["who looks"].verdict, outside["who looks"].mend) == (Verdict.NOTE, "GLIMPSE_PUBLIC=1")
    assert "websocket" not in outside
    assert "what the proxy at 127.0.0.9 says is not believed" in outside["client address"].told
    assert outside["client address"].mend == "GLIMPSE_TRUSTED_PROXIES=127.0.0.1/32,127.0.0.9"


def test_a_proxy_that_passes_for_somebody_on_the_server_is_named(hidden_glimpse: Served, tmp_path: Path):
    mute = "server { listen 80; location / { proxy_pass http://127.0.0.1:5006; proxy_http_version 1.1; } }"
    with Nginx(tmp_path / "nginx", mute, hidden_glimpse.port) as proxy:
        found = look(f"{proxy.url}/stats", "who looks", settings=Settings())["who looks"]
    assert found.verdict is Verdict.WRONG
    assert "without GLIMPSE_PUBLIC" in found.told
    assert HOST_LINE in found.mend


def test_the_command_prints_what_mends_and_exits_1(
    hidden_glimpse: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    elsewhere = instead(HOST_LINE, HOST_LINE, "proxy_bind 127.0.0.9;")
    monkeypatch.setenv("GLIMPSE_DATA_DIR", str(tmp_path / "none"))
    with Nginx(tmp_path / "nginx", elsewhere, hidden_glimpse.port) as proxy:
        assert main(["doctor", "--url", f"{proxy.url}/stats"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("WRONG  client address"))
    assert lines[at + 1].split() == ["mend", "it:", "GLIMPSE_TRUSTED_PROXIES=127.0.0.0/8,::1/128,127.0.0.9"]


def test_a_collector_behind_the_same_lines_lacks_nothing(tmp_path: Path):
    collecting = Served(tmp_path / "data")
    collecting.command = [sys.executable, "-m", "glimpse.cli", "collect", "--port", str(collecting.port)]
    with collecting, Nginx(tmp_path / "nginx", told("nginx", "docs/proxy.md", 0), collecting.port) as proxy:
        found = look(proxy.url)
    assert wrong(found) == []
    assert list(found) == [part for part in LOOKS if part not in ("page", "websocket")]
    assert "a collector answers here" in found["who looks"].told


def test_a_certificate_that_nobody_vouches_for_is_named(public_glimpse: Served, tmp_path: Path):
    with Caddy(tmp_path / "caddy", told("caddy"), public_glimpse.port) as proxy:
        found = look(proxy.url)
    assert list(found) == ["site"]
    assert "CERTIFICATE_VERIFY_FAILED" in found["site"].told


def test_nothing_is_wrong_behind_caddy(public_glimpse: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Caddy(tmp_path / "caddy", told("caddy"), public_glimpse.port) as proxy:
        root = wait_until(lambda: next(iter((tmp_path / "caddy").rglob("root.crt")), None), what="Caddy's certificate")
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        found = look(proxy.url)
    assert list(found) == list(LOOKS)
    assert wrong(found) == []
    assert found["client address"].told == "127.0.0.2, of X-Forwarded-For"


def test_a_site_that_is_not_there_is_one_finding(tmp_path: Path):
    found = look(f"http://127.0.0.1:{free_port()}")
    assert list(found) == ["site"]
    assert "can't be reached" in found["site"].told


async def test_a_data_folder_that_cannot_be_made_is_wrong_before_any_server_tries():
    word = await data_folder(Settings(data_dir=Path("/proc/glimpse")))
    assert (word.verdict, word.told.partition(":")[0]) == (Verdict.WRONG, "/proc can't be written")
