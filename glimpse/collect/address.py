"""Whose request it is: the client's address behind trusted proxies, and what of it may go on.

Rule of this module: the address itself stays in the handler; only its network, /24 or /48, leaves. What was worked out
is remembered for a minute, in memory alone, because clients come again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from glimpse.collect.forwarding import ALL, hops, name_in_use
from glimpse.settings import Settings

Address = bytes
"""Four bytes or sixteen, in the network's order."""

LOOPBACK = "127.0.0.1"
_LONGEST_ADDRESS = 64  # with port and zone; anything longer is garbage
_MOST_KNOWN = 4096  # peers, and what they forwarded
_FORGET_AFTER_S = 60
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in IPv6
_UNSPECIFIED = (bytes(4), bytes(16))


class ClientAddress(NamedTuple):
    """A client's address. Its text is for the visitor's hash and for `GET /` only."""

    text: str  # canonical; "" when it can't be told
    network: str | None  # "203.0.113.0/24", "2001:db8::/48"; None when private or unknown
    is_private: bool
    is_loopback: bool


UNKNOWN = ClientAddress("", None, is_private=False, is_loopback=False)


class Networks:
    """A set of networks, made once, asked often."""

    def __init__(self, texts: Iterable[str]) -> None:
        networks = [_unmapped(ip_network(text)) for text in texts]
        self._of_size = {
            size: tuple((int(n.netmask), int(n.network_address)) for n in networks if n.max_prefixlen == 8 * size)
            for size in (4, 16)
        }
        self._first_bytes = {
            size: frozenset(byte for n in networks if n.max_prefixlen == 8 * size for byte in _first_bytes(n))
            for size in (4, 16)
        }

    def __contains__(self, address: Address) -> bool:
        size = len(address)
        if address[0] not in self._first_bytes[size]:
            return False  # as most are not
        number = int.from_bytes(address)
        return any(number & mask == start for mask, start in self._of_size[size])


def _first_bytes(network: IPv4Network | IPv6Network) -> range:
    return range(network.network_address.packed[0], network.broadcast_address.packed[0] + 1)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    start = network.network_address
    is_mapped = isinstance(start, IPv6Address) and start.ipv4_mapped and network.prefixlen >= 96
    return ip_network((int(start) & 0xFFFFFFFF, network.prefixlen - 96)) if is_mapped else network


_LOOPBACK = Networks(("127.0.0.0/8", "::1/128"))
# RFC 1918, RFC 4193, link-local. Not `is_private` of `ipaddress`, which counts documentation networks and more.
_PRIVATE = Networks(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"))


class AddressReader:
    """Finds the client's address: the rightmost that no trusted proxy has, of the header that counts.

    Parameters
    ----------
    trusted_proxies
        Networks of the proxies whose word is taken.
    header
        The one header that counts, whatever its case; without one, the first of `forwarding.ALL` that is there.
    """

    def __init__(
        self, trusted_proxies: Sequence[str], header: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._trusted = Networks(trusted_proxies)
        self._names = (_cased(header),) if header else ALL
        self._some_name = frozenset(self._names)
        self._clock = clock
        self._forget_at = 0.0
        self._direct = lru_cache(_MOST_KNOWN)(self._read_peer)
        self._forwarded = lru_cache(_MOST_KNOWN)(self._read_hops)

    def client_of(self, peer: str, headers: Mapping[str, str]) -> ClientAddress:
        """Return the client's address; unknown when a trusted proxy names something that is none.

        Parameters
        ----------
        peer
            The socket's other end; "" for a unix socket, which counts as loopback.
        headers
            By name in Http-Header-Case. They count only when the peer is a trusted proxy.
        """
        if self._clock() >= self._forget_at:
            self._forget()
        client, is_trusted = self._direct(peer)
        if not is_trusted or self._some_name.isdisjoint(headers):
            return client
        used = name_in_use(headers, self._names)
        return self._forwarded(*used) if used else client

    def trusts(self, peer: str) -> bool:
        """Tell whether what a peer forwards is believed."""
        return self._direct(peer)[1]

    def _read_peer(self, peer: str) -> tuple[ClientAddress, bool]:
        address = parse_address(peer or LOOPBACK)
        return (UNKNOWN, False) if address is None else (describe_address(address), address in self._trusted)

    def _read_hops(self, name: str, text: str) -> ClientAddress:
        address = None
        for hop in hops(name, text):
            address = parse_address(hop)
            if address is None or address not in self._trusted:
                break  # what is further left could be anybody's invention
        return describe_address(address) if address else UNKNOWN

    def _forget(self) -> None:
        self._forget_at = self._clock() + _FORGET_AFTER_S
        self._direct.cache_clear()
        self._forwarded.cache_clear()


def _cased(header: str) -> str:
    return "-".join(word.capitalize() for word in header.split("-"))


def reader_for(settings: Settings) -> AddressReader:
    """Return the reader that all parts with these settings share."""
    return _reader(settings.trusted_proxies, settings.client_address_header)


_reader = lru_cache(8)(AddressReader)


def parse_address(text: str) -> Address | None:
    """Return an address given with or without port, brackets, quotes or zone; IPv4 in IPv6 as IPv4."""
    text = text.strip(' \t"')
    if len(text) > _LONGEST_ADDRESS or "\0" in text or not text.isascii():
        return None
    if ":" not in text:
        return _packed(AF_INET, text)
    if text[0] == "[":
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        return _packed(AF_INET, text.partition(":")[0])
    address = _packed(AF_INET6, text.partition("%")[0])
    return address[12:] if address and address.startswith(_MAPPED) else address


def _packed(family: int, text: str) -> Address | None:
    try:
        return inet_pton(family, text)
    except OSError:
        return None


def describe_address(address: Address) -> ClientAddress:
    """Return an address with the network that stands for it."""
    is_loopback = address in _LOOPBACK
    is_private = is_loopback or address in _PRIVATE
    has_network = not is_private and address not in _UNSPECIFIED
    if len(address) == 4:
        text = inet_ntop(AF_INET, address)
        network = f"{text[: text.rindex('.')]}.0/24"
    else:
        text = inet_ntop(AF_INET6, address)
        network = f"{inet_ntop(AF_INET6, address[:6] + bytes(10))}/48"
    return ClientAddress(text, network if has_network else None, is_private, is_loopback)
