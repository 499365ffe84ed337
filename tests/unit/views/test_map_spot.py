from __future__ import annotations

import pytest

from glimpse.views.map_spot import Spot, heard_spot, read_spot


def test_a_spot_is_latitude_longitude_and_zoom():
    assert read_spot("-33.87,151.2,4.5") == Spot(-33.87, 151.2, 4.5)


@pytest.mark.parametrize(
    "said", ["", "1,2", "1,2,3,4", "86,0,3", "0,181,3", "0,0,16", "0,0,-1", "nan,0,3", "1e1,0,3", " 1,2,3"]
)
def test_what_can_be_no_spot_is_none(said: str):
    assert read_spot(said) is None
    assert heard_spot({"map": (said,)}) == ""
