"""Tornado's own log lines without what some of them name: the client's address, the query, a malformed request's text.

The lines are known by their form; tests/integration/test_logs.py sends what brings them forth.
"""

from __future__ import annotations

import logging
import re

from tornado.httputil import HTTPServerRequest

_LOGGERS = ("tornado.general", "tornado.application", "tornado.access")
_SUMMARY = re.compile(r"(?P<method>\S*) (?P<path>[^?]*)(?:\?.*)? \(\S*\)", re.DOTALL)  # RequestHandler._request_summary
_QUOTED = re.compile(r"[:'\"]|(?<=Transfer-Encoding) ")  # what a message quotes begins here
_A_CLIENT = "a client"


class HideAddress(logging.Filter):
    """Takes out of a line's arguments what came from the client, but method and path."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, changed where it needs to be."""
        if isinstance(record.args, tuple) and record.args:
            message = str(record.msg)
            if "from %s" in message:  # a connection, and for a malformed request what is wrong with it
                record.args = (_A_CLIENT, *map(_reason, record.args[1:]))
            elif message == "%d %s: %s":  # a handler's error that is an answer
                record.args = (record.args[0], _without_client(record.args[1]), _reason(record.args[2]))
            else:
                record.args = tuple(map(_without_client, record.args))
        return True


def _without_client(argument: object) -> object:
    if isinstance(argument, HTTPServerRequest):
        return f"{argument.method} {argument.path}"
    if isinstance(argument, str) and (found := _SUMMARY.fullmatch(argument)):
        return f"{found['method']} {found['path']}"
    return argument


def _reason(argument: object) -> str:
    return _QUOTED.split(str(argument), maxsplit=1)[0].strip()


_HIDE_ADDRESS = HideAddress()


def hide_addresses() -> None:
    """Apply it to Tornado's loggers; a second call changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_HIDE_ADDRESS)
