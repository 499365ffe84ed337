from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from serving import APP, Served, an_event
from waiting import wait_until

pytestmark = pytest.mark.server

OTHER = """
import panel as pn
import glimpse  # even this much does not make it ours
pn.pane.Str("another app").servable()
"""


class ServedOther(Served):
    """A server without `/check`: it is there when its page is."""

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/other")[0] == 200
        except OSError:
            return False


def test_another_app_gets_no_route_no_child_and_no_folder(tmp_path: Path):
    other = tmp_path / "other.py"
    other.write_text(OTHER)
    with ServedOther(tmp_path / "data", app=other) as served:
        assert [served.ask("GET", path)[0] for path in ("/check", "/event", "/metrics", "/api/v1/live")] == [404] * 4
        assert served.ask("GET", "/")[0] in (200, 302)
        assert served.process
        children = subprocess.run(["ps", "--ppid", str(served.process.pid)], capture_output=True, check=False)
        assert children.returncode == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["other.py", served.log.name]


def test_importing_panel_brings_none_of_glimpse(tmp_path: Path):
    code = "import panel.auth, sys; print(sorted(m for m in sys.modules if m.partition('.')[0] == 'glimpse'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert said.stdout.strip() == "['glimpse', 'glimpse.panel_hook']"


def test_a_renamed_copy_is_glimpse_all_the_same(tmp_path: Path):
    copy = tmp_path / "board.py"
    shutil.copy(APP, copy)
    with Served(tmp_path / "data", app=copy) as served:
        assert served.post(an_event())[0] == 200
        assert served.ask("GET", "/board")[0] == 200
        status, headers, _ = served.ask("GET", "/", Accept="text/html")
        assert (status, headers["location"].rstrip("/").rpartition("/")[2]) == (302, "board")


def test_a_prefix_stands_before_every_route(tmp_path: Path):
    with Served(tmp_path / "data", prefix="/x") as served:
        assert served.post(an_event())[0] == 200
        assert served.ask("GET", "/glimpse_app")[0] == 200
        status, headers, _ = served.ask("GET", "/", Accept="text/html")
        assert (status, headers["location"]) == (302, "/x/glimpse_app")
        served.prefix = ""
        assert served.ask("POST", "/event", b"{}")[0] == 404
        served.prefix = "/x"


def test_beside_another_app_both_are_served(tmp_path: Path):
    other = tmp_path / "track.py"  # where an old client of PostHog sends to
    other.write_text(OTHER)
    served = Served(tmp_path / "data")
    served.command.insert(served.command.index(str(APP)), str(other))
    with served:
        assert served.post(an_event())[0] == 200
        assert served.ask("GET", "/track")[0] == 200
        assert served.ask("POST", "/track/", b'{"event":"signup","api_key":"shop"}')[0] == 200
        assert served.ask("GET", "/glimpse_app")[0] == 200


def test_a_reload_in_dev_mode_keeps_valkey_and_what_is_under_way(tmp_path: Path):
    copy = tmp_path / "board.py"
    shutil.copy(APP, copy)
    with Served(tmp_path / "data", app=copy, flags=("--dev",)) as served:
        child = (served.data_dir / "valkey.pid").read_text()
        assert served.ask("GET", "/board")[0] == 200
        assert served.post(an_event())[0] == 200
        copy.write_text(copy.read_text() + "\nprint('read again', flush=True)\n")
        wait_until(lambda: served.ask("GET", "/board")[0] == 200 and "read again" in served.said(), what="it reloads")
        assert served.post(an_event())[0] == 200
        assert (served.data_dir / "valkey.pid").read_text() == child
        wait_until(lambda: len(served.stored("shop")) == 2, what="both are stored")
