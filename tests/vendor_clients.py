"""Unmodified clients of other trackers: in a process of their own, or bundled for a page of a made-up site."""

from __future__ import annotations

import fcntl
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parent / "vendor"
_INSTALLED = VENDOR / "node_modules" / ".package-lock.json"
_PAGE = """<!doctype html><html lang="en"><head><title>Pricing</title></head>
<body><button id="buy">Buy now</button><script src="/bundles/%s"></script></body></html>"""


def install_clients() -> None:
    """Install what tests/vendor names, unless it is there as its lock says; one process at a time does."""
    lock = VENDOR / "package-lock.json"
    with lock.open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # npm begins with deleting what another one has just installed
        if not _INSTALLED.exists() or _INSTALLED.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci", "--ignore-scripts", "--loglevel=error"], cwd=VENDOR, check=True, timeout=300)
            _INSTALLED.touch()


def start_client(script: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start a script of tests/vendor; it says on one line of JSON how its client fared."""
    program = "node" if script.endswith(".mjs") else sys.executable
    command = [program, str(VENDOR / script), *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=VENDOR,
        env=os.environ | environment,
    )


def told_by(client: subprocess.Popen[str], timeout_s: float = 30) -> dict[str, Any]:
    """Return what a client said at its end."""
    out, errors = client.communicate(timeout=timeout_s)
    assert client.returncode == 0, errors[-3000:]
    return json.loads(out.splitlines()[-1]) | {"stderr": errors}


def bundle(script: str, folder: Path) -> None:
    """Bundle a script of tests/vendor with its client, as a site would."""
    command = [VENDOR / "node_modules" / ".bin" / "esbuild", script, "--bundle", "--log-level=error"]
    subprocess.run([*command, f"--outfile={folder / script}.js"], cwd=VENDOR, check=True, timeout=60)


class _SitePages(http.server.BaseHTTPRequestHandler):
    bundles: Path

    def do_GET(self) -> None:
        """Answer a bundle, or for any other path a page that loads the one that the path's first part names."""
        parts = self.path.partition("?")[0].split("/")
        if parts[1] == "bundles":
            self._send((self.bundles / parts[2]).read_bytes(), "text/javascript")
        elif parts[1] == "favicon.ico":
            self._send(b"", "image/x-icon")
        else:
            self._send((_PAGE % f"{parts[1]}.js").encode(), "text/html")

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def site_with(bundles: Path) -> Iterator[str]:
    """Serve a site on localhost, so that Glimpse on 127.0.0.1 is another origin to its pages."""
    handler = type("Pages", (_SitePages,), {"bundles": bundles})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
