"""The three records of one event: what a client claimed, what the edge admitted, what is stored.

Times are integers, epoch milliseconds UTC, unless a name says otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

HEARTBEAT = "heartbeat"
PAGE_VIEW = "page_view"
PAGE_LEAVE = "page_leave"
PAGE_HIDDEN = "page_hidden"
PAGE_VISIBLE = "page_visible"
SESSION_START = "session_start"
# Signs of life: they steer presence and stand in the ledger, but not in event views.
SIGNS_OF_LIFE = frozenset({HEARTBEAT, PAGE_HIDDEN, PAGE_VISIBLE})
# Names the SDK sends by itself that don't show intent: alone they leave a one-page session a bounce.
PASSIVE_NAMES = SIGNS_OF_LIFE | {
    PAGE_VIEW,
    PAGE_LEAVE,
    SESSION_START,
    "element_viewed",
    "scroll_depth",
    "web_vital",
    "js_error",
}

MOST_ENGAGED_MS = 24 * 3600 * 1000  # of one page, whatever a client claims
BOUNCE_ENGAGED_MS = 10_000


def is_bounce(pages: int, interactions: int, engaged_ms: int) -> bool:
    """One page view, no click, form or custom event, engaged under 10 s."""
    return pages <= 1 and interactions == 0 and engaged_ms < BOUNCE_ENGAGED_MS


class DropReason(StrEnum):
    """Why a valid event was not wanted."""

    BOT = "bot"
    PREFETCH = "prefetch"


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


class AdmittedEvent(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
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


class Event(msgspec.Struct, kw_only=True):
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

    @property
    def engaged_ms(self) -> int:
        """How long the page was looked at, as a `page_leave` claims it, within reason."""
        claimed = self.properties.get("engagedMs")
        return int(min(max(0, claimed), MOST_ENGAGED_MS)) if isinstance(claimed, int | float) else 0


class Session(msgspec.Struct, kw_only=True):
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
    visitor: str | None = None  # the daily-salted hash; kept in memory and Redis only, never stored

    @property
    def is_bounce(self) -> bool:
        """See the function of the same name."""
        return is_bounce(self.pages, self.interactions, self.engaged_ms)

    @property
    def duration_s(self) -> float:
        """Seconds from the first sign of life to the last."""
        return (self.last_seen_at - self.started_at) / 1000
