"""One event of PostHog, in our words. Ids and addresses of persons and devices go no further than the edge.

Source: PostHog's capture API and its list of default properties. What a caller sets has no dollar sign and stays a
property; `FACTS` says what becomes of the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from glimpse.collect.dialects.items import identifier, known, mapping, moment, pixels, text
from glimpse.events import PAGE_LEAVE, PAGE_VIEW
from glimpse.wire import FieldError, RejectReason, WireEvent

NAMES: Mapping[str, str] = {
    "$pageview": PAGE_VIEW,
    "$pageleave": PAGE_LEAVE,
    "$screen": "screen_view",
    "$autocapture": "click",  # or as _GESTURES has it
    "$rageclick": "rage_click",
    "$dead_click": "dead_click",
    "$copy_autocapture": "copy",
    "$identify": "identify",
    "$set": "identify",
    "$unset": "identify",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
    "$groupidentify": "group",
    "$exception": "js_error",
    "$web_vitals": "web_vital",
}
_GESTURES: Mapping[str, str] = {"submit": "form_submit", "change": "input_change"}
# What is no event of a visitor: recordings of the screen, and the client's talk about itself.
UNSUPPORTED = frozenset(
    {"$snapshot", "$snapshot_items", "$performance_event", "$$heatmap", "$$client_ingestion_warning"}
)

# What becomes of the properties that a client adds by itself: a field of our context, or None, left out, because it
# tells of a person or device, is kept elsewhere, or is of no use. With a dollar sign and not here: context, as it is.
FACTS: Mapping[str, str | None] = {
    "$current_url": "url",
    "$pathname": "path",
    "$referrer": "referrer",
    "$title": "title",
    "$raw_user_agent": "userAgent",
    "$useragent": "userAgent",
    "$browser_language": "language",
    "$locale": "language",
    "$timezone": "timezone",
    **dict.fromkeys(("$screen_width", "$screen_height", "$viewport_width", "$viewport_height"), None),  # two make one
    **dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"), None),  # context.utm
    **dict.fromkeys(("$host", "$referring_domain", "$search_engine"), None),  # in the addresses
    # persons, devices, accounts
    **dict.fromkeys(("distinct_id", "$distinct_id", "$device_id", "$user_id", "$anon_distinct_id", "$ip"), None),
    **dict.fromkeys(("$groups", "$group_type", "$group_key", "$group_set", "$set", "$set_once", "$unset"), None),
    **dict.fromkeys(("$is_identified", "$process_person_profile", "$insert_id", "$window_id"), None),
    # what an advertiser's click was: its network knows who clicked
    **dict.fromkeys(
        ("gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source", "fbclid", "msclkid", "twclid"), None
    ),
    **dict.fromkeys(("li_fat_id", "mc_cid", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid"), None),
    **dict.fromkeys(("oppref", "bfcid", "_kx"), None),
    # what the client needs for itself
    **dict.fromkeys(("token", "$token", "api_key", "$session_id", "$time", "$lib_custom_api_host"), None),
    **dict.fromkeys(
        ("$configured_session_timeout_ms", "$initialization_time", "$lib_rate_limit_remaining_tokens"), None
    ),
    **dict.fromkeys(("$config_defaults", "$recording_status", "$sent_at", "$geoip_disable", "$is_server"), None),
    # translated to properties
    **dict.fromkeys(("$elements", "$elements_chain", "$el_text", "$event_type", "$external_click_target_url"), None),
    **dict.fromkeys(("$exception_list", "$exception_type", "$exception_message", "$screen_name"), None),
}
_TEXTS = tuple((theirs, ours) for theirs, ours in FACTS.items() if ours)
_LEFT_OUT_BEGINNINGS = ("$initial_", "$session_entry_", "$sdk_debug_", "$geoip_", "$elements_chain_", "$feature/")

_DEVICE_LIBRARIES = frozenset(
    {"web", "js", "posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter", "posthog-unity"}
)
_NOBODY = "$posthog_cookieless"  # what all visitors are called where no cookie may tell them apart
_NO_REFERRER = "$direct"
_MOST = 2**40  # seconds that can be meant


class Captured(NamedTuple):
    """A captured event, and what of its sender the edge may look at but not keep."""

    event: WireEvent
    person: str | None
    address: str | None  # the visitor's, as a server claims
    is_from_device: bool  # the visitor's own device says that it sent this
    sent_at: float | str | None


def translate(fields: Mapping[str, Any], around: Mapping[str, Any]) -> Captured | list[FieldError]:
    """Return an event in our words.

    Parameters
    ----------
    around
        What its body says for all events.
    """
    name = fields.get("event")
    if isinstance(name, str) and name in UNSUPPORTED:
        return [FieldError("event", f"{name} is no event of a visitor", RejectReason.UNSUPPORTED)]
    properties = fields.get("properties")
    if properties is not None and not isinstance(properties, dict):
        return [FieldError("properties", "properties must be an object", RejectReason.WRONG_TYPE)]
    facts = properties or {}
    person = _first(identifier, "distinct_id", fields, facts, around) or identifier(fields, "$distinct_id")
    library = _first(text, "$lib", facts, around)
    event = WireEvent(
        projectId=_first(text, "api_key", fields, around)
        or _first(text, "token", fields, facts, around)
        or text(fields, "$token"),
        event=_name(name, facts, library),
        timestamp=_timestamp(fields, facts),
        id=text(fields, "uuid") or text(facts, "$insert_id"),
        sessionId=identifier(facts, "$session_id") or identifier(fields, "session_id"),
        properties=_properties(name, facts),
        context=_context(name, facts),
        userId=None if _is_anonymous(person, facts) else person,
        anonymousId=person if _is_anonymous(person, facts) else None,
        traits=_traits(fields, facts),
    )
    return Captured(
        event,
        person=None if person == _NOBODY else person,
        address=text(facts, "$ip"),
        is_from_device=library in _DEVICE_LIBRARIES,
        sent_at=moment(fields, "sent_at"),
    )


def _first(read: Any, name: str, *places: Mapping[str, Any]) -> str | None:
    return next((found for place in places if (found := read(place, name)) is not None), None)


def _is_anonymous(person: str | None, facts: Mapping[str, Any]) -> bool:
    return facts.get("$is_identified") is False or person in (text(facts, "$device_id"), _NOBODY)


def _name(name: object, facts: Mapping[str, Any], library: str | None) -> Any:
    if not isinstance(name, str):
        return name
    if name == "$autocapture":
        return _GESTURES.get(text(facts, "$event_type") or "", NAMES[name])
    if name == "$exception" and library not in _DEVICE_LIBRARIES:
        return "exception"
    return NAMES.get(name, name)


def _timestamp(fields: Mapping[str, Any], facts: Mapping[str, Any]) -> float | str | None:
    """Return when it happened; older clients say it in seconds."""
    seconds = facts.get("$time", facts.get("time"))
    return moment(fields, "timestamp") or (_times(seconds, 1000) if type(seconds) in (int, float) else None)


def _properties(name: object, facts: Mapping[str, Any]) -> dict[str, Any]:
    left_out = {"alias"} if name == "$create_alias" else {"title"} if name == "$pageview" else set[str]()
    own = {k: v for k, v in facts.items() if k not in FACTS and k[:1] != "$" and k not in left_out}
    return own | known(_measured(name, facts))


def _measured(name: object, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return as properties what a client measured, in the words of our own SDK."""
    if name == "$pageleave":
        seconds, scrolled = facts.get("$prev_pageview_duration"), facts.get("$prev_pageview_max_scroll_percentage")
        return {"engagedMs": _times(seconds, 1000), "scrollDepth": _times(scrolled, 100)}
    if name in ("$autocapture", "$rageclick", "$dead_click"):
        return _clicked(facts)
    if name == "$exception":
        listed = facts.get("$exception_list")
        first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
        return {
            "type": text(first, "type") or text(facts, "$exception_type"),
            "message": text(first, "value") or text(facts, "$exception_message"),
        }
    return {"name": text(facts, "$screen_name")} if name == "$screen" else {}


def _clicked(facts: Mapping[str, Any]) -> dict[str, Any]:
    elements = facts.get("$elements")
    element = elements[0] if isinstance(elements, list) and elements and isinstance(elements[0], dict) else {}
    href = text(element, "attr__href") or text(facts, "$external_click_target_url")
    return {
        "tag": text(element, "tag_name"),
        "text": text(facts, "$el_text") or text(element, "$el_text"),
        "id": text(element, "attr__id"),
        "href": href and href.partition("?")[0],
    }


def _times(value: object, factor: int) -> int | None:
    return round(value * factor) if isinstance(value, int | float) and 0 <= value < _MOST else None


def _context(name: object, facts: Mapping[str, Any]) -> dict[str, Any]:
    ours = {field: value for theirs, field in _TEXTS if (value := text(facts, theirs))}
    if ours.get("referrer") == _NO_REFERRER:
        del ours["referrer"]
    if name == "$pageview" and (title := text(facts, "title")):
        ours["title"] = title
    rest = {k: v for k, v in facts.items() if k not in FACTS and k[:1] == "$" and not _is_left_out(k)}
    utm = {part: text(facts, f"utm_{part}") for part in ("source", "medium", "campaign", "term", "content")}
    sizes = {
        "screen": pixels(facts, "$screen_width", "$screen_height"),
        "viewport": pixels(facts, "$viewport_width", "$viewport_height"),
    }
    return known(rest | ours | sizes | {"utm": known(utm)})


def _is_left_out(name: str) -> bool:
    return name.startswith(_LEFT_OUT_BEGINNINGS)


def _traits(fields: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the caller says of the person or group: kept only where identities are."""
    said = [mapping(place, name) for name in ("$set_once", "$set") for place in (fields, facts)]
    ids = known({"groupType": text(facts, "$group_type"), "groupId": identifier(facts, "$group_key")})
    told = {key: value for part in (*said, mapping(facts, "$group_set")) for key, value in part.items()}
    return (ids | {key: value for key, value in told.items() if not key.startswith("$") and key not in FACTS}) or None
