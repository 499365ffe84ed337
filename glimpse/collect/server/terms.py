"""How long and how much a client may take."""

from __future__ import annotations

from typing import NamedTuple


class Terms(NamedTuple):
    """Limits of one connection. Times are kept with the sweep's precision, so a little below what is promised."""

    request_within_s: float = 9.6  # from its first byte to its last; slow ones are gone within 10 s
    idle_within_s: float = 75.0  # between requests; longer than the 60 s for which nginx keeps its connections
    linger_s: float = 1.0  # after a refusal that ends the connection, for the client to read it
    sweep_every_s: float = 0.25
    stop_within_s: float = 5.0  # while stopping, for requests that are under way
    most_connections: int = 10_000
    most_head_bytes: int = 32 * 1024
    most_header_lines: int = 128
    most_pipelined: int = 128  # more are read when these are answered
    most_drained_bytes: int = 16 * 1024 * 1024  # of a body that is refused for its size; past that, the connection ends
