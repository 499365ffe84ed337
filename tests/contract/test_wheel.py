"""A wheel built from the tree and installed alone serves too, on the newest Python that this machine has."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import CHROME, free_port
from waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

CHECKOUT = Path(__file__).parents[2]
PACKED = (
    "glimpse/_data/geo/places.mmdb",
    "glimpse/_data/geo/borders.json",
    "glimpse/_data/geo/cities.tsv",
    "glimpse/_data/geo/time_zones.json",
    "glimpse/_data/geo/README.md",
    "glimpse/_data/sdk/glimpse.js",
    "glimpse/_data/sdk/glimpse.mjs",
    "glimpse/_data/sdk/glimpse-more.js",
    "glimpse/_data/sdk/glimpse-pace.js",
    "glimpse/_data/sdk/glimpse-pace.LICENSE.txt",
    "glimpse/_data/demo/index.html",
    "glimpse/_data/demo/shop.js",
    "glimpse/_data/demo/products.js",
    "glimpse/_data/glimpse_app.py",
    "glimpse/py.typed",
)
# Run by the installed package's own Python: a name that is not in this environment may be in that one.
_APP = "from glimpse import resources; print(resources.path('glimpse_app.py'))"


def newest_python() -> str:
    """Return the newest interpreter that Glimpse supports; all other tests run on the oldest."""
    versions = Path.home() / ".pyenv" / "versions"
    for minor in (13, 12):
        named = [*map(str, versions.glob(f"3.{minor}.*/bin/python3.{minor}")), shutil.which(f"python3.{minor}")]
        for python in named:
            if python and _is_version(python, minor):
                return python
    return sys.executable


def _is_version(python: str, minor: int) -> bool:
    asked = [python, "-c", "import sys, venv; print(sys.version_info[1])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() == str(minor)


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", out, CHECKOUT)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty environment with the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("env")
    _run(newest_python(), "-m", "venv", folder)
    # Compiling is left to the first import: half of what is installed is never imported here.
    _run(folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile", wheel)
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder far from the checkout."""
    return tmp_path


class Process:
    """A command of the installed package, its output in a file."""

    def __init__(self, command: list[str | Path], folder: Path, port: int) -> None:
        self.port = port
        self.log = folder / "said.log"
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("GLIMPSE_", "PYTHON", "VIRTUAL"))
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(list(map(str, command)), cwd=folder, env=own, stdout=log, stderr=log)

    def wait_for_answer(self) -> None:
        wait_until(self._answers, timeout_s=60, what=f"an answer on port {self.port}")

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()[-3000:]
        try:
            return self.ask("/check")[0] == 200
        except OSError:
            return False

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"User-Agent": CHROME})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()

    def post(self) -> tuple[int, Any]:
        context = {"url": "http://localhost/pricing", "timezone": "Europe/Vienna"}
        event: dict[str, Any] = {"projectId": "wheel", "event": "page_view", "timestamp": round(time.time() * 1000)}
        event["context"] = context
        status, body = self.ask("/event", json.dumps(event).encode())
        return status, json.loads(body)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        return self._process.wait(30)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)


@pytest.fixture
def running() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.end()


def serve(bin_folder: Path, folder: Path, running: list[Process]) -> Process:
    app = _run(bin_folder / "python", "-c", _APP, cwd=folder).strip()
    assert not app.startswith(str(CHECKOUT))
    port = free_port()
    served = Process([bin_folder / "panel", "serve", app, "--port", str(port)], folder, port)
    running.append(served)
    served.wait_for_answer()
    return served


def test_everything_that_runs_is_in_the_wheel(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert not [name for name in PACKED if name not in names]
    sources = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "glimpse").rglob("*") if path.is_file()}
    kept = {name for name in sources if "__pycache__" not in name and not name.startswith("glimpse/_data")}
    assert kept <= names  # SQL, styles and scripts of the views too
    assert not [name for name in names if name.startswith(("tests", "bench", "sdk", "notebooks"))]


def test_an_installed_wheel_serves_alone(installed: Path, elsewhere: Path, running: list[Process]):
    served = serve(installed, elsewhere, running)
    assert served.post() == (200, {"success": True})
    live = wait_until(lambda: (now := json.loads(served.ask("/api/v1/live?project=wheel")[1]))["places"] and now)
    assert live["places"][0]["city"] == "Vienna"
    assert served.ask("/sdk/glimpse.js")[0] == 200
    assert served.ask("/demo")[0] == 200
    status, page = served.ask("/glimpse_app?project=wheel")
    assert (status, b"Glimpse" in page) == (200, True)
    assert served.stop() == 0


def test_the_installed_demo_simulates_and_ends_with_ctrl_c(installed: Path, elsewhere: Path, running: list[Process]):
    port = free_port()
    demo = Process(
        [installed / "glimpse", "demo", "--no-browser", "--port", str(port), "--rate", "50"], elsewhere, port
    )
    running.append(demo)
    demo.wait_for_answer()
    wait_until(
        lambda: json.loads(demo.ask("/api/v1/live?project=demo")[1])["active"] > 5, what="visitors", timeout_s=30
    )
    assert demo.stop(signal.SIGINT) == 0
    said = demo.log.read_text()
    assert f"http://localhost:{port}/glimpse_app?project=demo" in said
    assert "Traceback" not in said
