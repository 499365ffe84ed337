"""Looks at a page of a tracked site: whether its events arrive and, if not, what is in their way."""

from __future__ import annotations

import re

from glimpse.doctor.finding import Finding, Verdict, Word, note, ok, wrong
from glimpse.doctor.site_check_browser import find_chromium, load
from glimpse.doctor.site_check_facts import Loaded, Request
from glimpse.doctor.site_check_reader import read
from glimpse.events import DropReason

_TAG = '<script defer src="https://YOUR-GLIMPSE/sdk/glimpse.js" data-project="my-site"></script>'
_OFF = "[glimpse] off:"
_FORBIDDEN = re.compile(r"'(https?://[^']+/event[^']*)'.*Content Security Policy")
_NO_SCRIPT = "net::ERR_BLOCKED_BY_ORB"  # an error's page, of another origin
_WHY_OFF = {
    "GPC": note("the tracker is silent: this browser says Global Privacy Control, as its visitor wants it"),
    "DNT": note("the tracker is silent: this browser says Do Not Track, and the tag has data-respect-dnt"),
    "localhost": wrong("the tracker is silent on localhost", 'take data-localhost="false" off the tag'),
    "opt-out": note("the tracker is silent: this device has opted out"),
}
_WHY_DROPPED = {
    DropReason.UNKNOWN_PROJECT: "the project {project} is not registered: glimpse project add {project}",
    DropReason.BLOCKED_PAGE: "glimpse project set {project} blocked-pages=",
    DropReason.BLOCKED_NETWORK: "glimpse project set {project} blocked-networks=",
}


async def examine(url: str) -> list[Finding]:
    """Load the page, in a browser where there is one, and say what of the way of an event is there."""
    program = find_chromium()
    loaded = await load(url, program) if program else read(url)
    found: list[Finding] = []
    for part, look in (("site", _page), ("tag", _tag), ("tracker", _script), ("events", _events)):
        word = look(loaded)
        found.append(Finding(part, *word))
        if word.verdict is Verdict.WRONG:
            break  # what comes after it can't be there
    return found


def _page(loaded: Loaded) -> Word:
    """Tell whether there is a page."""
    if loaded.failure:
        return wrong(f"{loaded.url} can't be loaded: {loaded.failure}")
    if loaded.status >= 400:
        return wrong(f"{loaded.url} answers {loaded.status}")
    return ok(f"{loaded.url} is there, {loaded.how}")


def _tag(loaded: Loaded) -> Word:
    """Tell which project the page names."""
    if not loaded.tags:
        if loaded.events or loaded.script:
            return ok("none, but the page brings the tracker along")
        return wrong("the page has no tag of Glimpse", _TAG)
    if len(loaded.tags) > 1:
        return note(f"the page has {len(loaded.tags)} tags; the first to run counts", "leave one")
    project = loaded.tags[0].get("data-project")
    return ok(f"names the project {project}" if project else "names no project: a script of the page has to call init")


def _script(loaded: Loaded) -> Word:
    """Tell whether the tracker comes."""
    script = loaded.script
    if script is None:
        return ok("is part of the page's own script")
    if script.status == 200:
        return ok(script.url)
    if script.status or script.failure == _NO_SCRIPT:
        said = f"answers {script.status or 'with what is no script'}"
        return wrong(f"{script.url} {said}", "mend the address in the tag's src: it ends in /sdk/glimpse.js")
    return _in_the_way(script, "script-src") or wrong(f"{script.url} gives no answer")


def _events(loaded: Loaded) -> Word:
    """Tell whether events arrive."""
    why_off = next((line.removeprefix(_OFF).strip() for line in loaded.console if line.startswith(_OFF)), None)
    if why_off:
        return _WHY_OFF.get(why_off, note(f"the tracker is silent: {why_off}"))
    if not loaded.events:
        # What a policy forbids is no request, but the console tells of it.
        forbidden = next((found for line in loaded.console if (found := _FORBIDDEN.search(line))), None)
        if forbidden:
            return _in_the_way(Request(forbidden[1], failure="csp"), "connect-src") or wrong(forbidden[0])
        return wrong(
            "the tracker sends nothing", 'data-project is missing, or data-auto="false" leaves it to calls of track'
        )
    return _answered(max(loaded.events, key=lambda one: (one.status == 200, one.status)))


def _answered(request: Request) -> Word:
    if not request.status:
        word = _in_the_way(request, "connect-src")
        return word or wrong(f"{request.url} gives no answer")
    project = (request.sent or {}).get("projectId", "")
    if not request.told:
        return wrong(
            f"{request.url} answers {request.status}, and is no Glimpse: events go to the wrong address",
            "data-endpoint on the tag, or nothing: then they go beside the /sdk/ that the script comes from",
        )
    if request.status != 200:
        errors = ", ".join(error.get("message", "") for error in request.told.get("errors", []))
        return wrong(f"{request.url} refuses them with {request.status}: {errors or request.answer}")
    for dropped in request.told.get("dropped", []):
        if mend := _WHY_DROPPED.get(dropped["reason"]):
            return wrong(f"arrive, and are dropped: {dropped['reason']}", mend.format(project=project))
    count = len((request.sent or {}).get("events", []))
    if not count:
        return ok(f"{request.url} takes them, for {project}")
    return ok(f"arrive at {request.url}, for {project}; this look is dropped as a bot's, and not counted")


def _in_the_way(request: Request, directive: str) -> Word | None:
    """Say what kept a request from its answer, if something did."""
    if not request.failure:
        return None
    origin = "/".join(request.url.split("/")[:3])
    if request.failure == "csp":
        return wrong(f"the page's Content-Security-Policy forbids {request.url}", f"{directive} {origin}")
    if request.failure == "mixed-content":
        return wrong(f"the page is secure, and {request.url} is not", f"https:{request.url.partition(':')[2]}")
    if request.failure in ("inspector", "net::ERR_BLOCKED_BY_CLIENT", "other"):
        return wrong(f"the browser blocks {request.url}", "serve Glimpse under a path of the site: sdk/README.md")
    return wrong(f"{request.url} can't be reached: {request.failure}")
