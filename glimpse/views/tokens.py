"""Colour, type and space: every view takes them from here, in both themes.

The scales that carry meaning are safe for colour-blind eyes: presence is amber, blue and grey, and stands out from land
and sea by 3:1, as do a country's shades, which go one way in lightness; event types are the Okabe-Ito colours
(https://jfly.uni-koeln.de/color/), on white darkened until each stands out from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["dark", "light"]

FONT = '"Inter", ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
MONO = 'ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
SIZES = {"xs": "11px", "sm": "12px", "md": "13px", "lg": "15px", "number": "30px"}
SPACE = {"1": "4px", "2": "8px", "3": "12px", "4": "16px", "5": "24px"}
RADIUS = "12px"

# Event types: six get a colour, the most frequent first, the rest share the last.
TYPE_SLOTS = 7
OTHER_SLOT = TYPE_SLOTS - 1


@dataclass(frozen=True)
class Theme:
    """One theme's colours, as CSS writes them."""

    name: ThemeName
    ground: str  # behind everything
    surface: str  # cards
    raised: str  # what lies on a card: menus, hover cards
    line: str  # borders
    edge: str  # borders of what is typed in or chosen from, which have to be seen
    text: str
    muted: str
    faint: str
    accent: str
    accent_soft: str
    good: str
    warn: str
    bad: str
    shadow: str
    lift: str  # the shadow of what floats above: menus, cards at the pointer
    ocean: str
    land: str
    border: str  # between countries
    coast: str
    grid: str
    presence: tuple[str, str, str]  # gone, idle, active
    shades: tuple[str, ...]  # of countries, from few to many
    types: tuple[str, ...]  # by slot


DARK = Theme(
    name="dark",
    ground="#060a13",
    surface="#0c1322",
    raised="#141e33",
    line="#1c2840",
    edge="#5c6d91",
    text="#e8eefa",
    muted="#a0b0cd",
    faint="#8394b5",
    accent="#5ec8f8",
    accent_soft="rgba(94, 200, 248, 0.14)",
    good="#3fdc9b",
    warn="#ffb84d",
    bad="#ff7a70",
    shadow="0 1px 0 rgba(255, 255, 255, 0.03) inset, 0 8px 24px rgba(0, 0, 0, 0.28)",
    lift="0 10px 30px rgba(0, 0, 0, 0.38)",
    ocean="#080e1b",
    land="#16223a",
    border="#223253",
    coast="#2d4069",
    grid="#15203550",
    presence=("#7d8bab", "#4fb3ff", "#ffc857"),
    shades=("#3c7fb0", "#5b9fd0", "#83bfe8", "#b3dcf7", "#eaf7ff"),
    types=("#56b4e9", "#f0b13c", "#2fc79a", "#d98bb8", "#f0e442", "#e8743b", "#64748f"),
)

LIGHT = Theme(
    name="light",
    ground="#f4f6fa",
    surface="#ffffff",
    raised="#ffffff",
    line="#dfe5ee",
    edge="#7f8ca3",
    text="#101a2c",
    muted="#46546d",
    faint="#5a6780",
    accent="#0966a8",
    accent_soft="rgba(9, 102, 168, 0.10)",
    good="#087a4d",
    warn="#955800",
    bad="#bb2e26",
    shadow="0 1px 2px rgba(16, 26, 44, 0.04), 0 4px 16px rgba(16, 26, 44, 0.05)",
    lift="0 8px 28px rgba(16, 26, 44, 0.18)",
    ocean="#eaf0f7",
    land="#fdfdfe",
    border="#d5dde9",
    coast="#b9c6d9",
    grid="#dfe5ee80",
    presence=("#75839a", "#0a6fb5", "#a63603"),
    shades=("#4f8cbd", "#3a7ab0", "#235f94", "#124574", "#062a4d"),
    types=("#0773b3", "#ca8500", "#009e73", "#cc79a9", "#8e822d", "#c04a00", "#6e7785"),
)

THEMES: dict[ThemeName, Theme] = {"dark": DARK, "light": LIGHT}
_COLOURS = (
    "ground",
    "surface",
    "raised",
    "line",
    "edge",
    "text",
    "muted",
    "faint",
    "accent",
    "accent_soft",
    "good",
    "warn",
    "bad",
    "shadow",
    "lift",
    "ocean",
    "land",
    "border",
)


def variables(name: ThemeName) -> dict[str, str]:
    """Return a theme as CSS custom properties; they reach into every shadow root below where they are set."""
    theme = THEMES[name]
    colours = {f"--g-{colour.replace('_', '-')}": getattr(theme, colour) for colour in _COLOURS}
    types = {f"--g-type-{slot}": colour for slot, colour in enumerate(theme.types)}
    presence = dict(zip(("--g-gone", "--g-idle", "--g-active"), theme.presence, strict=True))
    shades = {f"--g-shade-{n}": colour for n, colour in enumerate(theme.shades)}
    sizes = {f"--g-{size}": value for size, value in SIZES.items()}
    spaces = {f"--g-space-{step}": value for step, value in SPACE.items()}
    fixed = {"--g-font": FONT, "--g-mono": MONO, "--g-radius": RADIUS, "color-scheme": name}
    return colours | types | presence | shades | sizes | spaces | fixed


def root_css(name: ThemeName, selector: str) -> str:
    """Return the same as a CSS rule."""
    return f"{selector} {{ {' '.join(f'{key}: {value};' for key, value in variables(name).items())} }}"
