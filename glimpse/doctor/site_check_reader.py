"""Reads a page where there is no browser: its tag, its policy, and whether what the tag names answers.

Nothing runs, so a tag that another script adds is not seen, and events are stood in for by an empty batch.
"""

from __future__ import annotations

import html.parser
import ssl
import urllib.error
import urllib.request
from urllib.parse import urljoin, urlsplit

from glimpse.doctor.site_check_facts import Loaded, Request

_TIMEOUT_S = 20
_MOST_BYTES = 5_000_000


class _Scripts(html.parser.HTMLParser):
    """Collects the script tags of a page, and the policy of its meta tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[dict[str, str]] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take one tag."""
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and ("data-project" in given or Request(given.get("src", "")).is_script):
            self.tags.append(given)
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = given.get("content", "")


def read(url: str) -> Loaded:
    """Read a page, and ask for what its first tag names."""
    loaded = Loaded(url, "read, for want of a Chromium")
    page = Request(url)
    policy = _ask(page)
    loaded.status, loaded.failure = page.status, page.failure
    scripts = _Scripts()
    scripts.feed(page.answer)
    loaded.tags = scripts.tags
    if loaded.tags and loaded.tags[0].get("src"):
        loaded.requests = _follow(url, loaded.tags[0], policy or scripts.policy)
    return loaded


def _follow(url: str, tag: dict[str, str], policy: str) -> list[Request]:
    script = Request(urljoin(url, tag["src"]))
    beside = "../event" if "/sdk/" in script.url else "/event"
    project = tag.get("data-project", "")
    events = Request(
        urljoin(url, tag.get("data-endpoint") or urljoin(script.url, beside)),
        "POST",
        f'{{"projectId":"{project}","events":[]}}',
    )
    for request, directive in ((script, "script-src"), (events, "connect-src")):
        if _allows(policy, directive, request.url, url):
            _ask(request)
        else:
            request.failure = "csp"
    return [script, events]


def _allows(policy: str, directive: str, url: str, page: str) -> bool:
    """Tell whether a policy lets the page ask for a URL, as far as hosts are named in it."""
    given = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    sources = given.get(directive, given.get("default-src"))
    if sources is None or any(source.startswith(("'nonce-", "'sha", "'strict-dynamic'")) for source in sources):
        return True
    origin, own = (urlsplit(one)._replace(path="", query="", fragment="").geturl() for one in (url, page))
    host = urlsplit(url).hostname or ""
    return any(
        source in ("*", f"{urlsplit(url).scheme}:")
        or (source == "'self'" and origin == own)
        or url.startswith(source)
        or source in (urlsplit(url).netloc, host)
        or (source.startswith("*.") and host.endswith(source[1:]))
        for source in sources
    )


def _ask(request: Request) -> str:
    """Send a request and write down what became of it; return the policy that came along."""
    body = request.body.encode() if request.method == "POST" else None
    asked = urllib.request.Request(request.url, body, {"User-Agent": "glimpse-doctor"}, method=request.method)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S, context=ssl.create_default_context()) as answer:  # noqa: S310
            request.status = answer.status
            request.answer = answer.read(_MOST_BYTES).decode(errors="replace")
            return answer.headers.get("Content-Security-Policy", "")
    except urllib.error.HTTPError as refusal:
        request.status, request.answer = refusal.code, refusal.read(_MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError) as problem:
        request.failure = str(problem)
    return ""
