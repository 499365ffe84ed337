from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium, names_in_feed, wait_for_map
from serving import APP, Served, an_event
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]


def several(tmp_path: Path) -> dict[str, Any]:
    return {"flags": ("--num-procs", "2")}


def prefixed(tmp_path: Path) -> dict[str, Any]:
    return {"prefix": "/x"}


def renamed(tmp_path: Path) -> dict[str, Any]:
    return {"app": Path(shutil.copy(APP, tmp_path / "board.py"))}


@pytest.mark.parametrize("way", [several, prefixed, renamed])
def test_pages_follow_what_comes_in_without_an_error_and_without_the_internet(tmp_path: Path, way: Any):
    # A page and its WebSocket may reach different processes: four pages make it likely that some do.
    count = 4 if way is several else 1
    with Served(tmp_path / "data", **way(tmp_path)) as served, chromium() as watched:
        pages = [watched.open(f"{served.url}/") for _ in range(count)]
        for page in pages:
            wait_for_map(page)
        assert served.post(an_event(name="signup"))[0] == 200
        for page in pages:
            wait_until(
                lambda page=page: page.wait_for_timeout(20) or "signup" in names_in_feed(page),
                timeout_s=15,
                what=f"{page.url} shows the event",
            )
        assert (watched.errors, watched.strays) == ([], [])


def test_who_may_not_look_gets_a_plain_403_also_for_the_websocket(tmp_path: Path):
    abroad = {"X_Forwarded_For": "203.0.113.7"}
    with Served(tmp_path / "data") as served:
        for path in ("/glimpse_app", "/glimpse_app/ws", "/glimpse_app/autoload.js"):
            status, _, body = served.ask("GET", path, **abroad)
            assert (status, b"only clients on this machine" in body) == (403, True)
        assert served.ask("GET", "/glimpse_app")[0] == 200
        assert served.post(an_event(), **abroad)[0] == 200
        assert served.ask("GET", "/glimpse_app/ws", Upgrade="websocket", Origin="http://[")[0] == 403
        handshake = {"Connection": "Upgrade", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "eA=="}
        from_another_site = {"Upgrade": "websocket", "Origin": "https://other.test", **handshake}
        assert served.ask("GET", "/glimpse_app/ws", **from_another_site)[0] == 403
        assert "Traceback" not in served.said()


def test_a_public_server_shows_the_dashboard_to_anybody(tmp_path: Path):
    with Served(tmp_path / "data", GLIMPSE_PUBLIC="1") as served:
        assert served.ask("GET", "/glimpse_app", X_Forwarded_For="203.0.113.7")[0] == 200


def test_the_views_are_imported_for_the_first_viewer_and_not_before(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        assert served.process
        loaded = Path(f"/proc/{served.process.pid}/maps")
        assert served.post(an_event())[0] == 200
        assert "/pandas/" not in loaded.read_text()
        assert served.ask("GET", "/glimpse_app")[0] == 200
        assert "/pandas/" in loaded.read_text()
