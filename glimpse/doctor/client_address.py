"""Looks at whether each visitor's own address arrives, and no address that a visitor makes up."""

from __future__ import annotations

from collections.abc import Mapping

from glimpse.collect.address import describe_address, parse_address
from glimpse.collect.forwarding import ALL, FORWARDED, X_FORWARDED_FOR, hops
from glimpse.doctor.finding import Word, note, ok, wrong
from glimpse.doctor.site import Site

_WRITE_IT = "nginx: proxy_set_header X-Forwarded-For $remote_addr;"
_CLOUDFLARE = "Cf-Connecting-Ip"
# Of the networks that are kept for documentation: nobody's. Each its own, so that it shows which one is believed.
_MADE_UP = {name: f"192.0.2.{number}" for number, name in enumerate(ALL, 1)}


def address(site: Site) -> Word:
    """Tell whose address Glimpse takes a visitor's to be."""
    ip, headers, _ = site.echo
    said = _said(headers)
    if said:
        return _as_said(site, ip, said)
    if _has_proxy(site):
        return wrong(f"the proxy does not say for whom it asks: every visitor is {ip}", _WRITE_IT)
    return ok(f"{ip}, without a proxy")


def _as_said(site: Site, ip: str, said: Mapping[str, list[str]]) -> Word:
    counted = next((name for name in _counting(site) if name in said), None)
    if counted is None:
        told = f"the proxy writes {', '.join(said)}, and only {site.settings.client_address_header} counts"
        return wrong(told, "unset GLIMPSE_CLIENT_ADDRESS_HEADER")
    if not ip:
        return wrong(f"what the proxy says in {counted} is no address: {said[counted][0]}", _WRITE_IT)
    if ip not in said[counted]:
        trusted = ",".join([*site.settings.trusted_proxies, ip])
        told = f"what the proxy at {ip} says is not believed: every visitor is {ip}"
        return wrong(told, f"GLIMPSE_TRUSTED_PROXIES={trusted}")
    if ip not in said.get(_CLOUDFLARE, [ip]):
        told = f"{ip} counts, which is Cloudflare's, and not the visitor's"
        return wrong(told, "GLIMPSE_CLIENT_ADDRESS_HEADER=CF-Connecting-IP")
    return ok(f"{ip}, of {counted}")


def _has_proxy(site: Site) -> bool:
    """Tell whether something stands in front: Glimpse itself names no server, and adds no header."""
    _, headers, seen = site.echo
    return bool(_said(headers)) or "server" in seen.headers or "via" in seen.headers


def made_up_address(site: Site) -> Word | None:
    """Tell whether a visitor can pass for another by writing a header itself."""
    if not _has_proxy(site):
        return None  # what counts from here is this machine's own word
    plain_ip = site.echo[0]
    given = {name: f"for={made_up}" if name == FORWARDED else made_up for name, made_up in _MADE_UP.items()}
    ip, headers, _ = site.echo_of(given)
    believed = next((name for name, made_up in _MADE_UP.items() if made_up == ip), None)
    if believed is None:
        return ok("is not believed")
    is_ours = plain_ip and site.addresses.trusts(plain_ip)
    if believed == X_FORWARDED_FOR and is_ours and _said(headers)[believed][0] == plain_ip:
        return note("can't be told from here, whose word is trusted: ask from another machine")
    return wrong(f"is believed: the proxy passes on {believed} as a visitor writes it", _mend(believed))


def _mend(name: str) -> str:
    return _WRITE_IT if name == X_FORWARDED_FOR else f"{_WRITE_IT} or GLIMPSE_CLIENT_ADDRESS_HEADER"


def _counting(site: Site) -> tuple[str, ...]:
    header = site.settings.client_address_header
    return (header.title(),) if header else ALL


def _said(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the addresses that each header names, the nearest proxy's word first."""
    return {
        name: [describe_address(parsed).text if (parsed := parse_address(hop)) else hop for hop in hops(name, text)]
        for name in ALL
        if (text := headers.get(name))
    }
