"""The notebook: start to end in a kernel, and once in JupyterLab in Chromium, where an event becomes a dot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import nbformat
import pytest
from browsing import FIND_SOURCE, chromium
from nbclient import NotebookClient
from serving import CHECKOUT, free_port, now_ms
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

NOTEBOOK = CHECKOUT / "notebooks" / "01_live_map.ipynb"


@pytest.mark.filterwarnings("ignore:Proactor event loop|zmq:RuntimeWarning")
def test_the_notebook_runs_start_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GLIMPSE_DATA_DIR", str(tmp_path / "data"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=90, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = json.dumps(outputs)
    assert "hello_from_a_notebook" in shown
    assert "accepted" in shown


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """JupyterLab on a copy of the notebook's first cell; the address that opens it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:1]
    notebook.cells[0].source = notebook.cells[0].source.replace("start()", f"start({(port := free_port())})")
    nbformat.write(notebook, tmp_path / "map.ipynb")
    own, log = free_port(), tmp_path / "lab.log"
    flags = ["--no-browser", "--allow-root", f"--port={own}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    quiet = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    environment = os.environ | {"GLIMPSE_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path)}
    with log.open("wb") as out:
        command = [sys.executable, "-m", "jupyterlab", *flags, *quiet]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{own}"
        wait_until(lambda: _answers(f"{url}/api"), timeout_s=40, what=f"JupyterLab answers; {log}")
        yield f"{url}/lab/tree/map.ipynb#{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_in_jupyterlab_a_posted_event_becomes_a_dot_in_the_cells_map(lab: str):
    url, _, port = lab.partition("#")
    with chromium() as watched:
        page = watched.open(url)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        page.get_by_text("| Idle").wait_for(timeout=60_000)
        page.get_by_text("Run", exact=True).first.click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(f"() => window.Bokeh && ({FIND_SOURCE})('places')", timeout=90_000)
        event = {
            "projectId": "demo",
            "event": "page_view",
            "timestamp": now_ms(),
            "context": {"timezone": "Asia/Tokyo"},
        }
        with urlopen(Request(f"http://127.0.0.1:{port}/event", json.dumps(event).encode())) as answer:
            assert answer.status == 200
        seen = f"() => ({FIND_SOURCE})('places').data.place"
        wait_until(
            lambda: page.wait_for_timeout(50) or "Tokyo" in list(page.evaluate(seen)), timeout_s=20, what="a dot"
        )
        assert watched.strays == []


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
