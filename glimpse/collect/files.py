"""The files that come with Glimpse over HTTP: the SDK, and the demo shop that uses it."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

import msgspec

from glimpse import resources
from glimpse.collect.parts import Handler

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_AN_HOUR = "public, max-age=3600, stale-while-revalidate=86400"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"


class File(msgspec.Struct, frozen=True):
    """A file in memory, as it is and compressed."""

    content: bytes
    zipped: bytes
    etag: str
    type: str


def load(path: Path) -> File:
    """Return a file, read again only when it has changed on disk."""
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(64)
def _load(path: Path, _changed_at_ns: int) -> File:
    return make_file(path.read_bytes(), _TYPES.get(path.suffix, "application/octet-stream"))


def make_file(content: bytes, content_type: str) -> File:
    """Return content as a file."""
    etag = hashlib.sha256(content).hexdigest()[:16]
    return File(content, gzip.compress(content, 9, mtime=0), etag, content_type)


class FileHandler(Handler):
    """Sends files with a validator and, to who takes it, compressed."""

    def compute_etag(self) -> None:
        """Leave the validator to `send_file`."""

    def send_file(self, file: File, cache: str) -> None:
        """Send a file, or say that the client has it already."""
        is_zipped = "gzip" in self.request.headers.get("Accept-Encoding", "").lower()
        # The two forms are two representations, so their validators differ (RFC 9110, 8.8.3).
        self.set_header("Etag", f'"{file.etag}{"-gz" if is_zipped else ""}"')
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Cache-Control", cache)
        if self.check_etag_header():
            self.set_status(HTTPStatus.NOT_MODIFIED)
            self.finish()
            return
        self.set_header("Content-Type", file.type)
        if is_zipped:
            self.set_header("Content-Encoding", "gzip")
        self.finish(file.zipped if is_zipped else file.content)

    def head(self, *names: str) -> None:
        """Answer as for GET; Tornado leaves the body out."""
        self.get(*names)


class SdkHandler(FileHandler):
    """`GET /sdk/…`: the tracker, for pages of any site."""

    def get(self, name: str) -> None:
        """Send the tracker; a file with a version in its name never changes."""
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        try:
            file = load(resources.path(f"sdk/{name}"))
        except FileNotFoundError:
            self.refuse(HTTPStatus.NOT_FOUND, f"{name} is not there; the SDK is glimpse.js and glimpse.mjs")
            return
        self.send_file(file, _FOR_EVER if name.startswith("glimpse-") else _AN_HOUR)


class DemoHandler(FileHandler):
    """`GET /demo…`: a small made-up shop. It has routes of its own, so what is no file is its page."""

    def get(self, name: str | None = None) -> None:
        """Send a file of the shop, or its page."""
        path = resources.path("demo") / (name or "")
        if name and name != "index.html" and path.suffix in _TYPES and path.is_file():
            self.send_file(load(path), _ASK_EACH_TIME)
        else:
            self.send_file(
                _page(resources.path("demo/index.html"), self.parts.root, self.parts.dashboard_path), _ASK_EACH_TIME
            )


def _page(path: Path, root: str, dashboard_path: str) -> File:
    """Return the shop's page with the paths that this server is mounted at."""
    file = load(path)
    content = file.content.replace(b"{{ROOT}}/glimpse_app", dashboard_path.encode())
    return _mounted(content.replace(b"{{ROOT}}", root.encode()), file.type)


_mounted = lru_cache(4)(make_file)
