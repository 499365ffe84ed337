from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.collect.address import UNKNOWN, AddressReader, ClientAddress, Networks, parse_address, reader_for
from glimpse.collect.visitor import visitor_hash
from glimpse.settings import Settings

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


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ("For=198.51.100.1;proto=https;by=10.9.0.1", "198.51.100.1"),
        ("proto=https; for = 198.51.100.1 ", "198.51.100.1"),
        ('for="198.51.100.1:4711"', "198.51.100.1"),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('for="[2001:db8:cafe::17]"', "2001:db8:cafe::17"),
        ("for=192.0.2.43, for=198.51.100.1;by=203.0.113.60", "198.51.100.1"),
        ("for=198.51.100.1, for=10.9.0.5", "198.51.100.1"),
        ('for=198.51.100.1;host="a,for=192.0.2.1;b"', "198.51.100.1"),
        # A stranger opens a quote that would swallow what the proxy adds.
        ('for="192.0.2.66, for=198.51.100.1', "198.51.100.1"),
        ('for="x, for="[2001:db8::5]"', "2001:db8::5"),
        ('for=192.0.2.66;host="x\\", for=198.51.100.1', ""),
        ("for=unknown", ""),
        ("for=_hidden, for=10.9.0.5", ""),
        ("for=192.0.2.1;for=198.51.100.1", ""),
        ("proto=https", ""),
        ("198.51.100.1", ""),
        ("for=", ""),
    ],
)
def test_forwarded_is_read_as_rfc_7239_says_and_from_the_right(forwarded: str, expected: str):
    assert READER.client_of(LOOPBACK, {"Forwarded": forwarded}).text == expected


@pytest.mark.parametrize(
    "name", ["Cf-Connecting-Ip", "True-Client-Ip", "Fly-Client-Ip", "X-Real-Ip", "X-Client-Ip", "X-Azure-Clientip"]
)
def test_a_vendors_header_counts_only_from_a_proxy_that_gives_no_chain(name: str):
    vendor = {name: "198.51.100.2"}
    assert READER.client_of(LOOPBACK, vendor).text == "198.51.100.2"
    assert READER.client_of("203.0.113.9", vendor).text == "203.0.113.9"
    assert READER.client_of(LOOPBACK, vendor | {"X-Forwarded-For": "198.51.100.1"}).text == "198.51.100.1"
    assert READER.client_of(LOOPBACK, vendor | {"Forwarded": "for=198.51.100.1"}).text == "198.51.100.1"


def test_a_vendors_header_that_came_twice_is_nobodys_word():
    assert READER.client_of(LOOPBACK, {"Cf-Connecting-Ip": "192.0.2.66,unknown"}) == UNKNOWN


def test_x_forwarded_for_goes_before_forwarded_which_most_proxies_pass_on_as_it_came():
    headers = {"Forwarded": "for=192.0.2.66", "X-Forwarded-For": "198.51.100.1"}
    assert READER.client_of(LOOPBACK, headers).text == "198.51.100.1"


@pytest.mark.parametrize("name", ["CF-Connecting-IP", "cf-connecting-ip", "Forwarded", "X-Forwarded-For"])
def test_a_header_that_is_named_is_the_only_one_that_counts(name: str):
    reader = reader_for(Settings(client_address_header=name))
    every = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.2", "Cf-Connecting-Ip": "192.0.2.3"}
    expected = {"forwarded": "192.0.2.2", "x-forwarded-for": "192.0.2.1"}.get(name.lower(), "192.0.2.3")
    assert reader.client_of(LOOPBACK, every).text == expected
    assert reader.client_of(LOOPBACK, {"X-Real-Ip": "192.0.2.4"}).text == LOOPBACK
    assert reader.client_of("203.0.113.9", every).text == "203.0.113.9"


def test_of_a_long_chain_only_the_end_is_read():
    near = ", ".join(["198.51.100.1", *["10.9.0.1"] * 20])
    assert client(LOOPBACK, "192.0.2.66, " * 10_000 + near).text == "198.51.100.1"
    assert client(LOOPBACK, "198.51.100.1, " + ", ".join(["10.9.0.1"] * 10_000)) == UNKNOWN
    assert READER.client_of(LOOPBACK, {"Forwarded": "for=x, " * 10_000 + "for=198.51.100.1"}).text == "198.51.100.1"


def test_what_was_worked_out_is_forgotten_after_a_minute():
    now = 100.0
    reader = AddressReader(("127.0.0.0/8",), clock=lambda: now)
    reader.client_of(LOOPBACK, {"X-Forwarded-For": "198.51.100.1"})
    assert reader._forwarded.cache_info().currsize == 1
    now += 61
    reader.client_of(LOOPBACK, {})
    assert reader._forwarded.cache_info().currsize == 0


def test_a_reader_tells_whom_it_trusts():
    reader = AddressReader(("10.9.0.0/16", "::ffff:192.0.2.0/120", "2001:db8::/32"))
    assert [reader.trusts(peer) for peer in ("10.9.1.1", "192.0.2.7", "::ffff:10.9.0.1", "2001:db8::1")] == [True] * 4
    assert [reader.trusts(peer) for peer in ("10.8.1.1", "192.0.3.7", "2001:db9::1", "nonsense", "")] == [False] * 5


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        " ",
        "[",
        "]",
        "[]:80",
        ":",
        "::",
        "1",
        "1.2.3",
        "01.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4\0",
        "\ud800",
        "\uff11.2.3.4",
        "%",
    ],
)
def test_only_an_address_is_an_address(garbage: str):
    assert parse_address(garbage) in (None, bytes(16))


@given(st.ip_addresses())
def test_any_address_is_read_back_as_it_was_and_stands_for_its_network(address: IPv4Address | IPv6Address):
    found = client(str(address))
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert ip_address(found.text) == mapped
    if found.network:
        assert mapped in ip_network(found.network)
    assert found.is_loopback == mapped.is_loopback


@given(st.ip_addresses(), st.integers(0, 32))
def test_networks_hold_what_the_standard_library_says_they_hold(address: IPv4Address | IPv6Address, bits: int):
    network = ip_network(f"{address}/{bits}", strict=False)
    packed = parse_address(str(address))
    assert packed is not None
    if len(packed) == len(address.packed):
        assert packed in Networks([str(network)])


@given(st.text(), st.text(), st.sampled_from(["X-Forwarded-For", "Forwarded", "X-Real-Ip"]))
def test_any_text_gives_a_client_without_an_error(peer: str, text: str, name: str):
    assert isinstance(READER.client_of(peer, {name: text}), ClientAddress)
    assert isinstance(READER.client_of(LOOPBACK, {name: text}), ClientAddress)


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
