"""What a page shows before its parts are there: the tiles with their numbers, and where everything else will stand.

A page's parts come with half a second of the server's and as much of the browser's processor. Its numbers are there at
once, and are drawn by the script that draws them afterwards, in the same places: `js/first_sight.js` takes it away when
the tiles themselves are there. Rule of this module: only what the page will show just so, so only for the live page
without a filter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from glimpse.live import Window
from glimpse.views.address import read_address
from glimpse.views.board import board_of
from glimpse.views.kpis import first_state
from glimpse.views.page import project_of
from glimpse.views.parts import script, style

_TELLING = ("where", "segment", "kiosk", "since", "until", "compare")  # with any of these, something else is shown
_SHEETS = {"page": ("dashboard", "first_sight"), "grid": ("grid", "first_sight"), "kpis": ("kpis", "first_sight")}


def first_sight(window: Window, arguments: Mapping[str, Sequence[bytes]]) -> str:
    """Return markup for the page at an address with these arguments, empty where the page will not look like that."""
    said = read_address(arguments)
    if said.get("view", "live") != "live" or any(said.get(name) for name in _TELLING):
        return ""
    board = board_of(window, project_of(window, said))
    if board.numbers.is_empty:
        return ""
    state = first_state(board).replace("<", "\\u003c")
    return (
        f'<div id="sight" inert aria-hidden="true"><script type="application/json">{state}</script></div>{_drawing()}'
    )


@cache
def _drawing() -> str:
    sheets = {name: "\n".join(style(*names)) for name, names in _SHEETS.items()}
    tiles = script("words", "kpis").replace("export function render", "function render")
    drawn = (Path(__file__).parent / "js" / "first_sight.js").read_text("utf-8")
    return f"<script>(() => {{\nconst sheets = {msgspec.json.encode(sheets).decode()}\n{tiles}\n{drawn}}})()</script>"
