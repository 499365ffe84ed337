"""`glimpse live` and `glimpse segment` as a stranger types them, beside a running server and without one."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from serving import CHECKOUT, Served, an_event
from waiting import wait_until

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("live") / "data", GLIMPSE_FLUSH_INTERVAL_S="0.2") as running:
        events = [an_event(), an_event(name="buy"), an_event(name="\x1b[2Jclear"), an_event(project="blog")]
        assert running.post(events)[0] == 200
        wait_until(lambda: running.ledger("*")["stored"] == 4, what="they are stored")
        yield running


def glimpse(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "glimpse.cli", *arguments]
    return subprocess.run(
        command, env=served.environment, cwd=CHECKOUT, timeout=60, capture_output=True, text=True, check=False
    )


def live(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    return glimpse(served, "live", "--url", served.url, *arguments)


def test_the_table_has_every_number_of_the_api_and_lets_no_event_move_the_cursor(served: Served):
    shown = live(served, "--project", "shop")
    assert (shown.returncode, shown.stderr) == (0, "")
    numbers = served.get("/api/v1/live?project=shop")
    for name in ("active", "idle", "gone", "sessions", "events"):
        assert re.search(rf"^  {name} +{numbers[name]}$", shown.stdout, re.MULTILINE), shown.stdout
    assert re.search(r"^  buy +1$", shown.stdout, re.MULTILINE)
    assert "\x1b" not in shown.stdout
    assert live(served).stdout.startswith("all projects, ")


def test_as_json_through_a_filter_and_a_segment_it_is_the_answer_of_the_api(served: Served):
    assert glimpse(served, "segment", "set", "buyers", 'name = "buy"', "--project", "shop").returncode == 0
    for asked, events in (((), 3), (("--where", 'name = "buy"'), 1), (("--segment", "buyers"), 1)):
        shown = json.loads(live(served, "--project", "shop", "--json", *asked).stdout)
        assert (shown["project"], shown["events"]) == ("shop", events)


def test_a_segment_is_saved_listed_used_by_an_export_and_forgotten(served: Served, tmp_path: Path):
    told = glimpse(served, "segment", "set", "clears", 'name contains "clear"', "--project", "shop").stdout
    assert "segment=clears" in told
    assert 'clears  name contains "clear"' in glimpse(served, "segment", "list").stdout
    file = tmp_path / "some.ndjson"
    asked = ("--project", "shop", "--segment", "clears", "--where", "page exists")
    assert glimpse(served, "export", str(file), *asked).returncode == 0
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["name"] == "\x1b[2Jclear"
    missing = glimpse(served, "export", str(file), "--segment", "clears")
    assert (missing.returncode, "there is no segment 'clears' for '*'" in missing.stderr) == (2, True)
    assert glimpse(served, "segment", "rm", "clears", "--project", "shop").returncode == 0
    assert "there is no segment" in glimpse(served, "segment", "rm", "clears", "--project", "shop").stderr
    assert "column 1" in glimpse(served, "segment", "set", "x", "contry = 1").stderr


def test_followed_it_goes_on_with_each_change_until_nobody_reads(served: Served):
    command = [sys.executable, "-m", "glimpse.cli", "live", "--url", served.url, "--json", "--follow"]
    with subprocess.Popen(command, env=served.environment, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        before = json.loads(following.stdout.readline())["events"]
        assert served.post(an_event())[0] == 200
        while json.loads(following.stdout.readline())["events"] == before:
            pass
        following.stdout.close()
        assert served.post(an_event())[0] == 200
        assert following.wait(20) == 0


class Other(http.server.BaseHTTPRequestHandler):
    said: ClassVar[bytes] = b"<html>hello"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_a_mistake_a_server_that_is_not_there_and_one_that_is_another_are_one_line(served: Served):
    other = http.server.HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    elsewhere = f"http://127.0.0.1:{other.server_port}"
    for asked, told in (
        (("--where", "contry = 1"), "there is no field 'contry'"),
        (("--segment", "none"), "there is no segment 'none'"),
        (("--project", "a b"), "project must be"),
        (("--url", "http://127.0.0.1:9"), "no server answers at http://127.0.0.1:9"),
        (("--url", "localhost"), "is no address of a server"),
        (("--url", elsewhere), "is no Glimpse"),
    ):
        shown = live(served, *asked)
        assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
        assert told in shown.stderr
    other.shutdown()
    other.server_close()
