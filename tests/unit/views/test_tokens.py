"""What is written and drawn can be told from its ground and from its neighbours, whichever eyes see it."""

from __future__ import annotations

import math
import re
from itertools import combinations, pairwise

import pytest

from glimpse.views.tokens import DARK, LIGHT, Theme

Colour = tuple[float, float, float]  # linear red, green, blue, 0 to 1
AA_TEXT, AA_GRAPHICS = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
# How colours are seen without one kind of cone, in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
EYES = {
    "all three cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
TOLD_APART = 10.0  # CIE76; 2.3 is what an eye can just tell
both_themes = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)


def linear(colour: str) -> Colour:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG, 1 to 21."""
    lights = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in map(linear, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def tinted(theme: Theme, ground: str) -> str:
    """Return a ground with the accent's tint over it, as what is pressed or pointed at has."""
    *accent, alpha = (float(n) for n in re.findall(r"[\d.]+", theme.accent_soft))
    parts = [
        round(a * alpha + int(ground[i : i + 2], 16) * (1 - alpha)) for a, i in zip(accent, (1, 3, 5), strict=True)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def difference(one: str, other: str, eye: str) -> float:
    """Return how different two colours look, in CIELAB."""
    return math.dist(_lab(linear(one), eye), _lab(linear(other), eye))


def _lab(colour: Colour, eye: str) -> Colour:
    red, green, blue = (min(1.0, max(0.0, sum(a * b for a, b in zip(row, colour, strict=True)))) for row in EYES[eye])
    x = _bent((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = _bent(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = _bent((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _bent(part: float) -> float:
    return math.cbrt(part) if part > 0.008856 else 7.787 * part + 16 / 116


@both_themes
def test_text_can_be_read_on_every_ground_also_where_it_is_pressed_or_pointed_at(theme: Theme):
    grounds = [theme.ground, theme.surface, theme.raised, theme.ocean]
    for ground in (*grounds, tinted(theme, theme.surface)):
        assert contrast(theme.text, ground) > 7
        for name in ("muted", "faint", "accent", "good", "warn", "bad"):
            assert contrast(getattr(theme, name), ground) >= AA_TEXT, (name, ground)
    assert contrast(theme.ground, theme.accent) >= AA_TEXT  # of the buttons that matter most


@both_themes
def test_presence_and_countries_stand_out_from_land_and_sea_and_from_each_other_by_lightness(theme: Theme):
    gone, idle, active = theme.presence
    for colour in theme.presence:
        assert min(contrast(colour, ground) for ground in (theme.land, theme.ocean)) > AA_GRAPHICS
    assert min(contrast(gone, idle), contrast(idle, active)) > 1.2
    assert all(contrast(colour, theme.land) > AA_GRAPHICS for colour in theme.shades)
    assert all(contrast(one, other) > 1.25 for one, other in pairwise(theme.shades))


@both_themes
def test_what_is_drawn_stands_out_from_its_card(theme: Theme):
    for colour in (*theme.types, *theme.presence, theme.accent, theme.edge):
        assert contrast(colour, theme.surface) >= AA_GRAPHICS, colour


@both_themes
@pytest.mark.parametrize("eye", EYES)
def test_types_and_presence_are_told_apart_by_every_eye(theme: Theme, eye: str):
    for scale in (theme.types, theme.presence):
        for one, other in combinations(scale, 2):
            assert difference(one, other, eye) > TOLD_APART, (one, other)
