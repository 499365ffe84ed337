"""Tornado's own log lines without the address that two of them name: malformed requests, and bodies that never end."""

from __future__ import annotations

import logging


class HideAddress(logging.Filter):
    """Takes the connection's text, which is the client's address, out of a line's arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, changed where it says "from %s"."""
        if isinstance(record.args, tuple) and "from %s" in str(record.msg):
            record.args = ("a client", *record.args[1:])
        return True


_HIDE_ADDRESS = HideAddress()


def hide_addresses() -> None:
    """Apply it to Tornado's lines about connections; a second call changes nothing."""
    logging.getLogger("tornado.general").addFilter(_HIDE_ADDRESS)
