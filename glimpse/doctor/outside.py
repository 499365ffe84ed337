"""Looks at a running Glimpse through its proxy, and names the proxy's line or the setting that is missing.

It sends what a browser sends, and one empty batch of events: nothing is counted by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from glimpse import resources
from glimpse.doctor.client_address import address, made_up_address
from glimpse.doctor.finding import Finding, Verdict, Word, note, ok, wrong
from glimpse.doctor.site import NoAnswer, Seen, Site

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_LARGE_BATCH = b"[" + b" " * 500_000 + b"]"
_TOKEN = re.compile(rb'"token":\s*"([^"]+)"')
_UPGRADE = (
    'nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
)
_HOST = "nginx: proxy_set_header Host $http_host;"
_UPSTREAM = "nginx: proxy_pass http://127.0.0.1:5006;"
_PUBLIC = "GLIMPSE_PUBLIC=1"


def examine(site: Site) -> list[Finding]:
    """Look at everything; when nothing answers, at nothing further."""
    found: list[Finding] = []
    for part in LOOKS:
        found += look_at(part, site)
        if part == "site" and found[0].verdict is Verdict.WRONG:
            break
    return found


def look_at(part: str, site: Site) -> list[Finding]:
    """Look at one part; at what can't be looked at, not."""
    try:
        word = LOOKS[part](site)
    except NoAnswer as problem:
        word = wrong(str(problem))
    return [Finding(part, *word)] if word else []


def _answers(site: Site) -> Word:
    """Tell whether a Glimpse answers at the URL, with its path."""
    seen = site.ask("/check")
    where = seen.headers.get("location", "")
    if seen.json == {"status": "ok"}:
        return ok(f"{site.origin}{site.root} answers")
    if where.startswith("https://"):
        return wrong(f"{site.origin} sends everybody to https", f"glimpse doctor --url {where.removesuffix('/check')}")
    if seen.status in (502, 503, 504):
        return wrong(f"the proxy answers {seen.status}: it reaches no Glimpse", _UPSTREAM)
    if seen.status == 404 and site.root:
        return wrong(
            f"nothing of Glimpse is at {site.root}: it is served elsewhere, or the proxy cuts the path off",
            f"panel serve glimpse_app.py --prefix {site.root}; {_UPSTREAM} with no path after the port",
        )
    return wrong(
        f"what answers {seen.status} at {site.origin}{site.root}/check is no Glimpse",
        "name the path that --prefix gives: glimpse doctor --url https://stats.example.com/stats",
    )


def _host_name(site: Site) -> Word:
    """Tell whether the name in the address bar arrives."""
    passed = site.echo[1].get("Host", "").lower()
    if site.netloc in (passed, passed.removesuffix(f":{site.port}")):
        return ok(f"{site.netloc} arrives as it is")
    return wrong(f"{site.netloc} arrives as {passed}: a page's WebSocket may be refused", _HOST)


def _who_looks(site: Site) -> Word:
    """Tell whether dashboard and read API answer whom they should."""
    seen = site.ask("/api/v1/live")
    is_local = site.host in _LOOPBACK_NAMES
    if seen.status == 200:
        return ok("this machine may look") if is_local else _shown_to_all(site)
    if seen.status == 403:
        return _shown_to_none(site, is_local=is_local)
    if seen.status == 401:
        return ok("a login stands before the numbers")
    if seen.status == 404:
        return ok("nobody: a collector answers here, which shows nothing")
    return wrong(f"GET {site.root}/api/v1/live answers {seen.status}")


def _shown_to_none(site: Site, *, is_local: bool) -> Word:
    if is_local:
        return wrong("not even this machine may look: the proxy tells of another client or host", _HOST)
    return note(f"nobody may look at {site.netloc}: only clients on the server itself may", _PUBLIC)


def _shown_to_all(site: Site) -> Word:
    if site.settings.is_public:
        return note("anybody may look who reaches it", "put a login in front: docs/proxy.md, Who may look")
    return wrong(
        f"anybody may look at {site.netloc}, without GLIMPSE_PUBLIC: the proxy passes for somebody on the server",
        f"{_HOST} proxy_set_header X-Forwarded-For $remote_addr;",
    )


def _page(site: Site) -> Word | None:
    """Tell whether the dashboard's page comes, below the right path."""
    where, seen = site.page
    if not where:
        return None
    if not where.startswith(f"{site.root}/"):
        return wrong(
            f"the page is looked for at {where}, outside of {site.root}: the proxy cuts the path off",
            f"panel serve glimpse_app.py --prefix {site.root}; {_UPSTREAM} with no path after the port",
        )
    if seen.status in (401, 403):
        return None
    if not _token_in(seen):
        return wrong(f"{where} answers {seen.status}, with no dashboard in it")
    return ok(f"{where} has the dashboard")


def _websocket(site: Site) -> Word | None:
    """Tell whether the page can open its WebSocket."""
    where, page = site.page
    token = _token_in(page)
    if token is None:
        return None
    seen = site.open_websocket(f"{where.removeprefix(site.root)}/ws", token)
    if seen.status == 101:
        return ok(f"opens for pages of {site.origin}")
    if seen.status == 403:
        return wrong(
            f"is refused to pages of {site.origin}",
            f"{_HOST} or, where a list of origins is given, add --allow-websocket-origin={site.netloc}",
        )
    return wrong(f"does not open ({seen.status}): the proxy does not pass the upgrade on", _UPGRADE)


def _token_in(page: Seen) -> str | None:
    found = _TOKEN.search(page.body) if page.status == 200 else None
    return found[1].decode() if found else None


def _script(site: Site) -> Word:
    """Tell whether pages get the tracker of this version, and small."""
    seen = site.ask("/sdk/glimpse.js", headers={"Accept-Encoding": "identity"})
    if seen.status != 200:
        return wrong(f"{site.root}/sdk/glimpse.js answers {seen.status}", _UPSTREAM)
    if sha256(seen.body).digest() != sha256(resources.path("sdk/glimpse.js").read_bytes()).digest():
        return note("is another than the one here: another version runs, or a cache has kept it", "empty the cache")
    zipped = site.ask("/sdk/glimpse.js", headers={"Accept-Encoding": "gzip"})
    if zipped.headers.get("content-encoding") != "gzip":
        return note(
            "comes uncompressed to who takes gzip", "nginx: proxy_set_header Accept-Encoding $http_accept_encoding;"
        )
    return ok(f"{site.origin}{site.root}/sdk/glimpse.js, {len(zipped.body):,} bytes compressed")


def _large_body(site: Site) -> Word:
    """Tell whether the largest batch passes."""
    if site.settings.max_body_bytes < len(_LARGE_BATCH):
        return ok(f"is limited to {site.settings.max_body_bytes:,} bytes by GLIMPSE_MAX_BODY_BYTES")
    seen = site.ask("/event", "POST", _LARGE_BATCH)
    if seen.status == 413:
        return wrong(f"{len(_LARGE_BATCH):,} bytes don't pass the proxy", "nginx: client_max_body_size 1m;")
    if seen.status != 200:
        return wrong(f"an empty batch of {len(_LARGE_BATCH):,} bytes is answered {seen.status}")
    return ok(f"{len(_LARGE_BATCH):,} bytes pass")


LOOKS: dict[str, Callable[[Site], Word | None]] = {
    "site": _answers,
    "host name": _host_name,
    "who looks": _who_looks,
    "client address": address,
    "made up": made_up_address,
    "page": _page,
    "websocket": _websocket,
    "script": _script,
    "large body": _large_body,
}
