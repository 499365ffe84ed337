from __future__ import annotations

import msgspec
import pandas as pd
import pytest
from live_events import START, make_event

from glimpse.frames import answer_frame, event_table


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")  # ibis 12 asks pandas 3 for it
def test_a_table_of_events_has_the_same_columns_and_types_with_rows_and_without():
    row = msgspec.structs.asdict(make_event(START, properties={"plan": "pro"}, lat=52.5, lon=13.4))
    some, none = event_table([row]), event_table([])
    assert some.schema() == none.schema()
    (read,) = some.to_pyarrow().to_pylist()
    assert pd.Timestamp(read["time"]) == pd.Timestamp(START, unit="ms", tz="UTC")
    assert (read["properties"], read["lat"], read["page"]) == ('{"plan":"pro"}', 52.5, "/")
    assert read["country"] is None


def test_times_of_an_answer_are_timestamps_and_what_is_not_known_stays_so():
    frame = answer_frame([{"time": START, "last": None, "events": 3}, {"time": START + 1, "last": START, "events": 4}])
    assert list(frame["time"]) == [pd.Timestamp(START + ms, unit="ms", tz="UTC") for ms in (0, 1)]
    assert frame["last"].isna().tolist() == [True, False]
    assert frame["events"].dtype == "int64"
    assert answer_frame([]).empty
