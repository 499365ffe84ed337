"""Records as columns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from records import admitted, event_of

from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.events import PackedEvent
from glimpse.geo.places import open_places
from glimpse.settings import Settings
from glimpse.store.rows import AT_ONCE, events_table

_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(list[PackedEvent]).decode
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def test_events_of_one_page_become_the_columns_that_each_of_them_becomes_alone(tmp_path: Path):
    contexts: list[dict[str, Any]] = [
        {"url": "https://shop.test/hats?utm_source=news", "language": "de", "pageId": "1", "deep": {"a": [1, None]}},
        {"url": "https://shop.test/cart", "referrer": "https://www.google.com/", "screen": {"width": 9, "height": 8}},
        {},
    ]
    claims = [
        admitted(
            name,
            context=contexts[number % 3],
            properties={"n": number} if number % 2 else {},
            network=("81.2.69.0/24", None)[number // 6],
            user_agent=("", CHROME)[number // 3 % 2],
            user_id=("ann", None)[number % 2],
            traits={"plan": "b"} if number % 4 == 0 else None,
        )
        for number, name in enumerate(["page_view", "click", "page_leave"] * 4)
    ]
    enricher = Enricher(Tools(open_places(Settings(data_dir=tmp_path)), Devices()))
    rows = [event for _, event in enricher.enrich(_decode(_encode([*claims, *claims])))]
    for number, row in enumerate(rows):
        row.session_id = str(number)
    one_context = {"plan": "a"}
    rows += [event_of(claim, page=f"/{n}", context=one_context) for n, claim in enumerate(claims)]
    assert events_table(rows).equals(pa.concat_tables([events_table([row]) for row in rows]))
    many = rows * (2 * AT_ONCE // len(rows) + 1)
    assert events_table(many).equals(pa.concat_tables([events_table(rows)] * (len(many) // len(rows))))
    assert len({id(row.context) for row in rows[:24]}) < 24  # or nothing is shared, and this shows nothing


def test_once_all_is_ready_a_first_commit_imports_nothing(tmp_path: Path):
    code = """if True:
        import sys
        from pathlib import Path
        from uuid import uuid4
        from glimpse.events import Event, Session
        from glimpse.store import DuckStore, Lot, make_ready
        store, name = DuckStore.open(Path(sys.argv[1])), str(uuid4())
        event = Event(id=name, project="shop", session_id=name, name="x", time=1, received_at=1, properties={"a": 1})
        session = Session(project="shop", id=name, started_at=1, last_seen_at=1)
        make_ready()
        before = set(sys.modules)
        store.commit(Lot([event], [session], positions={0: "1-0"}))
        print(sorted(set(sys.modules) - before))
        store.close()
    """
    ran = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
