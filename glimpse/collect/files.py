"""The files that come with Glimpse, as answers for any server: the SDK, and the demo shop that uses it."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

import msgspec

from glimpse import resources
from glimpse.collect.answers import Answer, failure, with_headers

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
SDK_NAME = r"glimpse(?:-[0-9A-Za-z.+-]+)?\.m?js"
_VERSIONED = re.compile(r"glimpse-\d")
FOR_EVERY_SITE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_AN_HOUR = "public, max-age=3600, stale-while-revalidate=86400"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"
_VALIDATOR = re.compile(r'\*|(?:W/)?("[^"]*")')


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


def file_answer(file: File, cache: str, asked: Mapping[str, str]) -> Answer:
    """Send a file with a validator and, to who takes it, compressed; or say that the client has it already.

    Parameters
    ----------
    cache
        How long it may be kept, as `Cache-Control` says it.
    asked
        The request's headers.
    """
    is_zipped = "gzip" in (asked.get("Accept-Encoding") or "").lower()
    # The two forms are two representations, so their validators differ (RFC 9110, 8.8.3).
    etag = f'"{file.etag}{"-gz" if is_zipped else ""}"'
    headers = {"Etag": etag, "Vary": "Accept-Encoding", "Cache-Control": cache}
    if _is_known(etag, asked.get("If-None-Match")):
        return Answer(HTTPStatus.NOT_MODIFIED, b"", headers)
    if is_zipped:
        headers["Content-Encoding"] = "gzip"
    return Answer(HTTPStatus.OK, file.zipped if is_zipped else file.content, headers, file.type)


def _is_known(etag: str, validators: str | None) -> bool:
    return any(found[0] == "*" or found[1] == etag for found in _VALIDATOR.finditer(validators or ""))


def sdk_answer(name: str, asked: Mapping[str, str]) -> Answer:
    """Send the tracker, for pages of any site; a file with a version in its name never changes."""
    try:
        file = load(resources.path(f"sdk/{name}"))
    except FileNotFoundError:
        message = f"{name} is not there; the SDK is glimpse.js and glimpse.mjs"
        return failure(HTTPStatus.NOT_FOUND, message, dict(FOR_EVERY_SITE))
    answer = file_answer(file, _FOR_EVER if _VERSIONED.match(name) else _AN_HOUR, asked)
    return with_headers(answer, FOR_EVERY_SITE)


def demo_answer(name: str | None, root: str, dashboard_path: str, asked: Mapping[str, str]) -> Answer:
    """Send a file of the shop, or its page: it has routes of its own, so what is no file is its page."""
    path = resources.path("demo") / (name or "")
    if name and name != "index.html" and path.suffix in _TYPES and path.is_file():
        return file_answer(load(path), _ASK_EACH_TIME, asked)
    return file_answer(_page(resources.path("demo/index.html"), root, dashboard_path), _ASK_EACH_TIME, asked)


def _page(path: Path, root: str, dashboard_path: str) -> File:
    """Return the shop's page with the paths that this server is mounted at."""
    file = load(path)
    content = file.content.replace(b"{{ROOT}}/glimpse_app", dashboard_path.encode())
    return _mounted(content.replace(b"{{ROOT}}", root.encode()), file.type)


_mounted = lru_cache(4)(make_file)
