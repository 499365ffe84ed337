"""The sockets that workers listen on. The supervisor keeps them, so that what waits in one outlives a worker."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from glimpse.errors import GlimpseError

_BACKLOG = 1024


class CannotListen(GlimpseError):
    """A port or path can't be listened on; the message says which, and why."""


def tcp_sockets(host: str | None, port: int, count: int) -> list[socket.socket]:
    """Return sockets that share a port, each with connections of its own (SO_REUSEPORT).

    Parameters
    ----------
    host
        Name or address; None for every one that this machine has.
    port
        0 for any that is free.
    """
    _bound(host, port, is_shared=False).close()  # another program that shares its port would get half of the events
    first = _bound(host, port)
    sockets = [first, *(_bound(host, first.getsockname()[1]) for _ in range(count - 1))]
    for listening in sockets:
        listening.listen(_BACKLOG)
    return sockets


def _bound(host: str | None, port: int, *, is_shared: bool = True) -> socket.socket:
    is_dual = host is None and socket.has_dualstack_ipv6()
    try:
        family, _, _, _, place = socket.getaddrinfo(
            "::" if is_dual else host or "0.0.0.0",  # noqa: S104 - as `panel serve` does
            port,
            type=socket.SOCK_STREAM,
        )[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if is_dual else 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(is_shared))
        bound.bind(place)
    except OSError as problem:
        raise CannotListen(f"can't listen on {host or 'any address'}, port {port}: {problem}") from problem
    return bound


def unix_socket(path: Path) -> socket.socket:
    """Return a socket at a path, in place of one that nobody listens on any more."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _is_listened_on(path):
            path.unlink()
        listening.bind(os.fspath(path))
    except OSError as problem:
        raise CannotListen(f"can't listen on {path}: {problem}") from problem
    listening.listen(_BACKLOG)
    return listening


def _is_listened_on(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        return probe.connect_ex(os.fspath(path)) == 0
