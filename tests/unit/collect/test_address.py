from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.collect.address import UNKNOWN, AddressReader, ClientAddress
from glimpse.collect.visitor import visitor_hash

READER = AddressReader(("127.0.0.0/8", "::1/128", "10.9.0.0/16"))
LOOPBACK = "127.0.0.1"


def client(peer: str, forwarded: str | None = None, real: str | None = None) -> ClientAddress:
    headers = {"X-Forwarded-For": forwarded, "X-Real-Ip": real}
    return READER.client_of(peer, {name: value for name, value in headers.items() if value is not None})


@pytest.mark.parametrize(
    ("peer", "text", "network"),
    [
        ("203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("2001:db8::1%eth0", "2001:db8::1", "2001:db8::/48"),
    ],
)
def test_a_client_stands_for_its_network(peer: str, text: str, network: str):
    assert client(peer) == ClientAddress(text, network, is_private=False, is_loopback=False)


@pytest.mark.parametrize(
    "peer",
    [
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.1",
        "192.168.1.1",
        "169.254.1.1",
        "fd00::1",
        "fe80::1%eth0",
        "::1",
        LOOPBACK,
    ],
)
def test_a_private_client_has_no_network(peer: str):
    found = client(peer)
    assert (found.network, found.is_private) == (None, True)


@pytest.mark.parametrize("peer", ["172.32.0.1", "100.64.0.1", "192.0.2.1", "11.0.0.1", "fe00::1"])
def test_other_reserved_networks_are_not_private(peer: str):
    assert not client(peer).is_private


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a trusted proxy: its header is anybody's word
        (LOOPBACK, "198.51.100.1", "198.51.100.1"),
        (LOOPBACK, "192.0.2.66, 198.51.100.1", "198.51.100.1"),  # the left one may be invented
        (LOOPBACK, "198.51.100.1, 10.9.0.1", "198.51.100.1"),
        (LOOPBACK, "10.9.0.7, 10.9.0.1", "10.9.0.7"),
        (LOOPBACK, "198.51.100.1:4711", "198.51.100.1"),
        (LOOPBACK, '"[2001:db8::5]:4711"', "2001:db8::5"),
        (LOOPBACK, "::ffff:198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", "198.51.100.1"),  # a unix socket is this machine
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        (LOOPBACK, "", LOOPBACK),
        (LOOPBACK, None, LOOPBACK),
    ],
)
def test_the_rightmost_address_that_no_trusted_proxy_has_is_the_client(peer: str, forwarded: str | None, expected: str):
    assert client(peer, forwarded).text == expected


@pytest.mark.parametrize(
    "garbage", ["unknown", "198.51.100.1, _hidden", "1.2.3.4.5", "x" * 70_000, "198.51.100.1,", "[zz]"]
)
def test_garbage_from_a_trusted_proxy_makes_the_client_unknown(garbage: str):
    assert client(LOOPBACK, garbage) == UNKNOWN


def test_real_ip_counts_only_from_a_proxy_that_gives_nothing_better():
    assert client(LOOPBACK, real="198.51.100.2").text == "198.51.100.2"
    assert client(LOOPBACK, "198.51.100.1", real="198.51.100.2").text == "198.51.100.1"
    assert client("203.0.113.9", real="198.51.100.2").text == "203.0.113.9"


@given(st.text(), st.text())
def test_any_text_gives_a_client_without_an_error(peer: str, forwarded: str):
    assert isinstance(client(peer, forwarded), ClientAddress)


def test_a_visitors_hash_depends_on_salt_project_address_and_user_agent():
    base = (b"s" * 32, "shop", "203.0.113.1", "Firefox")
    others = [
        (b"t" * 32, *base[1:]),
        (base[0], "b", *base[2:]),
        (*base[:2], "203.0.113.2", "Firefox"),
        (*base[:3], "x"),
    ]
    hashes = {visitor_hash(*parts) for parts in [base, base, *others]}
    assert len(hashes) == 5
    assert len(visitor_hash(*base)) == 32
