from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium, names_in_feed, wait_for_map
from serving import APP, Served, an_event
from waiting import wait_until

SCRIPT, TOKEN = re.compile(r'<script[^>]* src="([^"]+)"'), re.compile(r'"token":\s*"([^"]+)"')
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


def first_chunk(served: Served, path: str) -> tuple[bytes, bytes]:
    """Return what of a page the server sends first, and the rest."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line, line.makefile("rb") as answer:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        while answer.readline().strip():
            pass
        first = answer.read(int(answer.readline(), 16))
        answer.readline()
        return first, answer.read()


def test_a_page_begins_with_its_scripts_before_it_is_made_for_its_viewer(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        whole = served.ask("GET", "/glimpse_app")[2].decode()
        first, rest = (part.decode() for part in first_chunk(served, "/glimpse_app?project=shop"))
        scripts = SCRIPT.findall(whole)
        assert scripts
        assert SCRIPT.findall(first) == scripts
        assert (TOKEN.search(first), SCRIPT.search(rest)) == (None, None)
        assert TOKEN.search(rest)
        assert whole.startswith(first)


def test_a_page_loads_no_script_of_parts_that_it_has_not(tmp_path: Path):
    with Served(tmp_path / "data") as served:
        page = served.ask("GET", "/glimpse_app")[2].decode()
        loaded = {Path(script.split("?")[0]).name for script in SCRIPT.findall(page)}
        assert {"bokeh.min.js", "panel.min.js", "geoviews.min.js"} <= loaded
        assert not {"bokeh-gl.min.js", "tabulator.min.js", "luxon.min.js", "es-module-shims.min.js"} & loaded


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
        assert "/shapely/" not in loaded.read_text()
        assert served.ask("GET", "/glimpse_app")[0] == 200
        assert "/shapely/" in loaded.read_text()
