"""Who is there now, one line a session: what the window heard of it, and what is known of it besides."""

from __future__ import annotations

from glimpse.events import Session
from glimpse.live.numbers import Here
from glimpse.live.visit import Presence, Visit


def here_of(project: str, session_id: str, visit: Visit, session: Session | None) -> Here:
    """Return a session's line. A process that does not drain knows no `session`, so less of it."""
    _, _, city, region, country = visit.place.fixed if visit.place is not None else (None, None, None, None, None)
    return Here(
        project=project,
        session_id=session_id,
        is_active=visit.presence is Presence.ACTIVE,
        heard_at=visit.heard_at,
        page=session.exit_page if session else None,
        source=visit.source,
        city=city,
        region=region,
        country=country or visit.country,
        browser=session.browser if session else None,
        os=session.os if session else None,
        device=session.device if session else None,
        pages=session.pages if session else None,
    )
