"""Which valid events are not wanted: one ordered tuple of steps, each of which may say why.

To add one, write `drop_something(event, sender, project)` and give it its place in `STEPS` and its reason in
`DropReason`. What comes from a page of a site that is not allowed is no matter of taste: it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from glimpse.collect.address import UNKNOWN, ClientAddress, Networks, parse_address
from glimpse.collect.crawlers import MOST_JUDGED_CHARS, Kind, judge_user_agent
from glimpse.collect.request import Request
from glimpse.events import LAYER_OF_BOTS, ClaimedEvent, DropReason
from glimpse.projects import Projects, ProjectSettings
from glimpse.projects.origins import is_allowed, origin_of
from glimpse.wire import FieldError, Reading, Refused, RejectReason
from glimpse.wire.errors import shown

_MOST_LISTS = 256  # of blocked pages and networks, kept compiled
_NOBODYS = ProjectSettings()

# Sec-Purpose is the standard's name; the others are older ones that browsers and proxies still send.
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_PRIVACY = "Sec-Gpc"  # Sec-GPC, in the case that headers have here
_RARE = frozenset({*_PURPOSES, _PRIVACY})


class Sender(NamedTuple):
    """What a request tells of who sends it."""

    user_agent: str = ""
    client: ClientAddress = UNKNOWN
    origin: str | None = None  # of the page; None for servers and apps
    is_prefetch: bool = False
    asks_for_privacy: bool = False
    allows_headless: bool = False

    @classmethod
    def of(cls, request: Request, client: ClientAddress, *, allows_headless: bool) -> Sender:
        """Read it from a request's headers."""
        headers = request.headers
        user_agent = (headers.get("User-Agent") or "")[:MOST_JUDGED_CHARS]
        origin = headers.get("Origin")
        if origin is None and request.method == "GET":  # a picture's request names no origin, but its page
            origin = origin_of(headers.get("Referer") or "")
        if _RARE.isdisjoint(headers):
            return cls(user_agent, client, origin, allows_headless=allows_headless)
        is_prefetch = any(_is_prefetch(headers.get(name)) for name in _PURPOSES)
        asks_for_privacy = (headers.get(_PRIVACY) or "").strip() == "1"
        return cls(user_agent, client, origin, is_prefetch, asks_for_privacy, allows_headless)


class Sorted(NamedTuple):
    """What became of a body's valid events."""

    wanted: list[ClaimedEvent]
    dropped: list[tuple[int, DropReason]]  # with the place in the batch
    layer: str = ""  # where wanted events have gone, if not to their project itself: "bots"


# -- the steps ---------------------------------------------------------------------------------------------------------


def drop_unknown_project(_event: ClaimedEvent, _sender: Sender, project: ProjectSettings) -> DropReason | None:
    """Drop what is for no registered project, once there are any."""
    return DropReason.UNKNOWN_PROJECT if project is _NOBODYS else None


def drop_gpc(_event: ClaimedEvent, sender: Sender, project: ProjectSettings) -> DropReason | None:
    """Drop what a browser sends that asks for Global Privacy Control, where the project respects it."""
    return DropReason.GPC if sender.asks_for_privacy and project.respects_gpc else None


def drop_blocked_network(event: ClaimedEvent, sender: Sender, project: ProjectSettings) -> DropReason | None:
    """Drop what comes from an address that the project has blocked."""
    if not project.blocked_networks:
        return None
    address = parse_address((event.address or "") if event.by_server else sender.client.text)
    is_blocked = address is not None and address in _networks(project.blocked_networks)
    return DropReason.BLOCKED_NETWORK if is_blocked else None


def drop_blocked_page(event: ClaimedEvent, _sender: Sender, project: ProjectSettings) -> DropReason | None:
    """Drop what happens on a page that the project has blocked."""
    if not project.blocked_pages:
        return None
    page = _page_of(event)
    # Also as people read it: /%61dmin is /admin to most servers.
    is_blocked = page is not None and any(map(_globs(project.blocked_pages).fullmatch, {page, unquote(page)}))
    return DropReason.BLOCKED_PAGE if is_blocked else None


def drop_prefetch(_event: ClaimedEvent, sender: Sender, _project: ProjectSettings) -> DropReason | None:
    """Drop what a browser sends for a page that nobody has opened yet."""
    return DropReason.PREFETCH if sender.is_prefetch else None


def drop_bot(event: ClaimedEvent, sender: Sender, _project: ProjectSettings) -> DropReason | None:
    """Drop crawlers and headless browsers, whether they send themselves, say so or a server passes their agent on."""
    claimed = event.context.get("userAgent")
    if event.says_bot or (claimed and _is_bot(claimed, sender)):
        return DropReason.BOT
    return DropReason.BOT if not event.by_server and _is_bot(sender.user_agent, sender) else None


# A bot comes last: a project that keeps bots wants none that are unwanted for another reason.
STEPS: tuple[Callable[[ClaimedEvent, Sender, ProjectSettings], DropReason | None], ...] = (
    drop_unknown_project,
    drop_gpc,
    drop_blocked_network,
    drop_blocked_page,
    drop_prefetch,
    drop_bot,
)

# What can drop an event that is not marked, of a project with nothing blocked: nearly all are such.
_STEPS_FOR_USUAL = (drop_bot,)

# -- what the edge calls -----------------------------------------------------------------------------------------------


def sort_events(reading: Reading, sender: Sender, projects: Projects) -> Sorted:
    """Tell a body's wanted events from the others; those that are refused move to the reading's refused ones."""
    events = [event for _, event in reading.events]
    if _are_plain(events, sender, projects):  # as nearly all are
        return Sorted(events, [])
    wanted: list[ClaimedEvent] = []
    dropped: list[tuple[int, DropReason]] = []
    refused: list[Refused] = []
    layer = ""
    for index, event in reading.events:
        outcome = admit(event, sender, projects)
        if isinstance(outcome, ClaimedEvent):
            wanted.append(outcome)
            if outcome.project != event.project:
                layer = LAYER_OF_BOTS.removeprefix(":")
        elif isinstance(outcome, DropReason):
            dropped.append((index, outcome))
        else:
            refused.append(Refused(index, event.project, [outcome]))
    if refused:
        gone = {one.index for one in refused}
        reading.events = [pair for pair in reading.events if pair[0] not in gone]
        reading.refused = sorted([*reading.refused, *refused], key=lambda one: one.index)
    return Sorted(wanted, dropped, layer)


def admit(event: ClaimedEvent, sender: Sender, projects: Projects) -> ClaimedEvent | DropReason | FieldError:
    """Return an event as it goes on, or why it does not."""
    project = projects.of(event.project) or _NOBODYS
    if project.origins and sender.origin is not None and not is_allowed(sender.origin, project.origins):
        return _foreign(sender.origin, project)
    reason = reason_to_drop(event, sender, project)
    if reason is DropReason.BOT and project.bots == "keep":
        event = msgspec.structs.replace(event, project=event.project + LAYER_OF_BOTS)
    elif reason:
        return reason
    return event if project.identity == "keep" else _without_identity(event)


def reason_to_drop(event: ClaimedEvent, sender: Sender, project: ProjectSettings) -> DropReason | None:
    """Return the first step's reason not to take an event."""
    is_usual = not (
        sender.is_prefetch
        or sender.asks_for_privacy
        or project.blocked_networks
        or project.blocked_pages
        or project is _NOBODYS
    )
    for step in _STEPS_FOR_USUAL if is_usual else STEPS:
        if reason := step(event, sender, project):
            return reason
    return None


# -- inside ------------------------------------------------------------------------------------------------------------


def _are_plain(events: Sequence[ClaimedEvent], sender: Sender, projects: Projects) -> bool:
    """Tell, in one look at all of a body's events, whether `admit` would leave each as it is."""
    if sender.is_prefetch or sender.asks_for_privacy or _is_bot(sender.user_agent, sender):
        return False
    for project in {event.project for event in events}:
        found = projects.of(project)
        if found is None or found.origins or found.blocked_networks or found.blocked_pages:
            return False
    for event in events:
        if event.user_id is not None or event.anonymous_id is not None or event.traits is not None or event.says_bot:
            return False
    claimed = {event.context.get("userAgent") for event in events}
    return not any(user_agent and _is_bot(user_agent, sender) for user_agent in claimed)


def _foreign(origin: str, project: ProjectSettings) -> FieldError:
    allowed, seen = ", ".join(project.origins), shown(origin.encode(errors="replace").decode())
    message = f"events of project {project.id} are not taken from pages of {seen}; allowed is {allowed}"
    return FieldError("", message, RejectReason.ORIGIN_NOT_ALLOWED)


def _without_identity(event: ClaimedEvent) -> ClaimedEvent:
    if event.user_id is None and event.anonymous_id is None and event.traits is None:
        return event
    return msgspec.structs.replace(event, user_id=None, anonymous_id=None, traits=None)


def _is_bot(user_agent: str, sender: Sender) -> bool:
    kind = judge_user_agent(user_agent)
    return kind is Kind.CRAWLER or (kind is Kind.HEADLESS and not sender.allows_headless)


def _is_prefetch(purpose: str | None) -> bool:
    return purpose is not None and purpose.strip().lower().startswith(("prefetch", "prerender", "preview"))


def _page_of(event: ClaimedEvent) -> str | None:
    if path := event.context.get("path"):
        return path
    try:
        return urlsplit(event.context.get("url") or "").path or None
    except ValueError:
        return None


@lru_cache(_MOST_LISTS)
def _globs(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)))


_networks = lru_cache(_MOST_LISTS)(Networks)
