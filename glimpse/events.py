"""The three records of one event: what a client claimed, what the edge admitted, what is stored.

Times are integers, epoch milliseconds UTC, unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

HEARTBEAT = "heartbeat"
PAGE_VIEW = "page_view"
PAGE_LEAVE = "page_leave"
PAGE_HIDDEN = "page_hidden"
PAGE_VISIBLE = "page_visible"
SESSION_START = "session_start"
# Signs of life: they steer presence and stand in the ledger, but not in event views.
SIGNS_OF_LIFE = frozenset({HEARTBEAT, PAGE_HIDDEN, PAGE_VISIBLE})
# What other trackers say of a visit without the visitor having done anything.
REMARKS = frozenset({"performance", "identify", "group", "alias"})
# With the names the SDK sends by itself, they don't show intent: alone they leave a one-page session a bounce.
PASSIVE_NAMES = (
    SIGNS_OF_LIFE
    | REMARKS
    | {
        PAGE_VIEW,
        PAGE_LEAVE,
        SESSION_START,
        "element_viewed",
        "scroll_depth",
        "web_vital",
        "js_error",
    }
)

# What a project that keeps its bots calls them: `shop:bots` is a layer of its own, and no part of "all projects".
LAYER_OF_BOTS = ":bots"


def is_layer(project: str) -> bool:
    """Tell whether a project is a layer of another."""
    return project.endswith(LAYER_OF_BOTS)


MOST_ENGAGED_MS = 24 * 3600 * 1000  # of one page, whatever a client claims
BOUNCE_ENGAGED_MS = 10_000


def is_bounce(pages: int, interactions: int, engaged_ms: int) -> bool:
    """One page view, no click, form or custom event, engaged under 10 s."""
    return pages <= 1 and interactions == 0 and engaged_ms < BOUNCE_ENGAGED_MS


class DropReason(StrEnum):
    """Why a valid event was not wanted."""

    UNKNOWN_PROJECT = "unknown_project"
    GPC = "gpc"
    BLOCKED_PAGE = "blocked_page"
    BLOCKED_NETWORK = "blocked_network"
    PREFETCH = "prefetch"
    BOT = "bot"


class ClaimedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the client says, checked against the limits, nothing derived. Made by `glimpse.wire`."""

    project: str
    name: str
    timestamp: int
    id: str | None = None
    session_id: str | None = None
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    time_was_replaced: bool = False  # the claimed time was over 7 days old, so it is the time of receipt
    # Who it was, if the client says so; goes no further unless the project keeps identities.
    user_id: str | None = None
    anonymous_id: str | None = None
    traits: dict[str, Any] | None = None
    # What only other trackers say. None of it is stored.
    person: str | None = None  # tells visitors apart in place of address and user agent
    by_server: bool = False  # a server sends for its visitors, so the request's own address and user agent mean nothing
    address: str | None = None  # the visitor's, as that server claims
    visitor: str | None = None  # the hash that an earlier answer told this client, instead of one of the request's own
    says_bot: bool = False  # the client's script found that no person drives its browser


class AdmittedEvent(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):  # never in a cycle
    """What the edge puts in the buffer: the claim, and what only the request knew. No address in it."""

    project: str
    id: str  # a UUID, canonical form
    name: str
    time: int  # the client's, corrected
    received_at: int
    client_session: str | None  # the client's session id, a UUID or any short string
    visitor: str  # daily-salted hash of network and user agent: finds the session of events without an id
    visitor_before: str | None  # the same with yesterday's salt, for 300 s after it changed
    network: str | None  # "203.0.113.0/24", "2001:db8::/48"; None when unknown or private
    is_private_peer: bool  # a loopback or private address: its place is its time zone's main city
    user_agent: str
    properties: dict[str, Any]
    context: dict[str, Any]  # as claimed; may hold userAgent, which the drain takes out
    # Only of projects that keep identities.
    user_id: str | None = None
    anonymous_id: str | None = None
    traits: dict[str, Any] | None = None
    shard: int = 0  # the same for all events of a session; see `glimpse.buffer.shards`


class PackedEvent(AdmittedEvent, frozen=True, kw_only=True, array_like=True, gc=False):
    """The same as it comes out of the buffer: its context is as it was packed, since most have come before."""

    context: msgspec.Raw  # pyright: ignore[reportIncompatibleVariableOverride]

    def unpacked(self) -> AdmittedEvent:
        """Return the event with its context."""
        facts: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        facts["context"] = decode_context(self.context)
        return AdmittedEvent(**facts)


decode_context = msgspec.msgpack.Decoder(dict[str, Any]).decode


class SketchedContext(dict[str, Any]):
    """What of a page's context has no column. Events that hold the same object were drawn from one sketch.

    They differ in `OWN_COLUMNS` alone, so what is made of their other columns need be made only once.
    """

    __slots__ = ()


OWN_COLUMNS = frozenset(
    {"id", "project", "session_id", "name", "time", "received_at", "properties", "user_id", "anonymous_id", "traits"}
)


class Event(msgspec.Struct, kw_only=True, gc=False):  # never in a cycle, and by the hundred thousand
    """One stored row of `events`, also what the window and other processes hold.

    Unknown facts are None. The drain's `put_*` steps fill it in order.
    """

    id: str
    project: str
    session_id: str = ""  # a UUID, given by the session step
    name: str
    time: int
    received_at: int
    # page
    url: str | None = None
    host: str | None = None
    page: str | None = None  # the address's path
    title: str | None = None
    # source
    referrer: str | None = None  # without query
    source: str | None = None  # "google", "news", a host; None is direct
    channel: str = "direct"  # direct, search, social, referral, email, paid, campaign, ai
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    # place
    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None
    city: str | None = None
    time_zone: str | None = None  # IANA, of the place
    lat: float | None = None  # degrees
    lon: float | None = None
    place_source: str | None = None  # "network" or "timezone"
    # device
    browser: str | None = None
    os: str | None = None
    device: str | None = None  # desktop, phone, tablet, tv, other
    language: str | None = None
    screen: str | None = None  # "1440x900", CSS pixels
    viewport: str | None = None
    # the rest
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}  # keys that have no column
    # who it was, of projects that keep it
    user_id: str | None = None
    anonymous_id: str | None = None
    traits: dict[str, Any] | None = None

    @property
    def engaged_ms(self) -> int:
        """How long the page was looked at, as a `page_leave` claims it, within reason."""
        claimed = self.properties.get("engagedMs")
        return int(min(max(0, claimed), MOST_ENGAGED_MS)) if isinstance(claimed, int | float) else 0


SESSION_MEMORY = frozenset(
    {"visitor", "heard_at", "taken_at", "placed_at", "device_at", "started_by", "entry_by", "placed_by", "device_by"}
)


class ImportedTotal(msgspec.Struct, kw_only=True):
    """One row of `imported_totals`: what another tracker counted of a day. Unknown counts are None."""

    id: str  # a UUID, made of what the row is about
    project: str
    origin: str  # who counted
    day: int  # its beginning, as if the other's zone were UTC
    dimension: str  # what it is counted by; "day" is everything of the day
    value: str | None = None
    visitors: int | None = None
    visits: int | None = None
    page_views: int | None = None
    events: int | None = None
    bounces: int | None = None
    visit_duration_s: int | None = None  # of all visits together


class Merge(NamedTuple):
    """Two sessions of a project that turned out to be one, since an event came late that lies between them."""

    project: str
    gone: str  # session id
    kept: str
    since: int  # when the one that is gone began


def relabel(events: Iterable[Event], merges: Iterable[Merge]) -> None:
    """Give the events of sessions that are gone the id of the one that is kept; merges in the order they were found."""
    new_ids: dict[tuple[str, str], str] = {}
    for merge in merges:
        for pair, kept in new_ids.items():
            if pair[0] == merge.project and kept == merge.gone:
                new_ids[pair] = merge.kept
        new_ids[merge.project, merge.gone] = merge.kept
    if not new_ids:
        return
    for event in events:
        if kept := new_ids.get((event.project, event.session_id)):
            event.session_id = kept


class Session(msgspec.Struct, kw_only=True, gc=False):  # likewise
    """One row of `sessions`. Times are epoch milliseconds; `duration_s` is last sign of life minus first."""

    project: str
    id: str
    started_at: int
    last_seen_at: int
    entry_page: str | None = None
    entry_at: int | None = None
    exit_page: str | None = None
    exit_at: int | None = None
    pages: int = 0  # page views
    events: int = 0  # without signs of life
    interactions: int = 0  # clicks, forms, custom events
    engaged_ms: int = 0
    country: str | None = None
    region: str | None = None
    city: str | None = None
    time_zone: str | None = None
    lat: float | None = None
    lon: float | None = None
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    referrer: str | None = None
    source: str | None = None
    channel: str = "direct"
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    client_session: str | None = None  # the client's own id, while the session is open
    # Kept while the session is open, never stored; see `SESSION_MEMORY`.
    visitor: str | None = None  # the daily-salted hash; in memory and Redis only
    heard_at: int = 0  # when the last of its events was received
    taken_at: float = 0.0  # when the last of its events was drained, by the drain's monotonic clock
    placed_at: int | None = None  # the time of the event that told the place, and of that which told the device
    device_at: int | None = None
    # The ids of the events that told these; of two of one millisecond the smaller counts.
    started_by: str = ""
    entry_by: str = ""
    placed_by: str = ""
    device_by: str = ""

    @property
    def is_bounce(self) -> bool:
        """See the function of the same name."""
        return is_bounce(self.pages, self.interactions, self.engaged_ms)

    @property
    def duration_s(self) -> float:
        """Seconds from the first sign of life to the last."""
        return (self.last_seen_at - self.started_at) / 1000


def by_pair(sessions: Iterable[Session]) -> dict[tuple[str, str], Session]:
    """Return sessions by project and id."""
    return {(session.project, session.id): session for session in sessions}
