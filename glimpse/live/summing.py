"""The numbers of one project, or of several together, from what is counted of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from glimpse.live.filtered_part import FilteredPart
from glimpse.live.numbers import LiveNumbers, Minute, PlaceNow, Recent
from glimpse.live.places import Key
from glimpse.live.project import RECENT, ProjectWindow
from glimpse.live.tally import MINUTE_MS, merged, minute_of, ranked


def numbers_of(
    project: str, version: int, now: int, span_minutes: int, parts: Sequence[ProjectWindow | FilteredPart]
) -> LiveNumbers:
    """Return what a viewer is shown of these projects."""
    first = minute_of(now) - (span_minutes - 1) * MINUTE_MS
    starts = [first + i * MINUTE_MS for i in range(span_minutes)]
    return LiveNumbers(
        project=project,
        version=version,
        as_of=now,
        covers_since=max((part.since(now) for part in parts), default=first),
        active=sum(part.visits.active for part in parts),
        idle=sum(part.visits.idle for part in parts),
        gone=sum(part.gone for part in parts),
        events_last_minute=sum(part.events_last_minute for part in parts),
        events=sum(part.events for part in parts),
        page_views=sum(part.page_views for part in parts),
        sessions=sum(part.sessions for part in parts),
        bounces=sum(part.bounces for part in parts),
        per_minute=[_summed([part.minute(t) for part in parts], t) for t in starts],
        top_names=ranked(merged(part.names for part in parts)),
        top_pages=ranked(merged(part.pages for part in parts)),
        top_sources=ranked(merged(part.sources for part in parts)),
        top_countries=ranked(merged(part.countries for part in parts)),
        places=_places(parts),
        recent=_latest(parts),
    )


def _places(parts: Sequence[ProjectWindow | FilteredPart]) -> list[PlaceNow]:
    """Return every place once, whichever projects are visited from there."""
    if len(parts) == 1:
        return parts[0].places.now()
    together: dict[Key, PlaceNow] = {}
    for place in chain.from_iterable(part.places.now() for part in parts):
        other = together.get(place.key)
        together[place.key] = place if other is None else other.with_another(place)
    return list(together.values())


def _latest(parts: Sequence[ProjectWindow | FilteredPart]) -> list[Recent]:
    together = chain.from_iterable(part.recent for part in parts)
    return sorted(together, key=lambda recent: (recent.number, recent.heard_at))[-RECENT:]


def _summed(minutes: Iterable[Minute], t: int) -> Minute:
    minutes = list(minutes)
    if len(minutes) == 1:
        return minutes[0]
    return Minute(
        t,
        sum(m.events for m in minutes),
        sum(m.page_views for m in minutes),
        sum(m.sessions for m in minutes),
        sum(m.bounces for m in minutes),
        sum(m.active for m in minutes),
        merged([{}, *(m.by_name for m in minutes)]),
    )
