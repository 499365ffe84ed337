"""A whole Glimpse in processes of its own, as a stranger starts it: `panel serve glimpse_app.py`."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from waiting import wait_until

CHECKOUT = Path(__file__).parent.parent
APP = CHECKOUT / "glimpse_app.py"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ending_with_us(command: list[str]) -> list[str]:
    """Return a command whose process is told to end when the thread that starts it is gone, however it went.

    Tests and benches that are interrupted run no teardown; only Linux has a word for it.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else command


@contextmanager
def running(command: list[str], log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run some other command, with none of this machine's settings, and kill it at the end."""
    with log.open("ab") as file:
        environment = without_settings() | variables
        process = subprocess.Popen(ending_with_us(command), env=environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def without_settings() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("GLIMPSE_", "REDIS_", "BOKEH_"))}


class Served:
    """One served app; `start` returns when its port answers."""

    def __init__(
        self, data_dir: Path, *, app: Path = APP, flags: tuple[str, ...] = (), prefix: str = "", **env: str
    ) -> None:
        self.port = free_port()
        self.data_dir = data_dir
        self.prefix = prefix
        self.log = data_dir.parent / f"served-{self.port}.log"
        given = ("--prefix", prefix) if prefix else ()
        self.command = [sys.executable, "-m", "panel", "serve", str(app), "--port", str(self.port), *given, *flags]
        self.environment = without_settings() | {"GLIMPSE_DATA_DIR": str(data_dir)} | env
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def start(self, timeout_s: float = 30) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ending_with_us(self.command),
                env=self.environment,
                stdout=log,
                stderr=log,
                cwd=self.data_dir.parent,
            )
        try:
            wait_until(self._answers, timeout_s=timeout_s, what=f"{self.url} answers; {self.log}")
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self, timeout_s: float = 15) -> int:
        """Send SIGTERM and return the exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"not stopped within {timeout_s} s:\n{self.said()[-3000:]}") from None

    def kill(self) -> None:
        """Send SIGKILL, as a power cut to this process."""
        assert self.process
        self.process.kill()
        self.process.wait(10)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, self.prefix + path, body, {"User-Agent": CHROME} | named)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def run_to_its_end(self, timeout_s: float = 40) -> subprocess.CompletedProcess[str]:
        """Start it where it should end by itself, and return how it did."""
        return subprocess.run(
            self.command,
            env=self.environment,
            cwd=self.data_dir.parent,
            timeout=timeout_s,
            capture_output=True,
            text=True,
            check=False,
        )

    def get(self, path: str, **headers: str) -> Any:
        status, _, body = self.ask("GET", path, **headers)
        assert status == 200, (path, status, body[:500])
        return json.loads(body)

    def post(self, event: dict[str, Any] | list[dict[str, Any]], **headers: str) -> tuple[int, Any]:
        status, _, body = self.ask("POST", "/event", json.dumps(event).encode(), **headers)
        return status, json.loads(body)

    def stored(self, project: str) -> list[dict[str, Any]]:
        return self.get(f"/api/v1/events?project={project}&since=1h&limit=10000")

    def ledger(self, project: str) -> dict[str, Any]:
        return self.get(f"/api/v1/ledger?project={project}")

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.said()[-3000:]}"
        try:
            return self.ask("GET", "/check")[0] == 200
        except OSError:
            return False


def an_event(project: str = "shop", name: str = "page_view", **more: Any) -> dict[str, Any]:
    """Return a valid event of now, with an id of its own."""
    claim = {"projectId": project, "event": name, "timestamp": now_ms(), "id": str(uuid4())}
    return claim | {"context": {"url": "https://shop.test/", "timezone": "Europe/Vienna"}} | more
