"""Which user agents are crawlers or headless browsers, by the list of the package `crawler-user-agents`.

HTTP libraries such as curl are on that list too; here they are no bots: servers send events with them.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

MOST_JUDGED_CHARS = 512  # one check costs 3 µs a character
REMEMBERED = 20_000

# Under the list's tag for libraries there are crawlers as well.
_CRAWLS = re.compile("crawl|bot|spider|scrap|httrack|larbin|colly|newspaper|opengraph|ninja|trafilatura", re.IGNORECASE)


class Kind(Enum):
    """What a user agent is, besides a browser that a person uses."""

    CRAWLER = "crawler"
    HEADLESS = "headless"


def _kind_of_entry(entry: dict[str, object]) -> Kind | None:
    tags, pattern = entry.get("tags") or [], str(entry["pattern"])
    if tags == ["http-library"] and not _CRAWLS.search(pattern):
        return None
    return Kind.HEADLESS if tags == ["browser-automation"] else Kind.CRAWLER


def _compiled(kind: Kind) -> re.Pattern[str]:
    return re.compile("|".join(e["pattern"] for e in CRAWLER_USER_AGENTS_DATA if _kind_of_entry(e) is kind))


_CRAWLER, _HEADLESS = _compiled(Kind.CRAWLER), _compiled(Kind.HEADLESS)


@lru_cache(REMEMBERED)
def judge_user_agent(user_agent: str) -> Kind | None:
    """Return what a user agent is; None for browsers, HTTP libraries and what is unknown."""
    judged = user_agent[:MOST_JUDGED_CHARS]
    if _HEADLESS.search(judged):
        return Kind.HEADLESS
    return Kind.CRAWLER if _CRAWLER.search(judged) else None
