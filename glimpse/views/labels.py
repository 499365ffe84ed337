"""What events are called on the page: the tracker's own in words, a site's own as the site names them."""

from __future__ import annotations

_LABELS = {
    "page_view": "Page view",
    "page_leave": "Page leave",
    "session_start": "Session start",
    "element_viewed": "Element seen",
    "outbound_click": "Outbound click",
    "file_download": "Download",
    "form_submit": "Form sent",
    "scroll_depth": "Scroll depth",
    "web_vital": "Web vital",
    "js_error": "Script error",
    "identify": "Traits set",
    "click": "Click",
}


def event_label(name: str) -> str:
    """Return the words for an event's name; the name itself, if it is not the tracker's."""
    return _LABELS.get(name, name)
