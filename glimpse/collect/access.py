"""Who may look at dashboard and read API, until there are logins: clients on loopback, or all if it is public."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

import msgspec

from glimpse.collect.address import reader_for
from glimpse.settings import Settings

if TYPE_CHECKING:  # the fast server does without Tornado
    from tornado.httputil import HTTPServerRequest

REFUSAL = "only clients on this machine may look; GLIMPSE_PUBLIC=1 opens dashboard and read API to all"


def peer_of(request: HTTPServerRequest) -> str:
    """Return the socket's other end, "" for a unix socket.

    Not `remote_ip`: with Tornado's `xheaders` that is whatever a header says, from anybody.
    """
    address = getattr(getattr(request.connection, "context", None), "address", None)
    return str(address[0]) if isinstance(address, tuple) and address else ""


def may_look(request: HTTPServerRequest, settings: Settings) -> bool:
    """Tell whether a request may see what visitors did; for every page, route and WebSocket that shows it."""
    # nginx speaks HTTP/1.0 to us, under our own name, when it was told nothing but where we are: a proxy that says not
    # for whom it asks, and would look like somebody who sits here. No browser does.
    is_mute_proxy = request.version == "HTTP/1.0" and not settings.is_public
    return not is_mute_proxy and is_allowed(peer_of(request), request.headers, settings)


def may_change(request: HTTPServerRequest, settings: Settings) -> bool:
    """Tell whether who asks may change what is set for projects: they sit at this machine, also where all may look."""
    closed = msgspec.structs.replace(settings, is_public=False)
    return may_look(request, closed)


def is_allowed(peer: str, headers: Mapping[str, str], settings: Settings) -> bool:
    """Tell whether a client at `peer` may look: it and the host it asked for are on loopback, or all may.

    The host counts because a page elsewhere can give its own name this machine's address (DNS rebinding), and would
    then read through the browser of whoever sits here.
    """
    if settings.is_public:
        return True
    client = reader_for(settings).client_of(peer, headers)
    return client.is_loopback and _is_local_name(headers.get("Host") or "localhost")


def _is_local_name(host: str) -> bool:
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True  # an address can't be rebound
