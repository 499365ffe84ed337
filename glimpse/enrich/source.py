"""Where a visit came from: referrer, source name and channel.

Rule of this module: a link's own tags (UTM, click ids) outweigh the referrer; a page's own host is never a source, and
a page that was reached from another of the site came from where the visit did; no query of a referrer is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from glimpse.enrich.known_sources import source_of_host, source_of_tag

DIRECT = "direct"
MOST_REMEMBERED_CHARS = 500  # what is longer is worked out each time, so that the caches stay small
# What advertisers' links carry (facebook's fbclid is not among them: it is on every link).
_CLICK_ID_KEYS = "gclid gbraid wbraid dclid msclkid ttclid twclid li_fat_id yclid rdt_cid epik sccid"
_PAID_WORDS = """
    cpc ppc cpm cpv cpa cpp paid paidsearch paid-search paid_search paidsocial paid-social paid_social
    display banner retargeting remarketing sponsored ad ads sem
"""
_CLICK_IDS = frozenset(_CLICK_ID_KEYS.split())
_PAID_MEDIA = frozenset(_PAID_WORDS.split())
_MEDIA_CHANNELS = {
    **dict.fromkeys(("email", "e-mail", "mail", "newsletter"), "email"),
    **dict.fromkeys(("social", "social-media", "social_media", "socialmedia", "sm", "social-network"), "social"),
    **dict.fromkeys(("organic", "search", "seo"), "search"),
    **dict.fromkeys(("referral", "link"), "referral"),
    **dict.fromkeys(("ai", "llm"), "ai"),
}
_UTM = ("source", "medium", "campaign", "term", "content")


class Source(NamedTuple):
    """Where a visit came from; None is unknown or direct."""

    referrer: str | None = None  # without query, fragment and credentials; None when it is the site itself
    source: str | None = None  # "google", "hacker news", a host
    channel: str = DIRECT  # direct, search, social, referral, email, paid, campaign, ai
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None


def describe_source(
    referrer: str | None, url: str | None, utm: Mapping[str, Any] | None = None, *, entry: str | None = None
) -> Source:
    """Return where a visit came from.

    Parameters
    ----------
    referrer
        As the browser gave it.
    url
        The page's own address: its host is no source, its query may hold campaign tags.
    utm
        Campaign tags that the client has read already; they outweigh those in `url`.
    entry
        The referrer of the visit's first page, if the client says so: counts where `referrer` is no other site.
    """
    named = tuple(_clean(utm.get(name)) for name in _UTM) if utm else _NO_UTM
    told = (referrer or "", entry or "", url, named)
    is_short = len(told[0]) + len(told[1]) + len(url or "") <= MOST_REMEMBERED_CHARS
    return _from_all(*told) if is_short else _from_all.__wrapped__(*told)


_NO_UTM: tuple[str | None, ...] = (None,) * len(_UTM)


@lru_cache(20_000)
def _from_all(referrer: str, entry: str, url: str | None, utm: tuple[str | None, ...]) -> Source:
    own_host, query = _host_and_query(url)
    tags = _tags_of(query)
    named = tuple(given or tags.get(f"utm_{name}") for name, given in zip(_UTM, utm, strict=True))
    return _describe(referrer, entry, own_host, named, tags.get("ref"), not _CLICK_IDS.isdisjoint(tags))


@lru_cache(20_000)
def _describe(
    referrer: str,
    entry: str,
    own_host: str,
    utm: tuple[str | None, ...],
    ref: str | None,
    has_click_id: bool,  # noqa: FBT001 - one place calls it
) -> Source:
    address, host = _elsewhere(referrer, own_host)
    if not host:
        address, host = _elsewhere(entry, own_host)
    source, channel = _from_referrer(host)
    if tag := utm[0] or ref:
        known = source_of_tag(tag.lower())
        source, channel = known or (tag.lower(), "campaign" if any(utm) else "referral")
    elif any(utm):
        channel = "campaign"
    return Source(address, source, _by_medium(utm[1], channel, has_click_id=has_click_id), *utm)


def _from_referrer(host: str | None) -> tuple[str | None, str]:
    if not host:
        return None, DIRECT
    return source_of_host(host) or (host.removeprefix("www."), "referral")


def _by_medium(medium: str | None, channel: str, *, has_click_id: bool) -> str:
    word = (medium or "").lower()
    if has_click_id or word in _PAID_MEDIA:
        return "paid"
    return _MEDIA_CHANNELS.get(word, channel)


def _elsewhere(referrer: str, own_host: str) -> tuple[str | None, str | None]:
    address, host = _without_query(referrer)
    return (None, None) if host and _is_same_site(host, own_host) else (address, host)


def _without_query(referrer: str) -> tuple[str | None, str | None]:
    """Return address and host of a web page or an Android app, or None for anything else."""
    try:
        parts = urlsplit(referrer.strip())
        host = parts.hostname
    except ValueError:
        return None, None
    if not host or parts.scheme not in ("http", "https", "android-app"):
        return None, None
    # An app's id is a host the other way round: com.google.android.gm
    known_as = ".".join(reversed(host.split("."))) if parts.scheme == "android-app" else host
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", known_as.lower()


def _is_same_site(host: str, own_host: str) -> bool:
    return bool(own_host) and host.removeprefix("www.") == own_host.removeprefix("www.")


def _host_and_query(url: str | None) -> tuple[str, str]:
    if not url:
        return "", ""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.query
    except ValueError:
        return "", ""


def _tags_of(query: str) -> dict[str, str]:
    """Return the tags of a query that say where a link was; other keys stay unread."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, max_num_fields=200)
    except ValueError:
        return {}
    return {key: value for key, text in pairs if (key.startswith("utm_") or key in _READ) and (value := _clean(text))}


_READ = _CLICK_IDS | {"ref"}


def _clean(value: object) -> str | None:
    return (value.strip()[:200] or None) if isinstance(value, str) else None
