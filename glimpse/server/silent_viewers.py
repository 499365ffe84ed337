"""Viewers whose browser reads no more, behind a line that is dead or in a machine that sleeps.

Rule of this module: such a viewer costs a bounded number of bytes, as nothing new is made for it while the last waits
to be read, and is cut within a minute, as no browser that lives leaves a ping unanswered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

from bokeh.document import Document
from panel.io.document import _write_tasks

PING_EVERY_S = 20.0  # and so long the answer may take; Tornado gives 5 s more for a goodbye
MOST_UNREAD_BYTES = 256 * 1024
MOST_UNSENT_MESSAGES = 4


def cut_silent_viewers(tornado_settings: dict[str, Any]) -> None:
    """Have every WebSocket of an application pinged, and closed when it does not answer."""
    tornado_settings["websocket_ping_interval"] = tornado_settings["websocket_ping_timeout"] = PING_EVERY_S


def behind(document: Document) -> Callable[[], bool]:
    """Return what tells whether a page's browser has not read what it was sent. It does not keep the document."""
    weakly = ref(document)

    def is_behind() -> bool:
        page = weakly()
        context: Any = page.session_context if page else None
        session = context.session if context else None
        if page is None or session is None:
            return False
        # One for each message: while the page itself is being written, Panel takes on any number of them.
        is_waiting = len(_write_tasks.get(page, ())) > MOST_UNSENT_MESSAGES
        return is_waiting or any(map(_is_full, session._subscribed_connections))  # noqa: SLF001

    return is_behind


def _is_full(connection: Any) -> bool:
    """Tell whether more waits for a connection than may: bytes in its stream, or messages for their turn."""
    socket = connection._socket  # noqa: SLF001
    protocol = socket.ws_connection
    if protocol is None or protocol.is_closing():
        return False
    waiting = socket.write_lock._block._waiters  # noqa: SLF001
    return len(protocol.stream._write_buffer) > MOST_UNREAD_BYTES or len(waiting) > MOST_UNSENT_MESSAGES  # noqa: SLF001
