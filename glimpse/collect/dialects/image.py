"""The image that trackers without JavaScript ask for: one transparent pixel."""

from __future__ import annotations

from http import HTTPStatus

from glimpse.collect.answers import Answer

# GIF89a: a screen of 1x1 with a palette of two, colour 0 transparent, and one frame that shows it.
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00"
    b"\x00\x00\x00\x00\x00\x00"
    b"!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00"
    b"\x02\x02D\x01\x00"
    b";"
)
_NOT_KEPT = {"Cache-Control": "no-store, max-age=0", "Cross-Origin-Resource-Policy": "cross-origin"}


def image_answer(headers: dict[str, str], status: int = HTTPStatus.OK) -> Answer:
    """Answer with the image, which nobody may keep: each view is to be asked for."""
    return Answer(status, GIF, _NOT_KEPT | headers, "image/gif")
