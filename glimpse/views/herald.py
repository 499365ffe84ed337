"""Tells when a browser shows what a notebook's cell displays."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import param
from panel.custom import JSComponent


class Herald(JSComponent):
    """An invisible part whose `shown` changes each time a browser has put up the whole that it belongs to."""

    shown = param.Number(default=0, doc="When that was, by the browser's clock, in ms.")

    _esm = (Path(__file__).parent / "js" / "herald.js").read_text("utf-8")
    _stylesheets: ClassVar[list[str]] = [":host { display: none !important; }"]
