"""Whose request it is: the client's address behind trusted proxies, and what of it may go on.

Rule of this module: the address itself stays in the handler; only its network, /24 or /48, leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address

# Loopback, RFC 1918, RFC 4193, link-local. Not `is_private`, which counts documentation networks and more.
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
_IPV4_HOST_BITS, _IPV6_HOST_BITS = 8, 80
_LONGEST_ADDRESS = 64  # with port and zone; anything longer is garbage
LOOPBACK = "127.0.0.1"


class ClientAddress(NamedTuple):
    """A client's address. Its text is for the visitor's hash and for `GET /` only."""

    text: str  # canonical; "" when it can't be told
    network: str | None  # "203.0.113.0/24", "2001:db8::/48"; None when private or unknown
    is_private: bool
    is_loopback: bool


UNKNOWN = ClientAddress("", None, is_private=False, is_loopback=False)


class AddressReader:
    """Finds the client's address: the rightmost in `X-Forwarded-For` that no trusted proxy has."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = tuple(ip_network(text) for text in trusted_proxies)

    def client_of(self, peer: str, headers: Mapping[str, str]) -> ClientAddress:
        """Return the client's address; unknown when a trusted proxy names something that is none.

        Parameters
        ----------
        peer
            The socket's other end; "" for a unix socket, which counts as loopback.
        headers
            They count only when the peer is a trusted proxy.
        """
        address = parse_address(peer or LOOPBACK)
        if address is None:
            return UNKNOWN
        if self._is_trusted(address):
            address = self._forwarded(address, headers)
        return UNKNOWN if address is None else describe_address(address)

    def _forwarded(self, proxy: Address, headers: Mapping[str, str]) -> Address | None:
        hops = headers.get("X-Forwarded-For")
        if not hops:
            real = headers.get("X-Real-Ip")
            return parse_address(real) if real else proxy
        nearest: Address | None = proxy
        for hop in reversed(hops.split(",")):
            nearest = parse_address(hop)
            if nearest is None or not self._is_trusted(nearest):
                break  # what is further left could be anybody's invention
        return nearest

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def parse_address(text: str) -> Address | None:
    """Return an address given with or without port, brackets, quotes or zone; IPv4 in IPv6 as IPv4."""
    text = text.strip().strip('"')
    if len(text) > _LONGEST_ADDRESS:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def describe_address(address: Address) -> ClientAddress:
    """Return an address with the network that stands for it."""
    is_private = any(address in network for network in _PRIVATE)
    network = None if is_private or address.is_unspecified else _network_of(address)
    return ClientAddress(str(address), network, is_private, address.is_loopback)


def _network_of(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return f"{IPv4Address(int(address) >> _IPV4_HOST_BITS << _IPV4_HOST_BITS)}/24"
    return f"{IPv6Address(int(address) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS)}/48"
