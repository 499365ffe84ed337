from __future__ import annotations

import json

from records import admitted, event_of

from glimpse.live import Recent
from glimpse.views.feed import row


def test_the_feed_never_shows_who_it_was():
    who = {"user_id": "user-4711", "anonymous_id": "anon-0815", "traits": {"email": "ada@example.test"}}
    shown = json.dumps(row(Recent(1, 0, event_of(admitted(), page="/a", **who))))
    assert "/a" in shown
    for secret in ("user-4711", "anon-0815", "ada@example.test"):
        assert secret not in shown
