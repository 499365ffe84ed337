"""What every part of the dashboard has in common: a theme, a pull, and a picture drawn in the browser from JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakMethod

import msgspec
import panel as pn
import param
from bokeh.document import Document
from panel.custom import JSComponent

from glimpse.live import ALL_PROJECTS, Window
from glimpse.views.address import Choices
from glimpse.views.board import Board
from glimpse.views.pull import Pull
from glimpse.views.tokens import ThemeName, variables

HERE = Path(__file__).parent


def script(*names: str) -> str:
    """Return one of the browser's modules, after what it is made with: the elements of all, and what it names."""
    return "".join((HERE / "js" / f"{part}.js").read_text("utf-8") for part in ("elements", *names))


def style(*names: str) -> list[str]:
    """Return style sheets as text, the common one first."""
    return [(HERE / "css" / f"{name}.css").read_text("utf-8") for name in ("part", *names)]


def set_away(layout: pn.viewable.Viewable, *, is_away: bool) -> None:
    """Hide a page, or show it again. Bokeh's own way does not reach a grid, whose display is its style sheet's."""
    classes: list[str] = layout.css_classes
    if ("g-away" in classes) != is_away:
        layout.css_classes = [*classes, "g-away"] if is_away else [name for name in classes if name != "g-away"]


def put(part: param.Parameterized, name: str, value: object) -> None:
    """Set a parameter that is looked at again and again, if it changes: setting costs ten times what reading does."""
    if getattr(part, name) != value:
        setattr(part, name, value)


def weak_hook(method: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return a plot hook that does not keep its view alive.

    HoloViews keeps an element's options, hooks among them, for as long as the element lives; a view that holds the
    element would hold itself for ever.
    """
    weakly = WeakMethod(method)

    def hook(plot: Any, element: Any) -> None:
        if (alive := weakly()) is not None:
            alive(plot, element)

    return hook


@cache
def _hash(script: str) -> str:
    return sha256(script.encode()).hexdigest()


def call_on_tap(source: Any, method: Callable[[Any, int], None]) -> None:
    """Call a view's method with a figure's column source and the row that is clicked on, without keeping it alive."""
    weakly = WeakMethod(method)

    def on_change(_attr: str, _old: Any, rows: list[int]) -> None:
        take = weakly()
        if take is not None and rows:
            source.selected.indices = []
            take(source, rows[-1])

    source.selected.on_change("indices", on_change)


class Picture(JSComponent):
    """Something that the browser draws from one JSON text with `textContent` alone, so that no data is ever markup."""

    state = param.String("", doc="What to draw, as JSON; made once for all viewers.")
    picked = param.String("", doc="What was clicked on last, as JSON: field and value, null for what is unknown.")

    __abstract = True

    def _get_properties(self, doc: Document | None) -> dict[str, Any]:
        """Say that the script is JavaScript as it stands, by what a bundle is known: its hash.

        Panel takes it for TypeScript else, and has the browser translate each part's, a tenth of a second in all.
        """
        properties = super()._get_properties(doc)
        return properties | {"bundle": properties["bundle"] or _hash(properties["esm"])}

    def _update_model(self, events: Any, msg: dict[str, Any], root: Any, model: Any, doc: Any, comm: Any) -> None:
        """Write what is to be drawn straight into the model.

        Panel would look through all parameters that any of its parts has, for each text; with some ten parts that is
        most of what a viewer costs. That a change is Python's own, and none to be taken back, `_changing` says.
        """
        if msg.keys() != {"state"}:
            super()._update_model(events, msg, root, model, doc, comm)
            return
        ref = root.ref["id"]
        before = self._changing.get(ref)
        self._changing[ref] = ["state"]
        try:
            model.data.state = msg["state"]
        finally:
            if before is None:
                del self._changing[ref]
            else:
                self._changing[ref] = before


class LiveView(pn.viewable.Viewer):
    """A part: stands alone in a cell, with a pull of its own, or in a dashboard, which hands it one.

    Parameters
    ----------
    window
        What it follows.
    project
        Which project of it; '*' is all.
    pull
        The dashboard's.
    """

    theme = param.Selector(default="dark", objects=["dark", "light"], doc="Which of the two sets of colours.")
    picked = param.Parameter(None, doc="What was clicked on last to be filtered by: field and value.")
    choices = param.Dict(default={}, doc="What is chosen in it, as an address says it: the texts of each name.")
    says: ClassVar[tuple[str, ...]] = ()  # by which names an address says it
    is_always_there: ClassVar[bool] = False  # on every page of the dashboard
    is_early: ClassVar[bool] = True  # shows what it is made with, before a browser has looked
    alone_styles: ClassVar[dict[str, str]] = {}  # its size, where no dashboard gives it one

    def __init__(self, window: Window, project: str = ALL_PROJECTS, *, pull: Pull | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.window = window
        self.pull = pull or Pull(window, project)
        self._is_alone = pull is None
        self.layout = self._build()
        self.pull.add(self.refresh, always=self.is_always_there, early=self.is_early)
        self.param.watch(lambda change: self._recolour(change.new), "theme")
        self._recolour(self.theme)

    def _build(self) -> pn.viewable.Viewable:
        """Make the layout, once."""
        raise NotImplementedError

    def refresh(self, board: Board) -> None:
        """Take up what is new on the board."""
        raise NotImplementedError

    def choose(self, said: Choices) -> None:
        """Go on to what an address says of this part, among others."""
        mine = {name: said[name] for name in self.says if said.get(name)}
        if mine != self.choices:
            self._hear(mine)

    def _hear(self, said: Choices) -> None:
        """Take what is chosen, by the names of `says`; what can't be, or is not there, is as usual."""

    def _pick_from(self, picture: Picture) -> None:
        """Take what is clicked on in a picture as what is picked here."""
        picture.param.watch(lambda change: self._pick(change.new), "picked")

    def _pick(self, said: str) -> None:
        try:
            field, value, _ = msgspec.json.decode(said, type=tuple[str, str | None, int])
        except msgspec.MsgspecError:  # no browser of ours says that
            return
        self.picked = (field, value)
        self.picked = None  # so that the same can be picked again

    def _recolour(self, theme: ThemeName) -> None:
        """Take another theme's colours; in a dashboard they come from above."""
        if self._is_alone:
            self.layout.styles = {**variables(theme), **self.alone_styles}

    def stop(self) -> None:
        """Follow no more."""
        self.pull.stop()

    def __panel__(self) -> pn.viewable.Viewable:
        self.pull.begin(self.layout)
        return self.layout
