"""What all viewers of one project are shown, worked out once for each version of the window.

Nothing here knows a viewer: viewers come and read. See DESIGN's rule "compute once, show to many".
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import msgspec

from glimpse.events import PAGE_VIEW
from glimpse.filters import Filter
from glimpse.live import LiveNumbers, Window
from glimpse.views.map_cells import Cells, Frame
from glimpse.views.place_rows import PlaceRows
from glimpse.views.tokens import OTHER_SLOT

K = TypeVar("K")
_encode = msgspec.json.Encoder().encode
_boards: WeakKeyDictionary[Window, dict[str, Board]] = WeakKeyDictionary()
# A filter's board lives as long as somebody looks through it: there are as many filters as viewers think of.
_filtered: WeakKeyDictionary[Window, WeakValueDictionary[tuple[str, Filter], Board]] = WeakKeyDictionary()


@dataclass(frozen=True)
class BoardSpan:
    """Which span a board's numbers are of, where it is not the window's: `[since, until)`, epoch ms UTC."""

    since: int
    until: int
    unit: str  # how long its steps are
    tz: str
    goes_on: bool  # whether it ends now
    before: dict[str, Any]  # the totals of the span of the same length before it
    projects: list[dict[str, Any]]  # of all: what each one has


class Board:
    """One project's numbers, and what views made of them; `version` grows with each newer state.

    Attributes
    ----------
    span
        None where the numbers are those of the live window.
    """

    def __init__(self, numbers: LiveNumbers, span: BoardSpan | None = None) -> None:
        self.numbers = numbers
        self.span = span
        self.slots: dict[str, int] = {PAGE_VIEW: 0}  # event name -> colour; the rest has the last one
        self.places = PlaceRows()
        self._cells: WeakValueDictionary[Frame, Cells] = WeakValueDictionary()  # each while a map shows it
        self.version = 0
        self._made: dict[str, Any] = {}
        self._lasting: dict[str, tuple[int, int, str]] = {}  # when it was made, of which version, and the text
        self._renew()

    def take(self, numbers: LiveNumbers) -> None:
        """Go on to newer numbers."""
        if numbers is not self.numbers:
            self.numbers = numbers
            self._renew()

    def made(self, name: str, make: Callable[[Board], Any]) -> Any:
        """Return what `make` makes of this version: made by the first viewer that asks."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]

    def json(self, name: str, make: Callable[[Board], Any]) -> str:
        """Return the same as JSON text, which goes to a browser as it is."""
        return self.made(f"{name}.json", lambda board: _encode(make(board)).decode())

    def lasting(self, name: str, ms: int, make: Callable[[Board], str]) -> str:
        """Return a text that is made anew at most so often, whatever the version: by the first viewer that asks."""
        made_at, _, text = self._lasting.get(name, (0, 0, ""))
        return text if text and self.numbers.as_of - made_at < ms else self.renewed(name, make)

    def renewed(self, name: str, make: Callable[[Board], str]) -> str:
        """Return a lasting text as it is of this version."""
        if not self.is_renewed(name):
            self._lasting[name] = (self.numbers.as_of, self.version, make(self))
        return self._lasting[name][2]

    def is_renewed(self, name: str) -> bool:
        """Whether a lasting text is of this version."""
        return name in self._lasting and self._lasting[name][1] == self.version

    def cells(self, frame: Frame) -> Cells:
        """Return the dots of a part of the world, up to date; the same for every map that shows it."""
        cells = self._cells.get(frame)
        if cells is None:
            cells = self._cells[frame] = Cells(self.places, frame)
        cells.take()
        return cells

    def slot(self, name: str) -> int:
        """Return the colour slot of an event's type."""
        return self.slots.get(name, OTHER_SLOT)

    def _renew(self) -> None:
        self._made = {}
        self.version += 1
        self._give_slots()
        self.places.take(self.numbers)

    def _give_slots(self) -> None:
        """Give the most frequent types a colour; who has one keeps it for as long as it is among them."""
        named = [line.name for line in self.numbers.top_names if line.name and line.name != PAGE_VIEW]
        frequent = named[: OTHER_SLOT - 1]
        kept = {name: slot for name, slot in self.slots.items() if name in frequent}
        free = (slot for slot in range(1, OTHER_SLOT) if slot not in kept.values())
        given = {name: next(free) for name in frequent if name not in kept}
        self.slots = {PAGE_VIEW: 0} | kept | given


def board_of(window: Window, project: str, where: Filter | None = None) -> Board:
    """Return the board of a project, as a filter keeps it, up to date; the same for every viewer.

    Raises
    ------
    TooManyFilters
        When too many others are looked through.
    """
    if where is None:
        return _up_to_date(_boards.setdefault(window, {}), project, window.numbers(project))
    numbers = window.numbers(project, where)
    return _up_to_date(_filtered.setdefault(window, WeakValueDictionary()), (project, where), numbers)


def _up_to_date(boards: MutableMapping[K, Board], key: K, numbers: LiveNumbers) -> Board:
    board = boards.get(key)
    if board is None:
        board = boards[key] = Board(numbers)
    board.take(numbers)
    return board
