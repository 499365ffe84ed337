"""One message of Segment or RudderStack, in our words. Ids and addresses of persons go no further than the edge.

Source: the Segment Spec (common fields, and a page for each kind of call) and RudderStack's event specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from glimpse.collect.dialects.items import identifier, known, mapping, moment, pixels, text
from glimpse.events import PAGE_VIEW
from glimpse.wire import FieldError, RejectReason, WireEvent

# The kinds of message, and what ours is called; a track call has a name of its own.
KINDS: Mapping[str, str | None] = {
    "track": None,
    "page": PAGE_VIEW,
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
# Libraries that run on the visitor's device, where no Origin tells it. Any other is a server's.
_DEVICE_LIBRARIES = ("analytics.js", "analytics-ios", "analytics-android", "analytics-swift", "analytics-kotlin")
_DEVICE_CHANNELS = ("web", "mobile", "browser", "client")  # as libraries say it themselves

_PAGE_FACTS = ("url", "path", "referrer", "title")
# What clients add to a page call by themselves: addresses again, with all that their queries may tell.
_PAGE_FIELDS = frozenset(
    {*_PAGE_FACTS, "search", "tab_url", "referring_domain", "initial_referrer", "initial_referring_domain"}
)
_DEVICE_FACTS = ("manufacturer", "model", "type")
_CAMPAIGN = {"source": "source", "medium": "medium", "name": "campaign", "term": "term", "content": "content"}
# Of the context: what is translated, and what tells of a person or of one device.
_TRANSLATED = frozenset(
    {"page", "userAgent", "locale", "timezone", "screen", "campaign", "device", "sessionId", "referrer"}
)
_PERSONAL = frozenset(
    {"ip", "traits", "groupId", "userId", "anonymousId", "externalId", "location", "sessionStart", "amp_id"}
)


class Message(NamedTuple):
    """A message's event, and what of its sender the edge may look at but not keep."""

    event: WireEvent
    person: str | None
    address: str | None  # the visitor's, as a server claims
    channel: str | None  # RudderStack's clients say where they run
    library: str | None
    sent_at: float | str | None

    def is_from_device(self) -> bool:
        """Tell whether the visitor's own device says that it sent this."""
        library = (self.library or "").lower()
        is_device = self.channel in _DEVICE_CHANNELS or "react-native" in library or "flutter" in library
        return is_device or library in _DEVICE_LIBRARIES


def translate(fields: Mapping[str, Any], kind: str | None, project: str) -> Message | list[FieldError]:
    """Return a message in our words.

    Parameters
    ----------
    kind
        What the request's path says; None where each message says it.
    """
    kind = kind or text(fields, "type") or ""
    if kind not in KINDS:
        return [FieldError("type", f"type must be one of {', '.join(KINDS)}", RejectReason.BAD_VALUE)]
    context = mapping(fields, "context")
    event = WireEvent(
        projectId=project,
        event=KINDS[kind] or fields.get("event"),
        timestamp=moment(fields, "timestamp", "originalTimestamp"),
        id=text(fields, "messageId"),
        sessionId=identifier(context, "sessionId"),
        properties=_properties(fields, kind),
        context=_context(context, mapping(fields, "properties") if kind == "page" else {}),
        userId=identifier(fields, "userId"),
        anonymousId=identifier(fields, "anonymousId"),
        traits=_traits(fields, context),
    )
    person = event.anonymousId or event.userId  # the former stays the same when somebody signs in
    library = text(mapping(context, "library"), "name")
    return Message(
        event,
        person=None if person is None else str(person),
        address=text(context, "ip"),
        channel=text(fields, "channel"),
        library=library,
        sent_at=moment(fields, "sentAt"),
    )


def _properties(fields: Mapping[str, Any], kind: str) -> Any:
    """Return what the caller sent; of a page, without what is in the context, and with its name and category."""
    properties = fields.get("properties")
    if kind not in ("page", "screen") or not isinstance(properties or {}, dict):
        return properties
    own = {name: value for name, value in (properties or {}).items() if kind != "page" or name not in _PAGE_FIELDS}
    return known({name: text(fields, name) for name in ("name", "category")}) | own


def _context(context: Mapping[str, Any], page_properties: Mapping[str, Any]) -> dict[str, Any]:
    page = mapping(context, "page") | {k: v for k, v in page_properties.items() if k in _PAGE_FACTS}
    screen, campaign, device = (mapping(context, name) for name in ("screen", "campaign", "device"))
    rest = {name: value for name, value in context.items() if name not in _TRANSLATED and name not in _PERSONAL}
    screen_size, density = pixels(screen, "width", "height"), screen.get("density")
    return rest | known(
        {name: text(page, name) for name in _PAGE_FACTS}
        | {
            "userAgent": text(context, "userAgent"),
            "language": text(context, "locale"),
            "timezone": text(context, "timezone"),
            "screen": screen_size and known({**screen_size, "pixelRatio": density}),
            "viewport": pixels(screen, "innerWidth", "innerHeight"),
            "utm": known({ours: text(campaign, theirs) for theirs, ours in _CAMPAIGN.items()}),
            "device": known({name: text(device, name) for name in _DEVICE_FACTS}),
        }
    )


def _traits(fields: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
    """Return what is known of the person, and which ids were joined to theirs: kept only where identities are."""
    traits = fields.get("traits") or mapping(context, "traits")
    if not isinstance(traits, dict):
        return traits
    return traits | known({name: identifier(fields, name) for name in ("groupId", "previousId")})
